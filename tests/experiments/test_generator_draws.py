"""What is measured of a generator: places of the polygon, draws, walks, against counts by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toys import convolutional_network, normalised_network, pictures, seeded

from uap_core.experiments.generator_draws import (
    Sight,
    any_of,
    blends,
    corners,
    draws,
    middles,
    pattern_row,
    place_codes,
    place_rows,
    places,
    transfer_row,
    walks,
)
from uap_core.norms import Ball
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.perturbations.generators import PatternGenerator


@pytest.fixture(scope="module")
def made() -> PatternGenerator:
    shape = GeneratorShape(4 + 3, 8, 8, 4)
    weights, statistics = shape.start(seeded(1))
    return PatternGenerator(shape, Ball("linf", 0.2), ("a", "c", "d"), weights, statistics)


@pytest.fixture(scope="module")
def sight() -> Sight:
    return Sight.on(convolutional_network(), pictures(30))


@pytest.mark.parametrize("count", [3, 4, 6])
def test_places_fill_the_polygon_from_the_middle_to_every_corner(count: int) -> None:
    found, ends = places(count), corners(count)
    assert len(found) == 1 + count * 10
    assert len({(x, y) for x, y, _mix in found}) == len(found)
    assert all(sum(mix) == pytest.approx(1, abs=1e-4) and min(mix) >= 0 for _x, _y, mix in found)
    reached = [(x, y) for x, y, mix in found if max(mix) > 0.999]
    assert sorted(reached) == sorted((round(x, 4), round(y, 4)) for x, y in ends)
    rim = [mix for _x, _y, mix in found if sum(share > 1e-6 for share in mix) <= 2]
    assert len(rim) == 4 * count, "on the rim two neighbours share"


def test_draws_are_counted(made: PatternGenerator, sight: Sight) -> None:
    row = draws("toy", made, sight, seed=2, count=6)
    patterns = made.patterns(made.codes(6, seeded(1002)))
    rates = [sight.fooled(v).value for v in patterns]
    assert (row.generator, row.seed, row.draws) == ("toy", 2, 6)
    assert (row.mean, row.lowest, row.highest) == pytest.approx((sum(rates) / 6, min(rates), max(rates)), abs=1e-4)
    aims = [sight.network.index_of(label) for label in made.labels]
    hits = [float((sight.answers(v) == aims[i % 3]).double().mean()) for i, v in enumerate(patterns)]
    assert row.aimed == pytest.approx(sum(hits) / 6, abs=1e-4)
    assert 1 <= row.dominant <= 5
    assert -1 <= row.cosine <= 1
    assert 0 <= row.agreement <= 1
    answers = [sight.answers(v) for v in patterns]
    alike = {(a, b): float((answers[a] == answers[b]).double().mean()) for a in range(6) for b in range(a)}
    other = [share for (a, b), share in alike.items() if a % 3 != b % 3]
    assert row.agreement == pytest.approx(sum(alike.values()) / 15, abs=1e-4)
    assert row.between == pytest.approx(sum(other) / 12, abs=1e-4)


def test_one_pattern_only_is_called_so(sight: Sight) -> None:
    shape = GeneratorShape(4, 8, 8, 4)
    weights, statistics = shape.start(seeded(1))
    weights[: 4 * 4 * 4 * 4] = 0  # what the code meets first
    row = draws("collapsed", PatternGenerator(shape, Ball("linf", 0.2), (), weights, statistics.fill_(0.5)), sight, 0, 5)
    assert (row.deviation, row.dominant, row.agreement, row.between) == (0, 1, 1, 1)


def test_places_walks_and_corners(made: PatternGenerator, sight: Sight) -> None:
    rows = list(place_rows(made, sight))
    codes = place_codes(made, torch.tensor([row.mix for row in rows]))
    assert torch.equal(codes[0, :4], codes[-1, :4]), "the same noise everywhere"
    assert rows[0].fooled == sight.fooled(made.patterns(codes[:1])[0])
    ways = {row.name: row.fooled for row in walks(made, sight)}
    halves = {row.name: row.fooled for row in middles(made, sight)}
    assert list(ways) == list(halves) == ["a, c", "a, d", "c, d"]
    assert halves["a, d"] == sight.fooled(made.patterns(place_codes(made, torch.tensor([[0.5, 0, 0.5]])))[0])
    assert all(ways[name].value <= halves[name].value for name in ways)


def test_draws_on_another_network_are_counted(made: PatternGenerator, sight: Sight) -> None:
    """Of the very draws that its own network is measured by."""
    other = Sight.on(normalised_network(), pictures(30))
    row = transfer_row("toy", made, other, seed=2, count=6)
    rates = [other.fooled(v).value for v in made.patterns(made.codes(6, seeded(1002)))]
    assert (row.generator, row.seed, row.network, row.draws) == ("toy", 2, other.network.card.key, 6)
    assert (row.mean, row.lowest) == pytest.approx((sum(rates) / 6, min(rates)), abs=1e-4)
    assert row.deviation == pytest.approx(float(torch.tensor(rates).std()), abs=1e-4)
    own = transfer_row("toy", made, sight, seed=2, count=6)
    assert (own.mean, own.lowest) == (draws("toy", made, sight, 2, 6).mean, draws("toy", made, sight, 2, 6).lowest)


@pytest.mark.parametrize("ball", [Ball("linf", 0.2), Ball("l2", 2.0)], ids=str)
def test_a_blend_is_half_of_each_and_fills_the_ball(sight: Sight, ball: Ball) -> None:
    patterns = {name: ball.random_signs((3, 8, 8), seeded(i)) for i, name in enumerate("abc")}
    rows = list(blends("blend", patterns, ball, sight))
    assert [row.name for row in rows] == ["a, b", "a, c", "b, c"]
    half = (patterns["a"] + patterns["c"]) / 2
    assert rows[1].fooled == sight.fooled(ball.fill(half))


def test_crafted_patterns_are_counted_like_draws(made: PatternGenerator, sight: Sight) -> None:
    patterns = made.patterns(made.codes(4, seeded(0)))
    row = pattern_row("crafted", patterns, sight, 0)
    assert (row.draws, row.aimed, row.between) == (4, 0, row.agreement)


@pytest.mark.parametrize(
    ("ball", "names"), [(Ball("linf", 10 / 255), (4, 6, 8, 10)), (Ball("l2", 5.0), (510, 765, 1020, 1275))]
)
def test_smaller_strengths_are_shares_of_the_radius(
    made: PatternGenerator, sight: Sight, ball: Ball, names: tuple[int, ...]
) -> None:
    """Whatever the norm: at the full radius the best corner fools what the corner itself fools."""
    own = replace(made, ball=ball)
    found = {(row.kind, row.name): row.fooled for row in any_of(own, sight)}
    assert [name for kind, name in found if kind == "best corner"] == [f"{name}/255" for name in names]
    corner_patterns = own.patterns(place_codes(own, torch.eye(3)))
    for share, name in zip((0.4, 0.6, 0.8, 1), names, strict=True):
        changed = torch.stack([sight.answers(v * share) for v in corner_patterns]) != sight.clean
        assert found["best corner", f"{name}/255"].count == max(changed.sum(dim=1))
        assert found["any corner", f"{name}/255"].count == changed.any(dim=0).sum()
    assert found["any corner", f"{names[-1]}/255"].count > 0
