"""The dots: what becomes of each photograph at each strength."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.epsilon_sweep import SweepRow
from uap_core.experiments.networks import SWEPT
from uap_core.experiments.outcomes import CLEAN, NOISE, PATTERN, OutcomeRow, bits_of, hexadecimal, outcomes, strengths
from uap_core.io.paths import RESULTS
from uap_core.io.results import read_table
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

SIDE = 8
VALUES = 3 * SIDE * SIDE
DOTTED = sorted(path.stem.removesuffix("-linf10-outcomes") for path in RESULTS.glob("*-linf10-outcomes.json"))


@pytest.mark.parametrize("count", [1, 8, 11])
def test_bits_come_back(count: int) -> None:
    bits = torch.rand(count, generator=torch.Generator().manual_seed(count)) > 0.5
    assert (bits_of(OutcomeRow(CLEAN, 0.0, hexadecimal(bits)), count) == bits.numpy()).all()


def test_each_photograph_changes_where_the_brightness_passes_the_boundary(linear) -> None:
    """Class "1" from a mean of 100 levels on: a photograph of level g changes once the pattern lifts it there."""
    network = linear(torch.stack([torch.zeros(VALUES), torch.full((VALUES,), 1 / VALUES)]), torch.tensor([0.0, -99.5 / 255]))
    greys = [99, 90, 70, 50, 150]
    pixels = torch.stack([torch.full((3, SIDE, SIDE), grey, dtype=torch.uint8) for grey in greys])
    truth = ("0", "0", "0", "1", "1")  # the fourth is named wrongly
    images = ImageSet("greys", pixels, truth, tuple(map(str, greys)))
    lift = Perturbation("lift", torch.full((3, SIDE, SIDE), 10 / 255), Ball("linf", 10 / 255))
    rows = list(outcomes(network, lift, images, torch.Generator().manual_seed(0)))
    assert len(rows) == 1 + 2 * 32
    assert bits_of(rows[0], 5).tolist() == [True, True, True, False, True]
    for row in (row for row in rows if row.attack == PATTERN):
        lifted = [grey < 100 <= grey + round(row.epsilon * 255) for grey in greys]
        assert bits_of(row, 5).tolist() == lifted, row.epsilon
    noisy = [bits_of(row, 5) for row in rows if row.attack == NOISE]
    assert not np.stack(noisy)[:, 1:4].any(), "noise does not lift the mean"


def test_the_strengths_are_the_sliders() -> None:
    assert [round(strength * 255, 6) for strength in strengths(Ball("linf", 10 / 255))] == list(range(33))
    assert strengths(Ball("l2", 0.5))[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("network", [key for key in DOTTED if key in SWEPT and key != "resnet64"])
def test_what_ships_agrees_with_the_sweep_on_the_same_photographs(network: str) -> None:
    dots = read_table(RESULTS / f"{network}-linf10-outcomes.json", OutcomeRow)
    sweep = read_table(RESULTS / f"{network}-sweep.json", SweepRow)
    counts = {(row.attack, round(row.epsilon * 255)): row.fooling_rate.count for row in sweep.rows if row.epsilon}
    found = {(row.attack, round(row.epsilon * 255)): int(bits_of(row, 300).sum()) for row in dots.rows}
    shared = [place for place in found if place in counts]
    assert len(shared) == 18
    for place in shared:
        assert found[place] == pytest.approx(counts[place], abs=2), place
    stated = dots.provenance["pattern"]["held_out"]
    assert found[PATTERN, 10] == pytest.approx(300 * stated["fooling_rate"], abs=2)


def test_of_the_quick_network_300_of_2500_are_shown() -> None:
    dots = read_table(RESULTS / "resnet64-linf10-outcomes.json", OutcomeRow)
    at_ten = next(bits_of(row, 300) for row in dots.rows if row.attack == PATTERN and round(row.epsilon * 255) == 10)
    stated = dots.provenance["pattern"]["held_out"]["fooling_rate"]
    assert at_ten.mean() == pytest.approx(stated, abs=0.06)
