"""What holds for every attack, whatever its method."""

from __future__ import annotations

import copy
import math
from dataclasses import fields
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from toys import SIDE, VALUES, convolutional_network, normalised_network, pictures, seeded, smooth_network

from uap_core.attacks.base import Attack
from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.ce_penalty import Penalty
from uap_core.attacks.cw_general import Hinge
from uap_core.attacks.cw_l0 import CarliniWagnerL0
from uap_core.attacks.cw_l2 import CarliniWagner
from uap_core.attacks.cw_linf import CarliniWagnerLinf
from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.lbfgs import LBFGS
from uap_core.attacks.menu import MENU
from uap_core.attacks.result import AttackResult
from uap_core.attacks.square import Square
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier

EPSILON = 0.1
ATTACKS: dict[str, Attack] = {
    "fgsm": FGSM(EPSILON),
    "iterates": IterativeFGSM(EPSILON, 0.02, 8),
    "pgd": IterativeFGSM(EPSILON, 0.02, 8, random_start=True),
    "momentum": IterativeFGSM(EPSILON, 0.02, 8, momentum=1.0, all_steps=True),
    "deepfool_l2": DeepFool(iterations=10),
    "deepfool_linf": DeepFool("linf", candidates=3, iterations=10),
    "penalty": Penalty(2, 20),
    "lbfgs": LBFGS(2, 6),
    "hinge_l2": Hinge(2.0, True, 2, 20),
    "hinge_linf": Hinge(math.inf, False, 2, 20),
    "hinge_l1": Hinge(1.0, False, 2, 20),
    "carlini_wagner": CarliniWagner(2, 20),
    "carlini_wagner_linf": CarliniWagnerLinf(rounds=12, iterations=8),
    "carlini_wagner_l0": CarliniWagnerL0(rounds=5, iterations=12),
    "square": Square(EPSILON, 80),
}
NAMED = tuple(ATTACKS.values())  # whose pace, luck and randomness are known
# An attack of the menu that is not named above is held to the contract as the menu builds it.
ATTACKS |= {
    key: item.build(EPSILON, 1, False)
    for key, item in MENU.items()
    if item.class_name not in {type(attack).__name__ for attack in ATTACKS.values()}
}
BOUNDED = [name for name, attack in ATTACKS.items() if hasattr(attack, "epsilon")]
CASES = [
    pytest.param(attack, targeted, id=f"{name}-{'to' if targeted else 'from'}")
    for name, attack in ATTACKS.items()
    for targeted in (False, True)
    if targeted or not attack.targeted_only
]
every = pytest.mark.parametrize(("attack", "targeted"), CASES)
each = pytest.mark.parametrize("attack", [pytest.param(attack, id=name) for name, attack in ATTACKS.items()])


def photographs(count: int, seed: int = 0) -> Tensor:
    return pictures(count, seed).float() / 255


def aims(network: Classifier, x: Tensor, targeted: bool) -> Tensor:
    """What is seen, or the class that comes next."""
    return network(x).topk(2).indices[:, int(targeted)]


def exact(network: Classifier) -> Classifier:
    """In float64, where rounding cannot make a batch differ from its images."""
    return copy.deepcopy(network).double()


class Counting(nn.Module):
    """Counts, without the attack's help, the images that go forward and the backward passes that come back."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.forwards = self.backwards = 0

    def forward(self, x: Tensor) -> Tensor:
        self.forwards += len(x)
        if x.requires_grad:
            x = x.view_as(x)
            x.register_hook(self._back)
        return self.network(x)

    def _back(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)


def counted(network: Classifier) -> tuple[Classifier, Counting]:
    counting = Counting(network.network)
    return Classifier(counting, network.card, network.labels), counting


def assert_consistent(result: AttackResult, network: Classifier, x: Tensor, aim: Tensor, targeted: bool) -> None:
    count, change = len(x), (result.adversarial - x).flatten(2)
    assert result.adversarial.shape == x.shape
    assert result.adversarial.dtype == x.dtype
    assert not result.adversarial.requires_grad
    assert result.adversarial.isfinite().all()
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1
    torch.testing.assert_close(result.linf, change.abs().flatten(1).amax(dim=1))
    torch.testing.assert_close(result.l2, change.flatten(1).norm(dim=1))
    assert torch.equal(result.l0, (change != 0).any(dim=1).sum(dim=1))
    assert torch.equal(result.success, (result.labels == aim) == targeted)
    seen = network(result.adversarial)
    best = seen.topk(2).values
    tie = best[:, 0] - best[:, 1] < 1e-5  # on the boundary a batch of another size may round to the other side
    assert ((result.labels == seen.argmax(dim=1)) | tie).all()
    for counts in (result.gradients, result.queries):
        assert counts.shape == (count,)
        assert counts.dtype == torch.long


@every
def test_the_result_is_what_it_says(attack: Attack, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(8)
    x[6], x[7] = x[6].round(), 1.0
    aim = aims(network, x, targeted)
    result = attack(network, x, aim, targeted)
    assert_consistent(result, network, x, aim, targeted)
    assert result.done
    assert result.share == 1
    assert result.seconds > 0
    assert result.success.float().mean() >= (0.25 if attack not in NAMED or isinstance(attack, (FGSM, Square)) else 0.6)
    if hasattr(attack, "epsilon"):
        assert result.linf.max() <= attack.epsilon + 1e-6


@pytest.mark.parametrize("name", BOUNDED)
@settings(max_examples=12, deadline=None)
@given(epsilon=st.floats(0, 1), seed=st.integers(0, 1000), targeted=st.booleans())
def test_bounded_attacks_keep_within_epsilon(name: str, epsilon: float, seed: int, targeted: bool) -> None:
    network, x = smooth_network(1), photographs(2, seed)
    x[0] = x[0].round()
    attack = copy.copy(ATTACKS[name])
    object.__setattr__(attack, "epsilon", epsilon)
    result = attack(network, x, aims(network, x, targeted), targeted, seeded(seed))
    assert (result.adversarial - x).abs().max() <= epsilon + 1e-7
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("build", [FGSM, IterativeFGSM, lambda e: IterativeFGSM(e, random_start=True), lambda e: Square(e, 20)])
def test_epsilon_zero_changes_no_bit(build, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(4)
    x[0], x[1] = x[0].round(), 1.0
    result = build(0.0)(network, x, aims(network, x, targeted), targeted)
    assert torch.equal(result.adversarial, x)
    assert not result.success.any()
    assert not result.l0.any()


@every
def test_passes_are_counted(attack: Attack, targeted: bool) -> None:
    network, counting = counted(smooth_network(0))
    for image in photographs(2):
        aim = aims(network, image[None], targeted)
        counting.forwards = counting.backwards = 0
        result = attack(network, image[None], aim, targeted)
        assert result.gradients.tolist() == [counting.backwards]
        assert result.queries.tolist() == [counting.forwards]
        assert (counting.backwards == 0) == (attack is ATTACKS["square"]) or attack not in NAMED


@every
def test_a_batch_is_that_many_single_attacks(attack: Attack, targeted: bool) -> None:
    network, x = exact(smooth_network(0)), photographs(3).double()
    aim = aims(network, x, targeted)
    together = attack(network, x, aim, targeted, seeded(3))
    alone = [attack(network, x[i : i + 1], aim[i : i + 1], targeted, seeded(3)) for i in range(3)]
    torch.testing.assert_close(together.adversarial, torch.cat([one.adversarial for one in alone]), rtol=0, atol=1e-6)
    for field in ("success", "labels", "gradients", "queries", "l0"):
        assert torch.equal(getattr(together, field), torch.cat([getattr(one, field) for one in alone])), field


@every
def test_the_seed_decides_what_is_drawn(attack: Attack, targeted: bool) -> None:
    network, x = convolutional_network(), photographs(2)
    aim = aims(network, x, targeted)
    left_out = attack(network, x, aim, targeted)
    same, other = (attack(network, x, aim, targeted, seeded(seed)) for seed in (0, 1))
    draws = attack is ATTACKS["pgd"] or attack is ATTACKS["square"]
    assert_consistent(same, network, x, aim, targeted)
    assert torch.equal(same.adversarial, left_out.adversarial)
    assert torch.equal(same.adversarial, other.adversarial) != draws or attack not in NAMED


@every
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_pictures_move_and_fool(linear, attack: Attack, targeted: bool, value: float) -> None:
    weight, x = torch.randn(4, VALUES, generator=seeded(2)) * 0.2, torch.full((1, 3, SIDE, SIDE), value)
    network = linear(weight, torch.tensor([1.0, 0.5, 0.0, -0.5]) - weight @ x.flatten())
    result = attack(network, x, aims(network, x, targeted), targeted)
    assert result.success.all()
    assert result.linf.min() > 0.01
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1


@every
def test_negative_logits_make_no_difference(attack: Attack, targeted: bool) -> None:
    above = exact(smooth_network(0))
    below = copy.deepcopy(above)
    below.network[3].bias -= 1000
    x = photographs(3).double()
    aim = aims(above, x, targeted)
    assert below(x).max() < 0
    first, second = attack(above, x, aim, targeted), attack(below, x, aim, targeted)
    assert torch.equal(first.success, second.success)
    torch.testing.assert_close(first.adversarial, second.adversarial, rtol=0, atol=1e-5)


@every
def test_without_any_slope_it_fails_with_a_picture(linear, attack: Attack, targeted: bool) -> None:
    network, x = linear(torch.zeros(3, VALUES), torch.tensor([1.0, 0.5, 0.0])), photographs(3)
    aim = aims(network, x, targeted)
    result = attack(network, x, aim, targeted)
    assert_consistent(result, network, x, aim, targeted)
    assert not result.success.any()
    assert result.linf.max() <= EPSILON + 1e-6  # not black


@each
def test_an_impossible_target_fails_with_the_best_attempt(linear, attack: Attack) -> None:
    network = linear(torch.randn(3, VALUES, generator=seeded(0)) * 0.1, torch.tensor([1e4, 0.0, 0.0]))
    x, target = photographs(3), torch.full((3,), 2)
    result = attack(network, x, target, True)
    assert_consistent(result, network, x, target, True)
    assert not result.success.any()
    assert result.labels.tolist() == [0, 0, 0]
    before, after = (z[:, 0] - z[:, 2] for z in (network(x), network(result.adversarial)))
    if attack is ATTACKS["hinge_l2"]:  # where a network is this sure, its probabilities have no slope at all
        assert torch.equal(result.adversarial, x)
    else:
        assert (after < before - 0.1).all()


@each
def test_an_image_at_its_target_is_done_and_the_others_fare_as_alone(attack: Attack) -> None:
    network, x = smooth_network(0), photographs(3)
    target = aims(network, x, True)
    target[1] = network(x[1:2]).argmax()
    mixed, rest = attack(network, x, target, True), torch.tensor([0, 2])
    assert torch.equal(mixed.adversarial[1], x[1])
    assert bool(mixed.success[1])
    assert (int(mixed.labels[1]), int(mixed.gradients[1]), int(mixed.queries[1])) == (int(target[1]), 0, 1)
    assert_consistent(mixed, network, x, target, True)
    others = attack(network, x[rest], target[rest], True)
    for field in fields(others):
        mine, theirs = getattr(mixed, field.name), getattr(others, field.name)
        if isinstance(mine, Tensor):
            assert torch.equal(mine[rest], theirs), field.name
    streamed = list(attack.stream(network, x, target, True))
    assert all(found.success[1] and torch.equal(found.adversarial[1], x[1]) for found in streamed)
    assert torch.equal(streamed[-1].adversarial, mixed.adversarial)


@each
def test_a_batch_that_is_at_its_target_costs_one_look(attack: Attack) -> None:
    network, x = smooth_network(0), photographs(2)
    result = attack(network, x, network(x).argmax(dim=1), True)
    assert torch.equal(result.adversarial, x)
    assert result.success.all()
    assert (result.gradients.sum(), result.queries.tolist()) == (0, [1, 1])


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS.values() if attack.targeted_only])
def test_some_attacks_need_a_target(attack: Attack) -> None:
    network, x = smooth_network(0), photographs(1)
    with pytest.raises(SettingError, match="choose a target"):
        attack(network, x, aims(network, x, False))


@each
@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(2, 3, 9, 9), [1, 1], "takes images"),
        (torch.zeros(2, 1, SIDE, SIDE), [1, 1], "takes images"),
        (torch.zeros(3, SIDE, SIDE), [1, 1, 1], "takes images"),
        (torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8), [1, 1], "takes images"),
        (torch.zeros(2, 3, SIDE, SIDE), [1], "one each"),
        (torch.zeros(2, 3, SIDE, SIDE), [[1], [1]], "one each"),
        (torch.zeros(2, 3, SIDE, SIDE), [1, 5], "classes 0 to 4"),
        (torch.zeros(2, 3, SIDE, SIDE), [-1, 1], "classes 0 to 4"),
    ],
    ids=["side", "colours", "no batch", "bytes", "too few labels", "labels in a column", "label above", "label below"],
)
def test_what_does_not_fit_the_network_is_refused(attack: Attack, images: Tensor, labels: list[int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        attack(smooth_network(0), images, torch.tensor(labels), True)


@every
def test_leaves_the_network_and_the_images_alone(attack: Attack, targeted: bool) -> None:
    network, x = normalised_network(), photographs(3)
    aim = aims(network, x, targeted)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    assert "network.0.running_mean" in state
    picture, wanted = x.clone(), aim.clone()
    result = attack(network, x, aim, targeted)
    assert torch.equal(x, picture)
    assert torch.equal(aim, wanted)
    assert not x.requires_grad
    assert result.adversarial.data_ptr() != x.data_ptr()
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in network.parameters())
    assert not network.training


@every
def test_a_stream_says_how_far_it_is(attack: Attack, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(2)
    aim = aims(network, x, targeted)
    pairs = [(result, copy.deepcopy(result)) for result in attack.stream(network, x, aim, targeted, seeded(1))]
    results = [result for result, _ in pairs]
    for result, then in pairs:
        for field in ("adversarial", "success", "labels", "gradients", "queries"):
            assert torch.equal(getattr(result, field), getattr(then, field)), "what was yielded stays as it was"
    assert [result.done for result in results] == [False] * (len(results) - 1) + [True]
    assert results[0].share >= 0
    assert results[-1].share == 1
    for before, after in pairwise(results):
        assert before.share < after.share
        assert (before.gradients <= after.gradients).all()
        assert (before.queries <= after.queries).all()
        assert (after.success | ~before.success).all() or attack is ATTACKS["momentum"]  # it goes on and may come back
    for result in results:
        assert_consistent(result, network, x, aim, targeted)
    assert len(results) > 3 or attack in (
        *(attack for attack in ATTACKS.values() if attack not in NAMED),
        ATTACKS["fgsm"],
        ATTACKS["deepfool_l2"],
        ATTACKS["deepfool_linf"],
        ATTACKS["iterates"],
    )
    assert torch.equal(results[-1].adversarial, attack(network, x, aim, targeted, seeded(1)).adversarial)


@every
def test_a_stream_may_be_closed_midway(attack: Attack, targeted: bool) -> None:
    network, x = smooth_network(0), photographs(2)
    stream = attack.stream(network, x, aims(network, x, targeted), targeted)
    next(stream)
    stream.close()
    assert list(stream) == []
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("build", [IterativeFGSM, Square])
@pytest.mark.parametrize("epsilon", [-0.01, 1.01, math.nan, math.inf])
def test_bad_epsilon_is_refused(build, epsilon: float) -> None:
    with pytest.raises(SettingError, match="psilon"):
        build(epsilon)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (IterativeFGSM, "steps"),
        (Square, "query_budget"),
        (DeepFool, "iterations"),
        (CarliniWagnerLinf, "rounds"),
        (CarliniWagnerL0, "rounds"),
        *((build, name) for build in (Penalty, LBFGS, Hinge, CarliniWagner) for name in ("search_steps", "iterations")),
    ],
)
def test_no_steps_are_refused(build, name: str) -> None:
    with pytest.raises(SettingError, match="at least 1"):
        build(**{name: 0})
