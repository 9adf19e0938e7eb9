"""How fast the embedded network is measured and attacked here: `python tests/bench/speed.py [--short]`.

Everything runs one after the other in one process, so that the lines of the table may be compared with each other.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from uap_core import Ball, Default, load_model
from uap_core.crafting.problem import Problem, predicted
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.models.denormals import no_denormals

BATCHES = (1, 8, 32, 128)


def per_second(images: int, work: Callable[[], object], seconds: float) -> float:
    """Images a second: the median over repetitions that fill ``seconds``, after one that is not counted."""
    work()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return images / sorted(times)[len(times) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="a tenth of the time, for a look")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    seconds, steps = (0.3, options.steps // 10) if options.short else (3.0, options.steps)
    classifier, generator = load_model("resnet64"), torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (512, 3, 64, 64), generator=generator, dtype=torch.uint8)
    ball = Ball("linf", 10 / 255)
    problem = Problem.pose([classifier], images, ball)
    v = ball.random_signs((3, 64, 64), generator)

    print(f"{classifier.card.name}, {options.threads} threads, torch {torch.__version__}, {platform.processor()}\n")
    print(f"{'batch':>6} {'forward, images/s':>20} {'gradients, images/s':>20} {'ratio':>7}")
    for size in BATCHES:
        batch = torch.arange(size)
        forward = per_second(size, lambda b=batch: predicted(classifier, images[b], v), seconds)
        gradient = per_second(size, lambda b=batch: problem.gradient(clipped_cross_entropy, b, v), seconds)
        print(f"{size:6} {forward:20.0f} {gradient:20.0f} {forward / gradient:7.2f}", flush=True)

    print(f"\nThe loop beside the bare gradients of the same batches, {steps} steps in turn, seconds a run:")
    print(f"{'batch':>6} {'bare':>8} {'loop':>8} {'ratio':>7}  (of medians; lowest to highest of single rounds)")
    for size in (8, 32):
        bare, loop = [], []
        for _ in range(options.rounds):
            bare.append(bare_run(problem, size, steps))
            loop.append(loop_run(problem, size, steps))
        ratios = sorted(b / a for a, b in zip(bare, loop, strict=True))
        middle = median(loop) / median(bare)
        print(
            f"{size:6} {median(bare):8.2f} {median(loop):8.2f} {middle:7.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})", flush=True
        )


def bare_run(problem: Problem, size: int, steps: int) -> float:
    """Seconds for forward and backward passes alone, on a pattern that stays as it is."""
    v = problem.ball.random_signs(tuple(problem.images.shape[1:]), torch.Generator().manual_seed(0))
    started = time.perf_counter()
    with no_denormals():
        for step in range(steps):
            first = step * size % (len(problem.images) - size)
            x = (problem.images[first : first + size].float() / 255 + v.requires_grad_(True)).clamp(0, 1)
            loss = clipped_cross_entropy(problem.clean[0][first : first + size], problem.networks[0](x)).mean()
            torch.autograd.grad(loss, v)
    return time.perf_counter() - started


def loop_run(problem: Problem, size: int, steps: int) -> float:
    """Seconds for the steps of a whole run, clean logits and last measurement left out."""
    method = Default(budget=steps * size + size, batch_size=size)
    run = method.craft(problem.networks, problem.images, problem.ball, torch.Generator().manual_seed(0))
    next(run)  # the clean logits come before the first step
    started = time.perf_counter()
    for _ in range(steps):
        next(run)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
