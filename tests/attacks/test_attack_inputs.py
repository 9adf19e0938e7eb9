"""What attacks take: any module, rectangles, any integer labels, no images at all, in whatever grad mode."""

from __future__ import annotations

import math

import pytest
import torch
from test_contract import ATTACKS, aims, each, every, photographs
from torch import Tensor, nn
from toys import SIDE, VALUES, pictures, seeded, smooth_network

import uap_core
from uap_core.attacks.base import Attack
from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.errors import ModelError, SettingError

HEIGHT, WIDTH = 4, 16  # as many values as SIDE x SIDE


def bare_module() -> nn.Module:
    """In training mode and with gradients, as a user's own may be; dropout shows whether it was asked as it is."""
    linear = nn.Linear(VALUES, 5)
    with torch.no_grad():
        linear.weight.copy_(torch.randn(linear.weight.shape, generator=seeded(7)) * 0.1)
        linear.bias.zero_()
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), linear).train()


@every
def test_a_bare_module_fares_as_a_classifier_does(attack: Attack, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(3)
    aim = aims(network, x, targeted)
    known, bare = attack(network, x, aim, targeted), attack(network.network, x, aim, targeted)
    assert torch.equal(known.adversarial, bare.adversarial)
    assert torch.equal(known.queries, bare.queries)


@every
def test_the_users_module_stays_as_it_was(attack: Attack, targeted: bool) -> None:
    module, x = bare_module(), photographs(2)
    still = uap_core.wrap(module, size=SIDE)
    aim = aims(still, x, targeted)
    result = attack(module, x, aim, targeted)
    assert torch.equal(result.labels, still(result.adversarial).argmax(dim=1))
    assert all(part.training for part in module.modules())
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())


@every
def test_rectangles_are_attacked_as_squares_are(attack: Attack, targeted: bool) -> None:
    """The same values in another shape: all but attacks that draw squares do the same."""
    network, x = smooth_network(0), photographs(3)
    aim, wide = aims(network, x, targeted), x.view(3, 3, HEIGHT, WIDTH)
    square, other = attack(network, x, aim, targeted), attack(network.network, wide, aim, targeted)
    assert other.adversarial.shape == wide.shape
    assert torch.equal(other.success, (other.labels == aim) == targeted)
    if attack not in (ATTACKS["square"], ATTACKS["pgd"]):
        torch.testing.assert_close(other.adversarial.view_as(x), square.adversarial)


@every
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_grad_mode_does_not_matter(attack: Attack, targeted: bool, mode) -> None:
    network, x = smooth_network(0), photographs(2)
    usual = attack(network, x, aims(network, x, targeted), targeted)
    with mode():
        images = photographs(2)
        aim = aims(network, images, targeted)
        found = attack(network, images, aim, targeted)
        streamed = attack.stream(network, images, aim, targeted)
        first = next(streamed)
        assert not torch.is_grad_enabled()
        *_, last = first, *streamed
    for result in (found, last):
        assert torch.equal(result.adversarial, usual.adversarial)


@every
def test_labels_of_any_integer_type(attack: Attack, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(2)
    aim = aims(network, x, targeted)
    usual = attack(network, x, aim, targeted)
    for kind in (torch.int32, torch.uint8):
        assert torch.equal(attack(network, x, aim.to(kind), targeted).adversarial, usual.adversarial)


@every
def test_no_images_give_an_empty_result(attack: Attack, targeted: bool) -> None:
    for network in (smooth_network(0), smooth_network(0).network):
        result = attack(network, torch.zeros(0, 3, SIDE, SIDE), torch.zeros(0, dtype=torch.long), targeted)
        assert result.adversarial.shape == (0, 3, SIDE, SIDE)
        assert len(result.success) == len(result.labels) == len(result.l2) == len(result.queries) == 0
        assert result.done


@each
def test_float64_pictures_are_attacked_in_the_networks_precision(attack: Attack) -> None:
    network, x = smooth_network(0), photographs(2)
    aim = aims(network, x, True)
    result = attack(network, x.double(), aim, True)
    assert torch.equal(result.adversarial, attack(network, x, aim, True).adversarial)


@pytest.mark.parametrize("images", [pictures(1).float(), photographs(1) - 0.5, photographs(1) * math.nan])
def test_pixels_beyond_their_range_are_refused(images: Tensor) -> None:
    with pytest.raises(SettingError, match="between 0 and 1"):
        FGSM()(smooth_network(0), images, torch.tensor([0]))


def test_labels_that_are_no_whole_numbers_are_refused() -> None:
    with pytest.raises(SettingError, match="whole number"):
        FGSM()(smooth_network(0), photographs(1), torch.tensor([1.0]))


def test_labels_of_a_bare_module_are_held_to_its_scores() -> None:
    with pytest.raises(SettingError, match="classes 0 to 4"):
        FGSM()(bare_module(), photographs(1), torch.tensor([5]))


def test_a_module_that_gives_no_logits_is_refused() -> None:
    with pytest.raises(ModelError, match="must return logits"):
        FGSM()(nn.Identity(), photographs(1), torch.tensor([0]))


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_deepfool_leaves_alone_what_is_wrong_already(norm: str) -> None:
    network, x = smooth_network(0), photographs(3)
    truth = aims(network, x, True)
    truth[1] = network(x[1:2]).argmax()
    result = DeepFool(norm)(network, x, truth)
    assert result.success.all()
    assert (result.l2 == 0).tolist() == [True, False, True]
    assert result.gradients[0] == result.gradients[2] == 0


def test_fgsm_on_a_rectangle_is_the_known_step() -> None:
    """Logits w.x and 0: the cross-entropy of class 0 grows against the signs of w."""
    w = torch.randn(3 * HEIGHT * WIDTH, generator=seeded(3))
    linear = nn.Linear(len(w), 2, bias=False)
    with torch.no_grad():
        linear.weight.copy_(torch.stack([w, torch.zeros_like(w)]))
    x = torch.full((1, 3, HEIGHT, WIDTH), 0.5)
    found = FGSM(0.1)(nn.Sequential(nn.Flatten(), linear), x, torch.tensor([0]))
    torch.testing.assert_close(found.adversarial, x - 0.1 * w.sign().view_as(x))


def test_normalisation_inside_changes_no_epsilon() -> None:
    """A step of 0.1 is one of 0.1 in pixels, whatever std the module wants."""
    module, x = bare_module(), photographs(2)
    mine = uap_core.wrap(module, mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3), size=SIDE)
    result = IterativeFGSM(0.1, 0.05, 4, all_steps=True)(mine, x, mine(x).argmax(dim=1))
    assert 0.09 < float(result.linf.max()) <= 0.1 + 1e-6
