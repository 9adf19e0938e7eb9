"""How crafting time falls with processes: `python tests/bench/processes.py [--batch 64] [--model resnet64]`.

Measured where processes have a core of their own; for more, a model from what was measured here: a step takes
ceil(batch / processes) image-gradients and one sum of a pattern over all processes. The sum is timed with two processes and
taken to grow with the logarithm of their number, as in a tree; a network between machines is slower than this machine's memory,
so the message size is printed too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from uap_core import Ball, Default, Zoo
from uap_core.crafting.distributed import all_sum, process_group
from uap_core.crafting.problem import Problem

BALL = Ball("linf", 10 / 255)


def measure(model: str, batch: int, steps: int) -> None:
    """In one of several processes: seconds a step, seconds a sum; the first process prints them."""
    torch.set_num_threads(1)
    network = Zoo([ROOT / "tests" / "cards"]).load(model)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (batch, 3, network.size, network.size), generator=generator, dtype=torch.uint8)
    with process_group() as (rank, size):
        problem = Problem.pose([network], images, BALL)
        v, everything = problem.random_signs(generator), torch.arange(batch)
        problem.gradient(Default.loss, everything, v)
        step = timed(lambda: problem.gradient(Default.loss, everything, v), steps)
        message = timed(lambda: all_sum(v.clone()), 10 * steps)
        if rank == 0:
            print(json.dumps({"processes": size, "step": step, "sum": message, "bytes": v.numel() * 4}))


def timed(work: object, times: int) -> float:
    """The median of so many calls."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()  # type: ignore[operator]
        found.append(time.perf_counter() - started)
    return sorted(found)[times // 2]


def in_processes(count: int, options: argparse.Namespace) -> dict[str, float]:
    """Run ``measure`` in so many processes of one thread each."""
    mine = [__file__, "--worker", "--model", options.model, "--batch", str(options.batch), "--steps", str(options.steps)]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(count)]
    run = subprocess.run(
        [sys.executable, *launcher, *mine],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet64")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        measure(options.model, options.batch, options.steps)
        return
    cores = os.cpu_count() or 1
    measured = {count: in_processes(count, options) for count in (1, 2, 4, 8, 16) if count <= cores}
    one = measured[1]["step"]
    image = one / options.batch
    hop = measured[2]["sum"] if 2 in measured else 0.0
    print(f"{options.model}, batches of {options.batch}, one thread a process, {cores} cores")
    print(
        f"an image-gradient {1000 * image:.2f} ms; a sum of {measured[1]['bytes'] / 1e6:.2f} MB over two {1000 * hop:.2f} ms\n"
    )
    print(f"{'processes':>10} {'measured, ms a step':>20} {'times as fast':>14} {'model, ms a step':>18} {'times as fast':>14}")
    for count in (1, 2, 4, 8, 16, 32, 64):
        model = math.ceil(options.batch / count) * image + hop * math.log2(count)
        found = (
            f"{1000 * measured[count]['step']:20.1f} {one / measured[count]['step']:14.2f}"
            if count in measured
            else f"{'-':>20} {'-':>14}"
        )
        print(f"{count:10} {found} {1000 * model:18.1f} {one / model:14.2f}")


if __name__ == "__main__":
    main()
