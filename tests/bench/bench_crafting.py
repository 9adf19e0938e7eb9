"""How fast the embedded network is measured and attacked here: `python tests/bench/bench_crafting.py [--short]`.

Everything runs one after the other in one process, so that the lines of the table may be compared with each other.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from uap_core import Ball, ClippedCE, load_model
from uap_core.crafting.clipped_ce import clipped_ce_loss
from uap_core.crafting.loop import Descent, clean_logits, craft_rate, pattern_gradient

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
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--short", action="store_true", help="a tenth of the time, for a look")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    seconds, steps = (0.3, options.steps // 10) if options.short else (3.0, options.steps)
    classifier, generator = load_model("resnet64"), torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (512, 3, 64, 64), generator=generator, dtype=torch.uint8)
    clean = clean_logits(classifier, images)
    v = Ball("linf", 10 / 255).random_signs((3, 64, 64), generator)

    print(f"{classifier.card.name}, {options.threads} threads, torch {torch.__version__}, {platform.processor()}\n")
    print(f"{'batch':>6} {'forward, images/s':>20} {'gradients, images/s':>20} {'ratio':>7}")
    for size in BATCHES:
        batch, logits = images[:size], clean[:size]
        forward = per_second(size, lambda b=batch, z=logits: craft_rate(classifier, b, z.argmax(dim=1), v), seconds)
        gradient = per_second(size, lambda b=batch, z=logits: pattern_gradient(clipped_ce_loss, classifier, b, z, v), seconds)
        print(f"{size:6} {forward:20.0f} {gradient:20.0f} {forward / gradient:7.2f}", flush=True)

    print(f"\n{'craft':>44} {'seconds':>8} {'image-gradients/s':>18}")
    for count in (64, 512):
        for every in (25, steps):
            method = ClippedCE(Descent(steps=steps, measure_every=every))
            *_, last = method.craft(classifier, images[:count], Ball("linf", 10 / 255), generator)
            name = f"{steps} steps, {count} images, measured {'at the end' if every == steps else f'every {every} steps'}"
            print(f"{name:>44} {last.seconds:8.1f} {last.image_gradients / last.seconds:18.0f}", flush=True)


if __name__ == "__main__":
    main()
