from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from toys import SIDE, pictures, seeded

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.cos_uap import Cosine
from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem, clean_logits
from uap_core.crafting.spgd import SPGD, clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.errors import DatasetError, SettingError
from uap_core.models import bf16 as precision
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

LINF = Ball("linf", 10 / 255)


def mean_loss(network: Classifier, images: Tensor, v: Tensor) -> Tensor:
    return clipped_cross_entropy(network(images.float() / 255), network((images.float() / 255 + v).clamp(0, 1))).mean()


def test_the_clamp_is_in_the_gradient(smooth: Classifier) -> None:
    """Against central differences in float64, and exactly zero where x + v is outside [0,1]."""
    network = Classifier(nn.Sequential(*smooth.network), smooth.card, smooth.labels)
    images = pictures(6)
    images[:, 0], images[:, 1] = 0, 255
    v = (torch.rand(3, SIDE, SIDE, generator=seeded(3), dtype=torch.float64) - 0.5) * 0.2
    network.double()
    try:
        clean = network(images.double() / 255)
        problem = Problem((network,), images, LINF, Criterion(), (clean,))
        gradient = problem.gradient(clipped_cross_entropy, torch.arange(6), v)
        loss = lambda pattern: clipped_cross_entropy(clean, network((images.float() / 255 + pattern).clamp(0, 1))).mean()  # noqa: E731
        numeric = torch.zeros_like(v)
        for index in range(v.numel()):
            step = torch.zeros_like(v).view(-1)
            step[index] = 1e-6
            numeric.view(-1)[index] = (loss(v + step.view_as(v)) - loss(v - step.view_as(v))) / 2e-6
    finally:
        network.float()
    torch.testing.assert_close(gradient, numeric, rtol=1e-5, atol=1e-9)
    outside = torch.zeros_like(v, dtype=torch.bool)
    outside[0], outside[1] = v[0] < 0, v[1] > 0
    assert outside.any()
    assert not gradient[outside].any()
    assert gradient[~outside].abs().min() > 0


def test_a_batch_is_the_mean_of_its_images(smooth: Classifier) -> None:
    problem = Problem.pose([smooth], pictures(8), LINF)
    v = LINF.random_signs((3, SIDE, SIDE), seeded(1))
    whole = problem.gradient(clipped_cross_entropy, torch.tensor([1, 4, 6]), v)
    single = [problem.gradient(clipped_cross_entropy, torch.tensor([i]), v) for i in (1, 4, 6)]
    torch.testing.assert_close(whole, torch.stack(single).mean(dim=0))


def test_an_ensemble_descends_on_the_mean_or_on_the_worst(smooth: Classifier, other: Classifier) -> None:
    images, v = pictures(8), LINF.random_signs((3, SIDE, SIDE), seeded(1))
    alone = []
    for network in (smooth, other):
        u = v.clone().requires_grad_(True)
        loss = mean_loss(network, images, u)
        alone.append((float(loss.detach()), torch.autograd.grad(loss, u)[0]))
    mean, worst = (
        Problem.pose([smooth, other], images, LINF, ensemble=kind).gradient(clipped_cross_entropy, torch.arange(8), v)
        for kind in ("mean", "worst")
    )
    torch.testing.assert_close(mean, (alone[0][1] + alone[1][1]) / 2)
    torch.testing.assert_close(worst, max(alone, key=lambda pair: pair[0])[1])


def test_an_ensemble_fools_both_and_its_rate_counts_both(smooth: Classifier, other: Classifier) -> None:
    images, ball = pictures(40), Ball("linf", 0.15)
    *_, both = Default(budget=800).craft([smooth, other], images, ball, seeded(0))
    *_, one = Default(budget=800).craft(smooth, images, ball, seeded(0))
    assert both.image_gradients == 2 * one.image_gradients
    rates = []
    for v in (both.perturbation, one.perturbation):
        each = [Problem.pose([network], images, ball).rate(v) for network in (smooth, other)]
        rates.append((each[0].count, each[1].count))
    assert both.fooling_rate is not None
    assert (both.fooling_rate.count, both.fooling_rate.total) == (sum(rates[0]), 80)
    assert min(rates[0]) > rates[1][1], "the pattern made for one alone leaves the other be"


def test_what_cannot_be_posed_is_refused(smooth: Classifier, classifier: Classifier) -> None:
    with pytest.raises(SettingError, match="same size"):
        Problem.pose([smooth, classifier], pictures(2), LINF)
    with pytest.raises(SettingError, match="at least 0, not -1"):
        Criterion.into(-1)
    with pytest.raises(SettingError, match="no class 5"):
        Problem.pose([smooth], pictures(2), LINF, Criterion.into(5))
    with pytest.raises(SettingError, match="a network, or several"):
        Problem.pose([], pictures(2), LINF)
    with pytest.raises(DatasetError, match=r"takes images \(N,3,8,8\)"):
        Problem.pose([smooth], pictures(2, side=9), LINF)
    other_way_round = Classifier(smooth.network, smooth.card, smooth.labels[::-1])
    with pytest.raises(SettingError, match="no common target"):
        Problem.pose([smooth, other_way_round], pictures(2), LINF, Criterion.into(0))
    assert Problem.pose([smooth, other_way_round], pictures(2), LINF, Criterion.into(2))
    with pytest.raises(SettingError, match="'mean' or the 'worst'"):
        SPGD().craft(smooth, pictures(2), LINF, seeded(0), ensemble="median")


def test_the_worst_costs_one_backward_pass(smooth: Classifier, other: Classifier) -> None:
    passes = []
    handles = [n.network[1].register_full_backward_hook(lambda *_, n=n: passes.append(n.card.key)) for n in (smooth, other)]
    try:
        problem = Problem.pose([smooth, other], pictures(8), LINF, ensemble="worst")
        problem.gradient(clipped_cross_entropy, torch.arange(8), LINF.random_signs((3, SIDE, SIDE), seeded(1)))
    finally:
        for handle in handles:
            handle.remove()
    assert len(passes) == 1


def test_gradients_are_found_where_none_are_kept(smooth: Classifier) -> None:
    problem = Problem.pose([smooth], pictures(4), LINF)
    v = LINF.random_signs((3, SIDE, SIDE), seeded(1))
    with torch.no_grad():
        quiet = problem.gradient(clipped_cross_entropy, torch.arange(4), v)
    assert torch.equal(quiet, problem.gradient(clipped_cross_entropy, torch.arange(4), v))


def test_sixteen_bits_point_the_same_way_where_they_are_fast(smooth: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem.pose([smooth], pictures(16), LINF)
    v = LINF.random_signs((3, SIDE, SIDE), seeded(1))

    def gradient(wanted: bool, fast: bool) -> torch.Tensor:
        monkeypatch.setattr(precision, "has_fast_bf16", lambda: fast)
        return problem.gradient(clipped_cross_entropy, torch.arange(16), v, wanted)

    exact, rough = gradient(False, True), gradient(True, True)
    assert torch.equal(exact, gradient(True, False))  # emulated bits would take ten times as long
    assert rough.dtype == torch.float32
    assert not torch.equal(exact, rough)
    assert torch.nn.functional.cosine_similarity(exact.flatten(), rough.flatten(), dim=0) > 0.99


def test_images_of_the_target_are_no_success(linear) -> None:
    """Class 1 is where the first value is above a half: pushing it up converts the rest, and does nothing to those there."""
    weight = torch.zeros(2, 192)
    weight[1, 0] = 1.0
    network = linear(weight, torch.tensor([0.5, 0.0]))
    images = torch.full((4, 3, SIDE, SIDE), 120, dtype=torch.uint8)
    images[:3, 0, 0, 0] = 200
    problem = Problem.pose([network], images, LINF, Criterion.into(1))
    v = torch.full((3, SIDE, SIDE), 10 / 255)
    assert (problem.rate(v).count, problem.rate(v).total) == (1, 1)
    assert (problem.held_to(None, v).count, problem.held_to(None, v).total) == (1, 4)


def test_no_pattern_fools_nobody(classifier: Classifier) -> None:
    images = pictures(130, side=64)  # more than one batch of measurement
    assert Problem.pose([classifier], images, LINF).rate(torch.zeros(3, 64, 64)).count == 0


def test_cosine_needs_more_than_zero_to_begin(smooth: Classifier) -> None:
    problem = Problem.pose([smooth], pictures(8), LINF)
    at_zero = problem.gradient(lambda a, b: Cosine.loss(a, b, None), torch.arange(8), torch.zeros(3, SIDE, SIDE))
    begun = Cosine().begin(problem, seeded(0)).pattern
    there = problem.gradient(lambda a, b: Cosine.loss(a, b, None), torch.arange(8), begun)
    assert at_zero.abs().max() < 1e-3 * there.abs().max()


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 40), size=st.integers(1, 45), seed=st.integers(0, 99))
def test_batches_hold_no_image_twice_and_leave_nobody_out(count: int, size: int, seed: int) -> None:
    state = State(torch.zeros(3, 2, 2), seeded(seed))
    batches = [state.next_batch(count, size) for _ in range(3 * count)]
    assert all(len(set(batch.tolist())) == len(batch) == min(size, count) for batch in batches)
    seen = torch.cat(batches).tolist()
    whole = len(seen) // count
    for index in range(whole):
        if count % min(size, count) == 0:
            assert sorted(seen[index * count : (index + 1) * count]) == list(range(count))
    counts = torch.bincount(torch.tensor(seen), minlength=count)
    assert counts.max() - counts.min() <= 2, "every image is seen as often as every other"


def test_clean_logits_are_those_of_the_network(smooth: Classifier) -> None:
    torch.testing.assert_close(Problem.pose([smooth], pictures(9), LINF).clean[0], clean_logits(smooth, pictures(9)))
