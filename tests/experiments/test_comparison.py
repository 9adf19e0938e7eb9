from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from clocks import Clock
from toys import SIDE, pictures, seeded, smooth_network

from uap_core.attacks import run as attack_run
from uap_core.attacks.menu import ANY, BASELINES, FOOLED, HELD, INTO, LEAST, MENU, RUNNER_UP, SIGNS, TARGET, UNIVERSAL
from uap_core.errors import SettingError
from uap_core.experiments import compare as comparison
from uap_core.experiments.compare import Bout, Contender, compare
from uap_core.images.reading import from_array
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

NETWORK = smooth_network(0, spread=0.3)
IMAGE = pictures(1, seed=3).float() / 255
BALL = Ball("linf", 10 / 255)
PATTERN = Perturbation("pattern", BALL.random_signs((3, SIDE, SIDE), seeded(9)), BALL)
SEEN = int(NETWORK(IMAGE).argmax())
OTHER = int(NETWORK(IMAGE).argsort(descending=True)[0, 2])


def finished(keys: list[str], bout: Bout | None = None, judge: Classifier | None = None) -> dict[str, Contender]:
    return {row.key: row for row in compare(NETWORK, IMAGE, PATTERN, keys, bout, judge) if row.done}


@pytest.mark.parametrize("goal", [ANY, TARGET, LEAST])
def test_every_row_says_what_its_picture_does(goal: str) -> None:
    bout = Bout(goal, OTHER if goal == TARGET else None)
    keys = [*BASELINES, *MENU]
    rows = finished(keys, bout)
    assert list(rows) == keys
    wanted = {TARGET: OTHER, LEAST: int(NETWORK(IMAGE).argmin())}.get(goal)
    for row in rows.values():
        png = NETWORK.labels[int(NETWORK(from_array(row.picture)).argmax())]
        assert row.png_label == png
        change = (128 / 255 + from_array(row.picture) - IMAGE).clamp(0, 1)
        assert row.alone == NETWORK.labels[int(NETWORK(change).argmax())]
        assert (row.png_verdict == HELD) == (png == NETWORK.labels[SEEN])
        assert (row.verdict == HELD) == (row.label == NETWORK.labels[SEEN])
        assert row.at_home is None
        if wanted is not None and row.key not in BASELINES:
            assert (row.aim, row.into) == (goal, NETWORK.labels[wanted])
            assert (row.verdict == INTO) == (row.label == NETWORK.labels[wanted])
        else:
            assert row.verdict in (FOOLED, HELD) or row.aim == RUNNER_UP
            assert bool(row.into) == (row.aim == RUNNER_UP)
        change = row.picture.astype(float) - (IMAGE[0].permute(1, 2, 0) * 255).round().numpy()
        assert abs(np.abs(change).max() - row.linf * 255) <= 0.51, "the picture is the exact one, rounded"
        assert row.queries >= 1
    assert sum(row.verdict != HELD for row in rows.values()) >= 8


def test_matched_attacks_keep_epsilon_and_so_do_their_files() -> None:
    rows = finished([*BASELINES, *MENU])
    for key, row in rows.items():
        if key in BASELINES or MENU[key].bounded:
            assert row.within
            assert np.abs(row.picture - (IMAGE[0].permute(1, 2, 0) * 255).round().numpy()).max() <= 10
        else:
            assert row.within == (row.linf <= 10 / 255 + 1e-6)


@pytest.mark.parametrize("key", ["fgsm", "iterates", UNIVERSAL])
def test_the_smallest_epsilon_is_near_the_boundary(key: str) -> None:
    """It works there, and not at half of it."""
    network = smooth_network(0)  # far from its boundaries
    bout = Bout(matched=False)
    row = next(row for row in compare(network, IMAGE, PATTERN, [key], bout) if row.done)
    if row.verdict == HELD:
        assert row.linf == pytest.approx(32 / 255, abs=1e-6)
        return
    at_half = PATTERN.scaled_to(row.linf / 2)
    half = next(row for row in compare(network, IMAGE, at_half, [key]) if row.done)
    assert row.linf < 32 / 255
    assert half.verdict == HELD
    assert row.within is None


def test_a_bisection_counts_every_try() -> None:
    once, searched = finished(["fgsm"])["fgsm"], finished(["fgsm"], Bout(matched=False))["fgsm"]
    assert (once.gradients, once.queries) == (1, 2)
    assert (searched.gradients, searched.queries) == (8, 16)


def test_another_network_judges() -> None:
    judge = smooth_network(1, spread=0.3)
    row = finished(["carlini-wagner"], judge=judge)["carlini-wagner"]
    assert row.at_home is True
    label = judge.labels[int(judge(from_array(row.picture)).argmax())]
    assert row.png_label == label
    assert (row.verdict == HELD) == (row.label == judge.labels[int(judge(IMAGE).argmax())])


def test_what_shall_fool_another_network_takes_all_its_steps() -> None:
    judge = smooth_network(1, spread=0.3)
    assert finished(["iterates"], judge=judge)["iterates"].gradients == 10
    assert finished(["iterates"])["iterates"].gradients < 10


def test_rows_stream_and_their_time_is_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass takes 2 s; whoever watches takes 100, which are not the attack's."""
    clock = Clock()
    for module in (comparison, attack_run):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(attack_run.AttackRun, "logits", clock.taking(2, attack_run.AttackRun.logits))
    monkeypatch.setattr(comparison, "SECONDS_BETWEEN", 0.0)
    rows = []
    for row in compare(NETWORK, IMAGE, PATTERN, ["carlini-wagner"]):
        rows.append(row)
        clock.sleep(100)
    assert len(rows) > 20
    assert [row.done for row in rows] == [False] * (len(rows) - 1) + [True]
    assert all(row.seconds == 2 * row.queries for row in rows)
    sizes = [row.l2 for row in rows if row.verdict != HELD]
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_seed_gives_the_same_rows() -> None:
    keys = [SIGNS, "pgd", "square"]
    first, again, other = (finished(keys, Bout(seed=seed)) for seed in (1, 1, 2))
    assert all((first[key].picture == again[key].picture).all() for key in keys)
    assert any((first[key].picture != other[key].picture).any() for key in keys)


def test_what_cannot_be_done_is_said() -> None:
    def run(keys: list[str], bout: Bout | None = None, judge: Classifier | None = None) -> None:
        list(compare(NETWORK, IMAGE, PATTERN, keys, bout, judge))

    with pytest.raises(SettingError, match="already sees"):
        run(["fgsm"], Bout(TARGET, SEEN))
    with pytest.raises(SettingError, match="Choose the class"):
        run(["fgsm"], Bout(TARGET))
    with pytest.raises(SettingError, match="has classes 0 to 4, and none of number 99"):
        run(["fgsm"], Bout(TARGET, 99))
    with pytest.raises(SettingError, match="no attack 'guess'"):
        run(["guess"])
    stranger = smooth_network(1, classes="fghij")
    stranger.card = replace(stranger.card, name="Stranger")
    with pytest.raises(SettingError, match="Stranger cannot judge"):
        run(["fgsm"], judge=stranger)


def test_an_l2_pattern_beside_attacks_in_l_inf() -> None:
    ball = Ball("l2", 2.0)
    pattern = Perturbation("pattern", ball.random_signs((3, SIDE, SIDE), seeded(9)), ball)
    rows = {row.key: row for row in compare(NETWORK, IMAGE, pattern, [UNIVERSAL, SIGNS, "fgsm"]) if row.done}
    assert rows[SIGNS].l2 == pytest.approx(2.0, rel=0.2)  # the box takes a little away
    assert rows["fgsm"].linf == pytest.approx(10 / 255, abs=1e-6)


def test_rows_say_what_they_may_spend_and_keep_to_it() -> None:
    rows = finished(["fgsm", "iterates", "square", "carlini-wagner", "carlini-wagner-l0", "lbfgs"])
    assert [str(row.budget) for row in rows.values()] == [
        *("None", "10 steps", "200 queries", "3 x 15 iterations", "24 x 15 iterations", "6 x 10 iterations")
    ]
    assert rows["iterates"].gradients <= 10
    assert rows["square"].queries <= 200
    assert rows["carlini-wagner"].gradients <= 3 * 15 + 1  # and one to see where to begin


def test_efforts_are_iterations() -> None:
    longer = set()
    for key, item in MENU.items():
        with torch.no_grad():
            quick, thorough = item.build(10 / 255, 1, False), item.build(10 / 255, 4, False)
        assert type(quick) is type(thorough)
        longer |= {key} if quick != thorough else set()
    assert {"iterates", "pgd", "momentum", "square", "lbfgs", "penalty", "hinge"} <= longer
    assert {"carlini-wagner", "carlini-wagner-linf", "carlini-wagner-l0"} <= longer
