"""The game of digits and the network that changes them: resumed to the same result, whole files, said when it diverges."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from uap_core.datasets.digits import draw
from uap_core.errors import SettingError
from uap_core.experiments import digit_attack as experiment
from uap_core.experiments.digit_attack import told_apart
from uap_core.training import digit_attack, digit_game
from uap_core.training.digit_attack import AttackRecipe, Changer, learn_digits, learn_to_change, margin, size, small_classifier
from uap_core.training.digit_game import GameRecipe, play

SHORT = GameRecipe(steps=6, batch_size=8)


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    return draw(200, 0)


@pytest.fixture(autouse=True)
def saved_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digit_game, "SAVE", 3)
    monkeypatch.setattr(digit_attack, "SAVE", 3)


def test_a_stopped_game_goes_on_to_the_same_result(digits: tuple, tmp_path: Path) -> None:
    whole = list(play(digits[0], SHORT, tmp_path / "whole"))
    next(play(digits[0], SHORT, tmp_path / "stopped"))
    rest = list(play(digits[0], SHORT, tmp_path / "stopped"))
    assert [row.step for row, _maker in whole] == [3, 6]
    assert [row for row, _maker in rest] == [whole[-1][0]]
    assert torch.equal(rest[-1][1].weights, whole[-1][1].weights)
    assert not list(tmp_path.glob(".*")), "nothing half written stays"
    ((end, maker),) = play(digits[0], SHORT, tmp_path / "stopped")
    assert end == whole[-1][0], "a finished one tells its end"
    assert torch.equal(maker.weights, whole[-1][1].weights)
    with pytest.raises(SettingError, match="another training"):
        next(play(digits[0], GameRecipe(steps=6, batch_size=8, seed=1), tmp_path / "stopped"))


def test_a_killed_save_leaves_the_last_whole_file(digits: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "game"
    game = play(digits[0], SHORT, state)
    next(game)
    before = state.read_bytes()

    def killed(_value: object, out: object) -> None:
        out.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr("uap_core.training.checkpoints.torch.save", killed)
    with pytest.raises(KeyboardInterrupt):
        next(game)
    assert state.read_bytes() == before
    assert list(tmp_path.iterdir()) == [state]


def test_rates_too_high_are_said(digits: tuple, tmp_path: Path) -> None:
    wild = GameRecipe(steps=6, batch_size=8, rate=1e38, judge_rate=1e38)
    with pytest.raises(SettingError, match="rates are too high"):
        list(play(digits[0], wild, tmp_path / "wild"))
    assert not (tmp_path / "wild").exists()


def test_made_digits_are_pictures(digits: tuple, tmp_path: Path) -> None:
    *_before, (_row, maker) = play(digits[0], SHORT, tmp_path / "game")
    made = maker(torch.zeros(3, 16))
    assert made.shape == (3, 1, 28, 28)
    assert 0 <= made.min() <= made.max() <= 1


def test_changes_are_bounded_and_learn_to_fool(digits: tuple, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    classifier = small_classifier(generator)
    learn_digits(classifier, *digits, 60, generator)
    right = classifier(digits[0]).argmax(dim=1) == digits[1]
    assert right.double().mean() > 0.8
    recipe = AttackRecipe(judged=0.0, sized=0.1, steps=30, batch_size=32, rate=1e-2)
    *_before, (_step, changer) = learn_to_change(*digits, classifier, recipe, tmp_path / "changer")
    ((step, again),) = learn_to_change(*digits, classifier, recipe, tmp_path / "changer")
    assert step == recipe.steps
    assert torch.equal(again(digits[0]), changer(digits[0]))
    with torch.no_grad():
        changed = changer(digits[0])
        untaught = Changer(torch.Generator().manual_seed(5))(digits[0])
    assert (changed - digits[0]).abs().max() <= digit_attack.BOUND + 1e-6
    assert 0 <= changed.min() <= changed.max() <= 1
    errs = [float((classifier(x).argmax(dim=1) != digits[1]).double().mean()) for x in (changed, untaught)]
    assert errs[0] > max(0.5, errs[1])


def test_margin_and_size_by_hand() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 5.0, 1.0]])
    assert margin(logits, torch.tensor([0, 0])).tolist() == [4.0, 0.0]
    moved = torch.zeros(1, 1, 28, 28)
    moved[0, 0, 0, :2] = torch.tensor([0.3, 0.4])
    assert float(size(moved, torch.zeros(1, 1, 28, 28))) == pytest.approx(0.5, abs=1e-6)


def test_a_fresh_judge_tells_what_differs_and_guesses_what_does_not(digits: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "FRESH", 40)
    images = digits[0]
    other = 1 - images
    assert told_apart((images[:100], other[:100]), (images[100:], other[100:])).value > 0.95
    assert told_apart((images[:100], images[:100]), (images[100:], images[100:])).value < 0.7


def test_the_attacks_are_measured_with_and_without_the_judge_and_beside_noise(
    digits: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "FRESH", 3)
    held_out = draw(100, 1)
    rows, changed = zip(*experiment.attack_rows(digits, held_out, AttackRecipe(steps=3, batch_size=8), tmp_path), strict=True)
    assert [row.name for row in rows] == [experiment.WITH, experiment.WITHOUT, experiment.NOISE]
    assert all(some.shape == held_out[0].shape and 0 <= some.min() <= some.max() <= 1 for some in changed)
    assert 0 < rows[2].l2 <= rows[0].l2 + 1e-3, "of the same size, before it is clamped"
