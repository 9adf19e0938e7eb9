"""Inputs that people really have, each with its right answer: the shared scripts, all of them."""

from __future__ import annotations

from pathlib import Path

from bench.cases import run_cases

# Imports sample_photos from where it no longer lies; test_images.test_wide_colours_become_srgb holds its right answer.
OUTDATED = {"a19_colour_profiles"}


def test_every_case_is_right(shared: Path) -> None:
    wrong = {
        outcome.name: outcome.said
        for outcome in run_cases(shared / "cases")
        if not outcome.right and outcome.name not in OUTDATED
    }
    assert not wrong, "\n\n".join(f"{name}\n{said}" for name, said in wrong.items())
