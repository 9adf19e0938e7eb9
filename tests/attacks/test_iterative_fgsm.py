from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from toys import pictures, seeded, smooth_network

from uap_core.attacks.bim import BIM, MIFGSM, PGD, IterativeFGSM
from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.menu import MENU
from uap_core.models.classifier import Classifier

EPSILON, ALPHA, STEPS = 0.05, 0.012, 6


@pytest.fixture(scope="module")
def smooth() -> Classifier:
    return smooth_network(0).double()  # no sign hangs on rounding


def photographs(count: int) -> Tensor:
    return pictures(count).double() / 255


def written_out(
    network: Classifier,
    image: Tensor,
    label: int,
    targeted: bool,
    start: Tensor,
    momentum: float = 0.0,
    all_steps: bool = False,
) -> tuple[Tensor, int]:
    """One image's last iterate and the gradients that it took."""
    x, velocity, sign = start, torch.zeros_like(start), -1 if targeted else 1
    for step in range(STEPS):
        x = x.detach().requires_grad_(True)
        logits = network(x[None])[0]
        (gradient,) = torch.autograd.grad(F.cross_entropy(logits[None], torch.tensor([label])), x)
        if not all_steps and (int(logits.argmax()) == label) == targeted:
            return x.detach(), step + 1
        velocity = momentum * velocity + gradient / gradient.abs().sum()
        moved = x.detach() + sign * ALPHA * velocity.sign()
        x = torch.clamp(torch.maximum(torch.minimum(moved, image + EPSILON), image - EPSILON), 0, 1)
    return x.detach(), STEPS


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("all_steps", [False, True])
def test_equals_the_iterates_written_out(smooth: Classifier, targeted: bool, momentum: float, all_steps: bool) -> None:
    x = photographs(8)
    labels = smooth(x).topk(2).indices[:, int(targeted)]
    attack = IterativeFGSM(EPSILON, ALPHA, STEPS, momentum=momentum, all_steps=all_steps)
    result = attack(smooth, x, labels, targeted)
    for row, (image, label) in enumerate(zip(x, labels.tolist(), strict=True)):
        expected, spent = written_out(smooth, image, label, targeted, image, momentum, all_steps)
        torch.testing.assert_close(result.adversarial[row], expected, rtol=0, atol=1e-12)
        assert int(result.gradients[row]) == spent


def test_a_random_start_is_drawn_from_the_whole_ball_and_then_iterated(smooth: Classifier) -> None:
    x = photographs(4)
    noise = (2 * torch.rand(x.shape[1:], generator=seeded(7)) - 1).double()
    assert noise.min() < -0.95
    assert noise.max() > 0.95
    labels = smooth(x).argmax(dim=1)
    result = IterativeFGSM(EPSILON, ALPHA, STEPS, random_start=True)(smooth, x, labels, generator=seeded(7))
    for row, (image, label) in enumerate(zip(x, labels.tolist(), strict=True)):
        start = (image + EPSILON * noise).clamp(0, 1)
        torch.testing.assert_close(
            result.adversarial[row], written_out(smooth, image, label, False, start)[0], rtol=0, atol=1e-7
        )


def test_it_stops_at_the_first_success_unless_it_takes_all_steps(smooth: Classifier) -> None:
    x = photographs(8)
    labels = smooth(x).argmax(dim=1)
    steps = {n: IterativeFGSM(EPSILON, ALPHA, n)(smooth, x, labels) for n in range(1, STEPS + 1)}
    stopped, gone_on = steps[STEPS], IterativeFGSM(EPSILON, ALPHA, STEPS, all_steps=True)(smooth, x, labels)
    assert gone_on.gradients.tolist() == [STEPS] * 8
    assert gone_on.queries.tolist() == [STEPS + 1] * 8
    early = 0
    for row in range(8):
        needed = next((n for n in steps if steps[n].success[row]), None)
        if needed is not None and needed < STEPS:
            early += 1
            assert int(stopped.gradients[row]) == needed + 1, "the gradient is taken with the look that shows the success"
            assert torch.equal(stopped.adversarial[row], steps[needed].adversarial[row])
            assert gone_on.l2[row] > stopped.l2[row]
    assert early >= 3


def test_one_step_of_epsilon_is_fgsm(smooth: Classifier) -> None:
    x = photographs(8)
    labels = smooth(x).argmax(dim=1)
    one, whole = IterativeFGSM(EPSILON, EPSILON, 1)(smooth, x, labels), FGSM(EPSILON)(smooth, x, labels)
    torch.testing.assert_close(one.adversarial, whole.adversarial, rtol=0, atol=1e-12)
    assert one.gradients.tolist() == whole.gradients.tolist() == [1] * 8
    assert one.queries.tolist() == whole.queries.tolist() == [2] * 8


def test_all_steps_lead_further_beyond_the_boundary(smooth: Classifier) -> None:
    x = photographs(8)
    labels = smooth(x).argmax(dim=1)

    def loss(attack: IterativeFGSM) -> Tensor:
        return F.cross_entropy(smooth(attack(smooth, x, labels).adversarial), labels)

    assert loss(IterativeFGSM(0.1, ALPHA, 10, all_steps=True)) > loss(IterativeFGSM(0.1, ALPHA, 10)) + 0.5


def test_the_presets_are_the_methods_that_they_are_named_after(smooth: Classifier) -> None:
    x = photographs(4)
    labels = smooth(x).argmax(dim=1)
    for preset, settings in ((BIM, {}), (PGD, {"random_start": True}), (MIFGSM, {"momentum": 1.0})):
        named, spelled = preset(EPSILON, ALPHA, STEPS), IterativeFGSM(EPSILON, ALPHA, STEPS, **settings)
        assert vars(named) == vars(spelled)
        assert torch.equal(named(smooth, x, labels).adversarial, spelled(smooth, x, labels).adversarial)
    assert [MENU[key].name for key in ("iterates", "pgd", "momentum")] == ["I-FGSM (BIM)", "PGD", "MI-FGSM"]
    assert [type(MENU[key].build(0.1, 1, False)) for key in ("iterates", "pgd", "momentum")] == [BIM, PGD, MIFGSM]
