"""Straightness, iterates, Algorithm 1 line by line, one pattern on all: each against a known answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.fgsm import FGSM
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.experiments.algorithm_one import algorithm_one
from uap_core.experiments.iterates import step_rows
from uap_core.experiments.linearity import LogitRow, growth, logits_along, straight
from uap_core.experiments.pattern_alone import pattern_alone
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

GREY = torch.full((1, 3, SIDE, SIDE), 0.5)
EPSILON = 10 / 255


def weights() -> torch.Tensor:
    return torch.randn(2, VALUES, generator=seeded(0))


def image_set(count: int) -> ImageSet:
    return ImageSet("toys", pictures(count), ("a",) * count, tuple(map(str, range(count))))


def test_logits_of_a_linear_network_are_one_straight_line(linear) -> None:
    network = linear(weights())
    rows = logits_along(network, GREY)
    first = rows[0].label
    line = straight(rows, first, EPSILON)
    clean = network(GREY)[0]
    step = (weights()[1 - int(first)] - weights()[int(first)]).sign()  # what raises the loss of the clean label
    assert line.r2 == pytest.approx(1.0, abs=1e-6)
    assert line.slope == pytest.approx(float(weights()[int(first)] @ step), rel=1e-4)
    assert line.intercept == pytest.approx(float(clean.max()), abs=1e-4)
    assert next(row.epsilon for row in rows if row.label == first) == pytest.approx(-EPSILON)


def test_a_parabola_is_not_straight_and_a_level_is() -> None:
    parabola = [LogitRow(x / 10, "a", (x / 10) ** 2) for x in range(-10, 11)]
    assert straight(parabola, "a", 1).r2 == pytest.approx(0, abs=1e-12)
    assert straight([LogitRow(x, "a", 2.0) for x in (0, 1)], "a", 1).r2 == 1
    with pytest.raises(SettingError, match="two points"):
        straight(parabola, "b", 1)


def test_a_linear_network_loses_what_the_gradient_says_and_more_in_more_dimensions(linear) -> None:
    """epsilon ||w||_1, of sums over squares where these move together."""
    network = linear(weights())
    first, second = network(GREY)[0].topk(2).indices.tolist()
    w = (weights()[first] - weights()[second]).view(3, SIDE, SIDE)
    rows = growth(network, GREY, EPSILON, (1, 2, 4, 64))
    assert [row.squares for row in rows] == [1, 2, 4, SIDE]
    for row in rows:
        side = SIDE // row.squares
        of_squares = w.view(3, row.squares, side, row.squares, side).sum(dim=(2, 4))
        assert row.predicted == pytest.approx(EPSILON * float(of_squares.abs().sum()), rel=1e-4)
        assert row.real == pytest.approx(row.predicted, rel=1e-3)
    losses = [row.real for row in rows]
    assert losses == sorted(losses)


def test_one_iterate_as_long_as_epsilon_is_fgsm_and_the_clip_holds() -> None:
    network, x = smooth_network(0), pictures(1).float() / 255
    clean, one = step_rows(network, x, EPSILON, EPSILON, 1)
    fgsm = FGSM(EPSILON)(network, x, network(x).argmax(dim=1))
    assert (clean.step, clean.linf, clean.reached) == (0, 0, False)
    assert one.l2 == pytest.approx(float(fgsm.l2), rel=1e-5)
    assert network.labels[int(fgsm.labels)] == one.label
    rows = step_rows(network, x, EPSILON, EPSILON / 2, 5)
    assert [row.linf for row in rows] == pytest.approx([0, *(min(n / 2, 1) * EPSILON for n in range(1, 6))], abs=1e-6)
    assert rows[1].loss > rows[0].loss


def test_iterates_towards_a_target_descend_on_its_loss() -> None:
    network, x = smooth_network(0), pictures(1).float() / 255
    target = network(x).topk(2).indices[0, 1:]
    rows = step_rows(network, x, 0.5, 0.01, 40, Criterion.into(target))
    assert rows[-1].loss < rows[0].loss
    assert rows[-1].reached
    assert rows[-1].label == network.labels[int(target)]


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), 2.0])
def test_a_step_of_no_length_is_refused(alpha: float) -> None:
    with pytest.raises(SettingError, match="longer than 0"):
        step_rows(smooth_network(0), GREY, EPSILON, alpha, 3)


def test_line_by_line_it_is_the_algorithm_that_crafts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the same order, the same pattern as the method at batch size one and gain one."""
    monkeypatch.setattr("uap_core.crafting.state.State.next_batch", _in_order())
    network, images, ball = smooth_network(0), image_set(6), Ball("linf", EPSILON)
    moments = list(algorithm_one(network, images, ball, delta=0.0, passes=2))
    method = DeepFoolUAP(batch_size=1, gain=1.0, delta=0.0, passes=2)
    *_, crafted = method.craft(network, images.pixels, ball, seeded(0))
    torch.testing.assert_close(moments[-1].v, crafted.perturbation, rtol=0, atol=1e-6)
    assert moments[-1].image_gradients == crafted.image_gradients > 0
    assert moments[-1].v.abs().max() <= EPSILON + 1e-6


def _in_order():
    def next_batch(state, count: int, size: int) -> torch.Tensor:
        return torch.arange(count)[state.seen % count :][:size]

    return next_batch


def test_it_lights_the_lines_in_their_order_and_passes_over_who_is_fooled() -> None:
    network, images = smooth_network(0), image_set(5)
    moments = list(algorithm_one(network, images, Ball("linf", 0.2), delta=0.2, passes=3))
    lines = [moment.line for moment in moments]
    assert (lines[0], lines[1], lines[-1]) == ("start", "while", "return")
    for before, after in pairwise(lines):
        assert after in {"choose": ("smallest",), "smallest": ("project",), "return": ()}.get(before, (after,))
    assert "skip" in lines
    measured = [moment.rate.value for moment in moments if moment.rate]
    assert measured[0] == 0
    assert measured[-1] > 0.8
    assert all(rate <= 0.8 for rate in measured[:-1])


def test_what_algorithm_one_refuses() -> None:
    network, ball = smooth_network(0), Ball("linf", EPSILON)
    with pytest.raises(DatasetError, match="no images"):
        next(algorithm_one(network, image_set(2).prefix(0), ball))
    with pytest.raises(SettingError, match="radius above 0"):
        next(algorithm_one(network, image_set(2), Ball("linf", 0.0)))


def test_the_pattern_alone_is_judged_on_grey(linear) -> None:
    weight = torch.zeros(2, VALUES)
    weight[1] = 1.0
    network = linear(weight, torch.tensor([0.5 * VALUES + 4, 0.0]))
    up = Perturbation("up", torch.full((3, SIDE, SIDE), EPSILON), Ball("linf", EPSILON))
    alone = pattern_alone(network, up)
    assert (alone.grey, alone.label) == ("0", "1")
    assert alone.pixels[0, 0].tolist() == [138, 138, 138]
