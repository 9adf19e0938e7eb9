"""Inputs that people really have, each with its right answer: the shared scripts, all of them."""

from __future__ import annotations

from pathlib import Path

from bench.cases import run_cases


def test_every_case_is_right(shared: Path) -> None:
    wrong = {outcome.name: outcome.said for outcome in run_cases(shared / "cases") if not outcome.right}
    assert not wrong, "\n\n".join(f"{name}\n{said}" for name, said in wrong.items())
