"""Inputs that people really have: run every script of a folder of cases and print which are right.

    python tests/bench/cases.py [FOLDER]

A case is a shell script that gives a program to ``$PY -`` in the project's root, and exits 0 when right. Torch is imported once
for all of them (``forked.py``): that takes longer than most.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases"


@dataclass(frozen=True)
class Outcome:
    """Of the case ``name``: whether it is ``right``, how long it took, and what it said."""

    name: str
    right: bool
    seconds: float
    said: str


def run_cases(folder: Path = CASES) -> Iterator[Outcome]:
    """The outcome of every script in ``folder``, in their order."""
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    command = [sys.executable, str(Path(__file__).with_name("forked.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        tempfile.TemporaryDirectory() as kept,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | own, **pipes) as forked,
    ):
        assert forked.stdin is not None
        assert forked.stdout is not None
        for script in sorted(folder.glob("*.sh")):
            said = Path(kept) / "said"
            forked.stdin.write(json.dumps({"program": _program(script), "said": str(said)}) + "\n")
            forked.stdin.flush()
            answer = json.loads(forked.stdout.readline())
            yield Outcome(script.stem, answer["status"] == 0, answer["seconds"], said.read_text(errors="replace").strip())


def _program(script: Path) -> str:
    """What the script gives to its interpreter: the script itself says it when that is ``cat``."""
    told = subprocess.run(["bash", str(script)], env=os.environ | {"PY": "cat"}, capture_output=True, text=True, check=True)
    return told.stdout


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
