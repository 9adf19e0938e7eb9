from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.deepfool import DeepFool, cross_boundary, deepfool
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier


def flat(x: Tensor) -> Tensor:
    return x.flatten(1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 6))
def test_on_a_linear_network_it_is_the_distance_to_the_nearest_boundary(seed: int, classes: int) -> None:
    """min over k of |f_k - f_0| / ||w_k - w_0||, times 1.02, along the normal."""
    weight = torch.randn(classes, VALUES, generator=seeded(seed))
    points = torch.rand(5, 3, SIDE, SIDE, generator=seeded(seed + 1))
    found = cross_boundary(lambda x: flat(x) @ weight.T, points)
    logits = flat(points) @ weight.T
    for point, step, row in zip(points, found.steps, logits, strict=True):
        label = int(row.argmax())
        others = [k for k in range(classes) if k != label]
        distances = {k: float((row[label] - row[k]) / (weight[k] - weight[label]).norm()) for k in others}
        nearest = min(distances, key=lambda k: distances[k])
        normal = (weight[nearest] - weight[label]) / (weight[nearest] - weight[label]).norm()
        assert float(step.norm()) == pytest.approx(1.02 * distances[nearest], rel=1e-3, abs=1e-5)
        assert torch.nn.functional.cosine_similarity(step.flatten(), normal, dim=0) > 0.9999 or distances[nearest] < 1e-5
        assert int((flat((point + step)[None]) @ weight.T).argmax()) == nearest
    assert found.crossed.all()
    assert found.backward_passes.tolist() == [classes - 1] * 5, "one linear step is enough"


@pytest.fixture(scope="module")
def smooth() -> Classifier:
    return smooth_network(0)


def test_it_crosses_with_little_and_says_where(smooth: Classifier) -> None:
    points = pictures(30).float() / 255
    found = cross_boundary(smooth, points)
    changed = smooth(points + found.steps).argmax(dim=1) != smooth(points).argmax(dim=1)
    assert torch.equal(changed, found.crossed)
    assert changed.all()
    still = smooth(points + found.steps / 2).argmax(dim=1) == smooth(points).argmax(dim=1)
    assert still.double().mean() > 0.9, "half of it would not have done"


def test_points_are_independent(smooth: Classifier) -> None:
    points = pictures(6).float() / 255
    together = cross_boundary(smooth, points)
    alone = [cross_boundary(smooth, point[None]) for point in points]
    torch.testing.assert_close(together.steps, torch.cat([found.steps for found in alone]), rtol=1e-4, atol=1e-6)
    assert torch.equal(together.backward_passes, torch.cat([found.backward_passes for found in alone]))


def test_a_target_is_reached(smooth: Classifier) -> None:
    points = pictures(10).float() / 255
    for target in range(5):
        found = cross_boundary(smooth, points, criterion=Criterion.into(target))
        after = smooth(points + found.steps).argmax(dim=1)
        assert torch.equal(after == target, found.crossed)
        assert found.crossed.double().mean() >= 0.9
        there = smooth(points).argmax(dim=1) == target
        assert not found.steps[there].any(), "who is there already stays"


def test_the_way_to_a_target_leads_through_other_classes() -> None:
    """On a linear network, each step goes to the boundary with whoever leads now: a few steps, not a crawl past the first."""
    weight = torch.randn(100, VALUES, generator=seeded(3))
    points = torch.rand(20, 3, SIDE, SIDE, generator=seeded(4))
    found = cross_boundary(lambda x: flat(x) @ weight.T, points, iterations=5, criterion=Criterion.into(7))
    assert found.crossed.double().mean() >= 0.95


def test_only_the_highest_candidates_are_looked_at(linear) -> None:
    """The nearest boundary belongs to the lowest class; with two candidates it is out of sight."""
    weight = torch.zeros(3, VALUES)
    weight[0, 0], weight[1, 1], weight[2, 2] = 1.0, 1.0, 100.0
    points = torch.zeros(1, 3, SIDE, SIDE)
    points.view(1, -1)[0, :3] = torch.tensor([0.9, 0.5, 0.0])
    network = linear(weight, torch.tensor([0.0, 0.0, -0.1]))
    assert network(points + cross_boundary(network, points, candidates=3).steps).argmax() == 2
    assert network(points + cross_boundary(network, points, candidates=2).steps).argmax() == 1


def test_a_step_that_crosses_in_the_last_iteration_counts(smooth: Classifier) -> None:
    points = pictures(30).float() / 255
    needed = [next(i for i in range(1, 11) if cross_boundary(smooth, p[None], iterations=i).crossed[0]) for p in points]
    found = cross_boundary(smooth, points, iterations=1)
    assert found.crossed.tolist() == [n == 1 for n in needed]
    assert 0 < sum(found.crossed.tolist()) < 30


def test_no_slope_no_step(linear) -> None:
    network = linear(torch.zeros(3, VALUES), torch.tensor([1.0, 0.0, 0.0]))
    found = cross_boundary(network, torch.rand(4, 3, SIDE, SIDE, generator=seeded(0)))
    assert not found.steps.any()
    assert not found.crossed.any()


def test_nothing_to_cross() -> None:
    found = cross_boundary(lambda x: x.flatten(1), torch.zeros(0, 3, SIDE, SIDE))
    assert (len(found.steps), len(found.crossed), len(found.backward_passes)) == (0, 0, 0)


def test_what_was_yielded_stays_as_it_was(smooth: Classifier) -> None:
    """A caller may keep every iterate; the last one is the result."""
    points = pictures(6).float() / 255
    kept = list(deepfool(smooth, points))
    assert len(kept) > 1
    assert not kept[0].steps.any()
    assert not kept[0].crossed.any()
    assert not kept[0].backward_passes.any()
    for found in kept:
        changed = smooth(points + found.steps).argmax(dim=1) != smooth(points).argmax(dim=1)
        assert torch.equal(found.crossed, changed)
    assert kept[-1].crossed.all()


def test_points_may_be_rows_of_numbers_and_f_may_be_the_identity() -> None:
    """Between x_0 and x_1 the boundary of f(x) = x is the diagonal."""
    points = torch.tensor([[0.9, 0.5], [0.1, 0.3]])
    found = cross_boundary(lambda x: x, points)
    torch.testing.assert_close(points, torch.tensor([[0.9, 0.5], [0.1, 0.3]]))
    torch.testing.assert_close(found.steps, 1.02 * torch.tensor([[-0.2, 0.2], [0.1, -0.1]]), rtol=1e-3, atol=1e-5)


def inner(count: int, seed: int = 1) -> Tensor:
    """Far enough from 0 and 1 that the box never binds."""
    return torch.rand(count, 3, SIDE, SIDE, generator=seeded(seed)) * 0.4 + 0.3


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2), ("linf", 1)])
def test_the_attack_on_a_linear_network_is_the_distance_in_its_norm(linear, norm: str, dual: int) -> None:
    """min over k of |f_k - f_0| / ||w_k - w_0||_dual, times 1.02."""
    weight = torch.randn(4, VALUES, generator=seeded(5)) * 0.5
    network, x = linear(weight), inner(6)
    logits = network(x)
    labels = logits.argmax(dim=1)
    lengths = (weight[labels][:, None] - weight).norm(p=dual, dim=2)
    distances = ((logits.amax(dim=1, keepdim=True) - logits) / lengths).scatter(1, labels[:, None], torch.inf)
    result = DeepFool(norm)(network, x, labels)
    assert result.success.all()
    torch.testing.assert_close(getattr(result, norm), 1.02 * distances.amin(dim=1), rtol=1e-3, atol=1e-5)
    assert torch.equal(result.labels, distances.argmin(dim=1))
    assert result.gradients.tolist() == [3] * 6


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2), ("linf", 1)])
def test_a_target_is_reached_over_its_own_boundary(linear, norm: str, dual: int) -> None:
    weight = torch.randn(2, VALUES, generator=seeded(6)) * 0.5
    network, x = linear(weight), inner(6)
    logits = network(x)
    target = logits.argmin(dim=1)
    result = DeepFool(norm)(network, x, target, targeted=True)
    expected = 1.02 * (logits[:, 0] - logits[:, 1]).abs() / (weight[0] - weight[1]).norm(p=dual)
    assert torch.equal(result.labels, target)
    torch.testing.assert_close(getattr(result, norm), expected, rtol=1e-3, atol=1e-5)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(SettingError, match="at least two candidate"):
        DeepFool(candidates=1)
    with pytest.raises(SettingError, match="norm is 'l2' or 'linf'"):
        DeepFool("l1")
    with pytest.raises(SettingError, match="at least 1"):
        DeepFool(iterations=0)
