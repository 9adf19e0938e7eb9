"""Inputs that people really have: run every script of a folder of cases and print which are right.

    python tests/bench/cases.py [FOLDER]

A case is a shell script that runs from the project's root with PY naming the interpreter, and exits 0 when right.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases"
LONGEST = 300  # seconds


@dataclass(frozen=True)
class Outcome:
    """Of the case ``name``: whether it is ``right``, how long it took, and what it said."""

    name: str
    right: bool
    seconds: float
    said: str


def run_cases(folder: Path = CASES, at_once: int = 2) -> Iterator[Outcome]:
    """The outcome of every script in ``folder``, in their order."""
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(_run, sorted(folder.glob("*.sh")))


def _run(script: Path) -> Outcome:
    started, environment = time.perf_counter(), os.environ | {"PY": sys.executable, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    said = (done.stdout + done.stderr).strip()
    return Outcome(script.stem, done.returncode == 0, time.perf_counter() - started, said)


def main() -> None:
    """Print a line for each case as it is known, then the share that is right; exit 1 unless all are."""
    outcomes = []
    for outcome in run_cases(Path(sys.argv[1]) if len(sys.argv) > 1 else CASES):
        outcomes.append(outcome)
        last = outcome.said.splitlines()[-1] if outcome.said else ""
        print(f"{'right' if outcome.right else 'WRONG'}  {outcome.seconds:5.1f} s  {outcome.name:36}  {last[:100]}", flush=True)
    right = sum(outcome.right for outcome in outcomes)
    print(f"{right} of {len(outcomes)} right")
    sys.exit(right < len(outcomes))


if __name__ == "__main__":
    main()
