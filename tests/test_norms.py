from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import uap_core
from uap_core.errors import SettingError
from uap_core.norms import L2, LINF, Ball, in_levels, measure, of_levels, on_grid, quantise, to_levels

SHAPE = (3, 5, 7)
FEW = settings(max_examples=60, deadline=None)
powers = st.floats(-6, 6)
seeds = st.integers(0, 9999)


@st.composite
def balls(draw: st.DrawFn) -> Ball:
    p = draw(st.sampled_from([LINF, L2]))
    return Ball(p, draw(st.just(0.0) | st.floats(1e-4, 1 if p == LINF else 20)))


def noise(seed: int, scale: float = 1.0, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def size(v: Tensor, ball: Ball) -> float:
    norms = measure(v)
    return norms.linf if ball.p == LINF else norms.l2


@FEW
@given(ball=balls(), seed=seeds, power=powers)
def test_projection_lies_inside_and_is_idempotent(ball: Ball, seed: int, power: float) -> None:
    once = ball.project(noise(seed, 10**power))
    assert size(once, ball) <= ball.radius * (1 + 1e-6) + 1e-12
    assert torch.allclose(ball.project(once), once, rtol=3e-6, atol=0)


@FEW
@given(ball=balls(), seed=seeds)
def test_projection_leaves_inner_points_alone(ball: Ball, seed: int) -> None:
    v = noise(seed)
    inner = v * (0.99 * ball.radius / size(v, ball))
    assert torch.equal(ball.project(inner), inner)


@FEW
@given(ball=balls(), seed=seeds)
def test_projection_is_the_nearest_point(ball: Ball, seed: int) -> None:
    """No other point of the ball that we try lies nearer."""
    v = noise(seed, 3.0)
    nearest = (v - ball.project(v)).norm()
    for other in range(5):
        rival = ball.project(ball.project(v) + noise(seed + 1 + other, 0.1 * ball.radius))
        assert nearest <= (v - rival).norm() * (1 + 1e-5) + 1e-5


def test_l2_projects_every_image_by_itself() -> None:
    ball = Ball(L2, 1.0)
    pair = torch.stack([noise(0, 1e-3), noise(1, 10.0)])
    projected = ball.project(pair)
    assert torch.equal(projected[0], pair[0])
    assert projected[1].norm().item() == pytest.approx(1.0, rel=1e-5)
    assert torch.equal(projected[1], ball.project(pair[1]))


@FEW
@given(ball=balls(), seed=seeds, power=st.floats(-32, 6))
def test_fill_reaches_the_surface_whatever_the_scale(ball: Ball, seed: int, power: float) -> None:
    """Gradients of a very sure network are tiny; their direction still counts."""
    direction = noise(seed, 10**power)
    filled = ball.fill(direction)
    assert size(filled, ball) == pytest.approx(ball.radius, rel=1e-5, abs=1e-9)
    assert torch.equal(filled.sign(), direction.sign() * (ball.radius > 0))


def test_fill_of_nothing_is_nothing() -> None:
    for p in (LINF, L2):
        assert not Ball(p, 0.5).fill(torch.zeros(SHAPE)).any()


@pytest.mark.parametrize("p", [LINF, L2])
def test_random_signs(p: str) -> None:
    ball = Ball(p, 0.1)
    first = ball.random_signs(SHAPE, torch.Generator().manual_seed(3))
    assert torch.equal(first, ball.random_signs(SHAPE, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, ball.random_signs(SHAPE, torch.Generator().manual_seed(4)))
    assert size(first, ball) == pytest.approx(0.1, rel=1e-5)
    assert first.abs().unique().numel() == 1
    assert 0.3 < (first > 0).float().mean() < 0.7


@FEW
@given(ball=balls(), seed=seeds, reach=st.floats(0, 1))
def test_quantised_image_lies_on_the_grid_and_in_the_ball(ball: Ball, seed: int, reach: float) -> None:
    clean = (torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(seed)) * 255).round() / 255
    v = ball.project(noise(seed + 1, max(ball.radius, 1e-3) * reach * 2, (2, *SHAPE)))
    adversarial = (clean + v).clamp(0, 1)
    stored = quantise(clean, adversarial, ball)
    levels = stored * 255
    assert (levels - levels.round()).abs().max() < 1e-3
    assert stored.min() >= 0
    assert stored.max() <= 1
    for one, start in zip(stored, clean, strict=True):
        assert size(one - start, ball) <= ball.radius + 2e-5
    assert (stored - adversarial).abs().max() <= 1.01 / 255  # the next level at most


def test_quantise_rounds_where_the_ball_allows_and_towards_clean_where_not() -> None:
    clean = torch.full((1, 3, 1, 1), 100 / 255)
    near = clean + 7.6 / 255
    assert (quantise(clean, near) * 255).unique().tolist() == pytest.approx([108.0])
    assert (quantise(clean, near, Ball(LINF, 8 / 255)) * 255).unique().tolist() == pytest.approx([108.0])
    assert (quantise(clean, near, Ball(LINF, 7.6 / 255)) * 255).unique().tolist() == pytest.approx([107.0])
    assert (quantise(clean, clean - 7.6 / 255, Ball(LINF, 7.6 / 255)) * 255).unique().tolist() == pytest.approx([93.0])


def test_quantise_keeps_the_l2_ball_image_by_image() -> None:
    clean = torch.full((2, 3, 4, 4), 100 / 255)
    adversarial = clean + torch.tensor([7.6, 7.4]).view(2, 1, 1, 1) / 255
    ball = Ball(L2, float((adversarial - clean)[0].norm()) + 1e-6)
    levels = quantise(clean, adversarial, ball) * 255
    assert [image.unique().tolist() for image in levels] == [pytest.approx([107.0]), pytest.approx([107.0])]
    assert (quantise(clean, adversarial) * 255)[0].unique().tolist() == pytest.approx([108.0])


def test_quantise_at_epsilon_zero_changes_nothing() -> None:
    clean = torch.arange(256).float().view(1, 1, 16, 16).expand(1, 3, 16, 16) / 255
    assert torch.equal(quantise(clean, clean, Ball(LINF, 0)), clean)


@pytest.mark.parametrize(
    ("text", "radius"),
    [("10/255", 10 / 255), ("0.04", 0.04), (" 8 / 255 ", 8 / 255), ("0", 0.0), ("1e-2", 0.01), ("255/255", 1.0)],
)
def test_parse(text: str, radius: float) -> None:
    assert Ball.parse(text) == Ball(LINF, radius)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ten", "typed like 10/255"),
        ("", "typed like 10/255"),
        ("10/", "typed like 10/255"),
        ("10/0", "typed like 10/255"),
        ("10/255/2", "typed like 10/255"),
        ("1/2; import os", "typed like 10/255"),
        ("-1/255", "not negative"),
        ("nan", "must be a number"),
        ("inf", "must be a number"),
        ("10", "at most 255/255"),
    ],
)
def test_parse_refuses(text: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Ball.parse(text)


def test_l2_may_exceed_one_and_shows_both_scales() -> None:
    ball = Ball.parse("2000/255", L2)
    assert ball.radius == pytest.approx(7.843, abs=1e-3)
    assert str(ball) == "l2 2000/255 = 7.843"
    assert str(Ball.parse("10/255")) == "l_inf 10/255"


def test_unknown_norm() -> None:
    with pytest.raises(SettingError, match="norm must be"):
        Ball("l1", 1.0)


def test_measure() -> None:
    difference = torch.zeros(1, 3, 2, 2)
    difference[0, 0, 0, 0], difference[0, 1, 0, 0] = 0.3, -0.4
    norms = measure(difference)
    assert (norms.linf, norms.l2, norms.changed) == (pytest.approx(0.4), pytest.approx(0.5), pytest.approx(2 / 12))


@given(seed=st.integers(0, 2**20), ball=st.sampled_from([Ball("linf", 10 / 255), Ball("linf", 4.5 / 255), Ball("l2", 0.6)]))
@settings(max_examples=40)
def test_on_grid_keeps_the_ball_and_stays_near(seed: int, ball: Ball) -> None:
    v = ball.fill(torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(seed)))
    found = on_grid(v, ball)
    levels = found * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert (found.double().abs().max() if ball.p == "linf" else found.double().norm()) <= ball.radius * (1 + 1e-6)
    assert float((found - v).abs().max()) * 255 <= 1.5  # half a level of rounding, and what shortening takes
    assert torch.equal(on_grid(found, ball), found)


def test_on_grid_rounds_to_the_nearest_level() -> None:
    v = torch.tensor([2.4, -2.6, 9.6]).reshape(3, 1, 1) / 255
    assert (on_grid(v, Ball("linf", 10 / 255)) * 255).round().flatten().tolist() == [2, -3, 10]
    assert (on_grid(v, Ball("linf", 9.6 / 255)) * 255).round().flatten().tolist() == [2, -3, 9]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("8", r"at most 255/255.* Did you mean 8/255\?"),
        ("0.03/255", r"changes no pixel\. Did you mean 0\.03,"),
        ("0.00015", r"of 0\.03825/255 changes no pixel\. Did you mean 0\.03825,"),
        ("500", "move further"),
    ],
)
def test_an_epsilon_of_the_other_unit_is_refused_with_what_was_meant(text: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Ball.parse(text)


def test_an_epsilon_divided_twice_is_refused_where_a_pattern_is_made_or_an_attack_named() -> None:
    network, images = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)), torch.rand(4, 3, 4, 4)
    sentence = r"of 0\.0392157/255 changes no pixel\. Did you mean 0\.03922, which is 10/255\?"
    for make in (uap_core.craft, uap_core.attack):
        with pytest.raises(SettingError, match=sentence):
            make(network, images, epsilon=10 / 255 / 255)


@pytest.mark.parametrize(
    ("levels", "size", "text"), [(10, 10 / 255, "10/255"), (2000, 2000 / 255, "2000/255"), (0.5, 0.5 / 255, "0.5/255")]
)
def test_255ths_and_units_of_one_are_two_scales_of_one_size(levels: float, size: float, text: str) -> None:
    assert of_levels(levels) == size
    assert to_levels(size) == pytest.approx(levels)
    assert in_levels(size) == text
    assert Ball.parse(in_levels(size), L2).radius == size


@pytest.mark.parametrize("radius", [10 / 255, 0.03])
def test_an_l2_epsilon_of_which_nothing_would_be_seen(radius: float) -> None:
    """Spread over 3 * 224 * 224 values, 10/255 changes each by a fortieth of a level."""
    with pytest.raises(SettingError, match=r"spread over a whole picture\. Did you mean l_inf, or some 1980/255\?"):
        Ball(L2, radius).check_seen((224, 224))
    Ball(L2, 2000 / 255).check_seen((224, 224))
    Ball(L2, 0.0).check_seen((224, 224))
    with pytest.raises(SettingError, match="spread over a whole picture"):
        uap_core.craft(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)), torch.rand(4, 3, 4, 4), 0.002, "l2")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: uap_core.FGSM(0.03 / 255), r"of 0\.03/255 changes no pixel\. Did you mean 0\.03,"),
        (lambda: uap_core.PGD(8 / 255 / 255), r"Did you mean 0\.03137, which is 8/255\?"),
        (lambda: uap_core.PGD(8 / 255, alpha=2), r"beyond black and white\. Did you mean 2/255\?"),
        (lambda: uap_core.Square(8), r"Did you mean 8/255\?"),
        (lambda: uap_core.load_perturbation("resnet64-linf10").scaled_to(8), r"Did you mean 8/255\?"),
        (lambda: uap_core.Ball("linf", 256 / 255), "pixels cannot move further.$"),
    ],
)
def test_sizes_in_the_other_unit_are_refused_wherever_they_are_stated(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        make()


def test_an_l2_epsilon_that_no_picture_can_reach() -> None:
    """sqrt(3 * 64 * 64) = 110.9: every value changed by all levels."""
    with pytest.raises(SettingError, match=r"64 x 64 pixels .* of 2000; the largest has\s110\.9\. Did you mean 2000/255\?"):
        Ball(L2, 2000.0).check_reach((64, 64))
    Ball(L2, 110.8).check_reach((64, 64))
    Ball(LINF, 1.0).check_reach((1, 1))
