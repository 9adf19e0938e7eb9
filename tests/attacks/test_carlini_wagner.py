from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from toys import smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.cw_l2 import CarliniWagner, TanhPicture
from uap_core.attacks.result import AttackResult
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier

SIDE = 8
VALUES = 3 * SIDE * SIDE
CLASSES = 3
ATTACK = CarliniWagner()
ITERATIONS = 60


def weights(seed: int = 0, scale: float = 0.5) -> Tensor:
    return torch.randn(CLASSES, VALUES, generator=torch.Generator().manual_seed(seed)) * scale


def pictures(count: int, seed: int = 1) -> Tensor:
    """Far enough from 0 and 1 that the box never binds."""
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 0.4 + 0.3


def least_distance(network: Classifier, x: Tensor, targets: Tensor) -> Tensor:
    """To the region of ``targets`` of a linear network with three classes: one face, or the edge where two meet."""
    layer = network.network[1]
    found = []
    for image, target in zip(x, targets.tolist(), strict=True):
        others = [j for j in range(CLASSES) if j != target]
        normals = layer.weight[others] - layer.weight[target]
        gaps = normals @ image.flatten() + layer.bias[others] - layer.bias[target]
        candidates = [torch.linalg.pinv(normals) @ -gaps]  # on both faces
        candidates += [-normal * gap / normal.square().sum() for normal, gap in zip(normals, gaps, strict=True)]
        inside = [step for step in candidates if bool((normals @ step + gaps <= 1e-4).all())]
        found.append(min(float(step.norm()) for step in inside))
    return torch.tensor(found)


def assert_consistent(result: AttackResult, network: Classifier, x: Tensor) -> None:
    change = (result.adversarial - x).flatten(1)
    assert result.adversarial.isfinite().all()
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1
    assert torch.equal(result.labels, network(result.adversarial).argmax(dim=1))
    torch.testing.assert_close(result.l2, change.norm(dim=1))
    torch.testing.assert_close(result.linf, change.abs().amax(dim=1))


def target_gap(network: Classifier, x: Tensor, targets: Tensor) -> Tensor:
    return Criterion(targets, True).gap(network(x))


def test_finds_the_distance_to_the_target_region(linear) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(6)
    targets = network(x).argmin(dim=1)
    result = ATTACK(network, x, targets, targeted=True)
    expected = least_distance(network, x, targets)
    assert result.success.all()
    assert (result.l2 >= expected * 0.999).all()
    assert (result.l2 <= expected * 1.04).all(), result.l2 / expected
    assert_consistent(result, network, x)


def test_untargeted_it_finds_the_distance_to_the_nearest_boundary(linear) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(6)
    logits = network(x)
    labels = logits.argmax(dim=1)
    weight = network.network[1].weight
    distances = (logits.amax(dim=1, keepdim=True) - logits) / (weight[labels][:, None] - weight).norm(dim=2)
    expected = distances.scatter(1, labels[:, None], torch.inf).amin(dim=1)
    result = ATTACK(network, x, labels)
    assert result.success.all()
    assert (result.l2 >= expected * 0.999).all()
    assert (result.l2 <= expected * 1.04).all(), result.l2 / expected
    assert_consistent(result, network, x)


def test_the_first_picture_is_the_picture_itself() -> None:
    x = torch.linspace(0, 1, 3 * SIDE * SIDE).view(1, 3, SIDE, SIDE)
    picture = TanhPicture(x)
    assert torch.equal(picture(picture.start, torch.tensor([0])), x)


@pytest.mark.parametrize("scale", [0.05, 0.5, 5.0])
def test_black_and_white_pixels_move(linear, scale: float) -> None:
    network = linear(weights(scale=scale), torch.zeros(CLASSES))
    x = pictures(4).sub(0.3).div(0.4).round()
    assert set(x.unique().tolist()) == {0.0, 1.0}
    result = ATTACK(network, x, network(x).topk(2).indices[:, 1], targeted=True)
    assert result.success.all()
    assert ((result.adversarial - x).abs() > 0.01).flatten(1).any(dim=1).all()
    assert_consistent(result, network, x)


def test_negative_logits_make_no_difference(linear) -> None:
    above, below = linear(weights(), torch.zeros(CLASSES)), linear(weights(), torch.full((CLASSES,), -1000.0))
    x = pictures(4)
    targets = above(x).argmin(dim=1)
    assert below(x).max() < 0
    first, second = ATTACK(above, x, targets, True), ATTACK(below, x, targets, True)
    assert second.success.all()
    torch.testing.assert_close(first.l2, second.l2, rtol=0.02, atol=0)


@pytest.mark.parametrize("slope", [0.0, 0.1], ids=["constant", "huge bias"])
def test_an_impossible_target_fails_with_a_picture(linear, slope: float) -> None:
    network = linear(weights(scale=slope), torch.tensor([1e4, 0.0, 0.0]))
    x = pictures(3)
    result = CarliniWagner(search_steps=4, iterations=40)(network, x, torch.full((3,), 2), targeted=True)
    assert not result.success.any()
    assert (result.labels == 0).all()
    assert result.adversarial.flatten(1).mean(dim=1).min() > 0.2  # not black
    assert_consistent(result, network, x)
    if slope:  # the best attempt is nearer to the target than the picture was
        targets = torch.full((3,), 2)
        assert (target_gap(network, result.adversarial, targets) < target_gap(network, x, targets)).all()


def test_a_failed_image_does_not_spoil_its_neighbours(linear) -> None:
    weight = weights(scale=0.5)
    weight[2] = 0
    network = linear(weight, torch.tensor([0.0, 0.0, -1e5]))
    x = pictures(4)
    targets = network(x)[:, :2].argmin(dim=1)
    targets[1] = 2
    result = ATTACK(network, x, targets, targeted=True)
    assert result.success.tolist() == [True, False, True, True]


def test_a_batch_is_that_many_single_attacks(linear) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(4)
    targets = network(x).argmin(dim=1)
    attack = CarliniWagner(search_steps=3, iterations=40)
    together = attack(network, x, targets, True)
    alone = [attack(network, x[i : i + 1], targets[i : i + 1], True) for i in range(4)]
    torch.testing.assert_close(together.adversarial, torch.cat([one.adversarial for one in alone]), rtol=0, atol=1e-3)
    torch.testing.assert_close(together.l2, torch.cat([one.l2 for one in alone]), rtol=0.01, atol=0)


@pytest.mark.parametrize("kappa", [0.0, 1.0, 5.0])
def test_confidence_is_kept(linear, kappa: float) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(4)
    targets = network(x).argmin(dim=1)
    result = CarliniWagner(confidence=kappa)(network, x, targets, targeted=True)
    gap = target_gap(network, result.adversarial, targets)
    assert result.success.all()
    assert (gap <= -kappa + 1e-4).all()
    assert (gap >= -kappa - 0.5).all()  # and no more is spent than was asked for


def test_a_search_step_that_gains_nothing_ends_early(linear) -> None:
    network = linear(torch.zeros(CLASSES, VALUES), torch.tensor([1.0, 0.0, 0.0]))
    result = CarliniWagner(search_steps=1, iterations=100)(network, pictures(1), torch.tensor([1]), targeted=True)
    assert result.gradients.item() <= 100 // 4 + 2  # a quarter of the iterations, the first of them, and the first guess


def test_the_stream_gets_better_and_says_how_far_it_is(linear) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(3)
    results = list(ATTACK.stream(network, x, network(x).argmin(dim=1), targeted=True))
    assert len(results) > 50
    assert [result.done for result in results] == [False] * (len(results) - 1) + [True]
    assert results[-1].share == 1
    for before, after in pairwise(results):
        assert 0 < before.share < after.share or (after.done and before.share <= after.share)
        assert (before.gradients <= after.gradients).all()
        assert (after.success | ~before.success).all()
        assert (after.l2 <= before.l2)[before.success].all()


def written_out(network: Classifier, x: Tensor, label: int, targeted: bool, kappa: float) -> tuple[Tensor | None, list[float]]:
    """The paper's attack on one image (1,3,8,8): its smallest success, and the constants it tried."""
    w_0 = torch.atanh((2 * x - 1) * 0.999999)
    lower, upper, c, best, tried = 0.0, math.inf, 1e-3, (math.inf, None), []
    for _ in range(9):
        w, worked = w_0.clone().requires_grad_(True), False
        adam = torch.optim.Adam([w], lr=1e-2)
        tried.append(c)
        for _ in range(ITERATIONS):
            picture = (torch.tanh(w) + 1) / 2
            Z = network(picture)[0]
            others = torch.cat([Z[:label], Z[label + 1 :]]).max()
            gap = others - Z[label] if targeted else Z[label] - others
            distance = ((picture - x) ** 2).sum()
            if gap <= -kappa and (int(Z.argmax()) == label) == targeted:
                worked = True
                if float(distance.detach()) < best[0]:
                    best = (float(distance.detach()), picture.detach())
            adam.zero_grad()
            (distance + c * torch.clamp(gap, min=-kappa)).backward()
            adam.step()
        lower, upper = (lower, min(upper, c)) if worked else (max(lower, c), upper)
        c = 10 * c if math.isinf(upper) else (lower + upper) / 2
    return best[1], tried


@pytest.mark.parametrize(("targeted", "kappa"), [(True, 0.0), (False, 0.0), (True, 0.5)])
def test_with_the_papers_settings_it_is_the_papers_attack(targeted: bool, kappa: float) -> None:
    network = smooth_network(0).double()
    x = torch.cat([pictures(2).double(), torch.tensor([0.0, 1.0]).double().view(2, 1, 1, 1).expand(2, 3, SIDE, SIDE)])
    labels = network(x).topk(2).indices[:, int(targeted)]
    attack = replace(CarliniWagner.paper(), iterations=ITERATIONS, confidence=kappa)
    result = attack(network, x, labels, targeted)
    spent = 9 * ITERATIONS
    for row, label in enumerate(labels.tolist()):
        expected, tried = written_out(network, x[row : row + 1], label, targeted, kappa)
        assert len(set(tried)) == 9
        assert bool(result.success[row]) == (expected is not None)
        if expected is not None:
            torch.testing.assert_close(result.adversarial[row], expected[0], rtol=0, atol=1e-6)
        assert int(result.gradients[row]) == spent
        assert [trial.constant for trial in result.trials if trial.image == row] == pytest.approx(tried)
    assert result.success[:2].all()


def test_the_papers_settings() -> None:
    paper = CarliniWagner.paper()
    assert (paper.search_steps, paper.iterations, paper.confidence) == (9, 10_000, 0.0)
    assert (paper.initial_const, paper.learning_rate, paper.warm_start) == (1e-3, 1e-2, False)


def test_same_input_same_result(linear) -> None:
    network = linear(weights(), torch.zeros(CLASSES))
    x = pictures(3)
    targets = network(x).argmin(dim=1)
    attack = CarliniWagner(search_steps=3, iterations=50)
    assert torch.equal(attack(network, x, targets, True).adversarial, attack(network, x, targets, True).adversarial)


def test_leaves_the_network_and_the_images_alone(classifier: Classifier) -> None:
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    copy = x.clone()
    result = CarliniWagner(search_steps=1, iterations=5)(classifier, x, classifier(x).argmin(dim=1), targeted=True)
    assert torch.equal(x, copy)
    assert not result.adversarial.requires_grad
    assert all(p.grad is None for p in classifier.parameters())
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(SettingError, match="at least 1"):
        CarliniWagner(search_steps=0)
    with pytest.raises(SettingError, match="at least 1"):
        CarliniWagner(iterations=0)
    for setting in ("initial_const", "learning_rate", "patience"):
        with pytest.raises(SettingError, match="above 0"):
            CarliniWagner(**{setting: 0.0})
