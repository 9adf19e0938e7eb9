"""Crafting beside the adversarial-robustness-toolbox: `python tests/bench/crafting.py --shared ../shared`.

Both sides in one go, on the same network (SqueezeNet 1.1, Caffe weights), the same 100 craft images and the same l_inf ball of
10/255; fooling rates on the same 300 held-out images. The toolbox runs its UniversalPerturbation with its DeepFool (10 classes,
10 iterations), at most 5 passes, stopped after 20 minutes. Ours are timed until their pattern first fools as many
held-out images as the toolbox's at its end; measuring is not counted on either side. Needs tests/bench/requirements.txt.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from uap_core import Ball, Default, Zoo
from uap_core.crafting.base import Crafter
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.problem import Problem
from uap_core.datasets.image_sets import open_splits
from uap_core.models.bf16 import has_fast_bf16
from uap_core.precompute.recipes import DEEPFOOL

NETWORK = "squeezenet1_1_caffe"
BALL = Ball("linf", 10 / 255)
COUNT, PASSES, DELTA = 100, 5, 0.2


@dataclass(frozen=True)
class Run:
    """Seconds of crafting, the held-out fooling rate at its end, and after how many seconds the peer's rate was reached."""

    seconds: float
    rate: float
    reached: float = float("nan")


class OutOfTime(Exception):
    """The toolbox's minutes are over."""


def toolbox(problem: Problem, held_out: Problem, minutes: float, seed: int) -> Run:
    """The peer; if it is stopped, its pattern of that moment counts."""
    from art.attacks.evasion import UniversalPerturbation, universal_perturbation
    from art.estimators.classification import PyTorchClassifier

    network = problem.networks[0]
    side = network.size
    estimator = PyTorchClassifier(
        network, torch.nn.CrossEntropyLoss(), (3, side, side), len(network.labels), clip_values=(0.0, 1.0), device_type="cpu"
    )
    attack = UniversalPerturbation(
        estimator,
        attacker="deepfool",
        attacker_params={"max_iter": 10, "nb_grads": 10, "verbose": False},
        delta=DELTA,
        max_iter=PASSES,
        eps=BALL.radius,
        norm=np.inf,
        verbose=False,
    )
    latest = np.zeros((3, side, side), dtype=np.float32)
    plain_projection = universal_perturbation.projection

    def watched(noise: np.ndarray, *rest: object) -> np.ndarray:
        nonlocal latest
        projected = plain_projection(noise, *rest)
        latest = projected.reshape(latest.shape)
        if time.perf_counter() - started > 60 * minutes:
            raise OutOfTime
        return projected

    random.seed(seed)
    np.random.seed(seed)
    universal_perturbation.projection = watched
    started = time.perf_counter()
    try:
        attack.generate(problem.images.numpy().astype(np.float32) / 255)
    except OutOfTime:
        pass
    finally:
        universal_perturbation.projection = plain_projection
    seconds = time.perf_counter() - started
    return Run(seconds, held_out.rate(BALL.project(torch.from_numpy(latest.copy()))).value)


def ours(method: Crafter, problem: Problem, held_out: Problem, goal: float, looks: int, seed: int) -> Run:
    """A run of ours, measured every ``looks`` steps until it fools ``goal`` of the held-out images, and at its end.

    DeepFool ends there; a run with a budget goes on to its own end.
    """
    rate, reached, measuring = 0.0, float("nan"), 0.0
    started = time.perf_counter()
    for progress in method.craft(problem.networks, problem.images, BALL, torch.Generator().manual_seed(seed)):
        if progress.done or (np.isnan(reached) and progress.step % looks == 0):
            looked = time.perf_counter()
            rate = held_out.rate(progress.perturbation).value
            if np.isnan(reached) and rate >= goal:
                reached = looked - started - measuring
            measuring += time.perf_counter() - looked
        if isinstance(method, DeepFoolUAP) and not np.isnan(reached):
            break
    return Run(time.perf_counter() - started - measuring, rate, reached)


def spread(values: list[float], form: str) -> str:
    """Median, and lowest to highest, of those that are numbers; how many are, if not all."""
    found = [value for value in values if not np.isnan(value)]
    if not found:
        return "never"
    some = "" if len(found) == len(values) else f" in {len(found)} of {len(values)}"
    return f"{median(found):{form}} ({min(found):{form}} to {max(found):{form}}){some}"


def line(name: str, runs: list[Run], peer: Run) -> None:
    """Print a row of the table."""
    reached = spread([run.reached for run in runs], ".1f")
    ratio = spread([peer.seconds / run.reached for run in runs], ".0f")
    seconds, rate = spread([run.seconds for run in runs], ".1f"), spread([100 * run.rate for run in runs], ".1f")
    print(f"{name:26} {seconds:>24} {rate:>24} {reached:>24} {ratio:>20}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=20, help="the toolbox is stopped after so many")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    network = Zoo([ROOT / "tests" / "cards"]).load(NETWORK)
    craft, held = open_splits(options.shared / "data" / "imagenet-sample-800.zip", network.card.resize_size, network.size)
    craft = craft.shuffled(torch.Generator().manual_seed(0)).prefix(COUNT)
    problem, held_out = (Problem.pose([network], images.pixels, BALL) for images in (craft, held))
    signs = held_out.rate(BALL.random_signs(tuple(problem.images.shape[1:]), torch.Generator().manual_seed(0)))
    print(f"{network.card.name}, {COUNT} craft images, {len(held)} held-out, {BALL}; random signs fool {signs}\n")
    print(f"{'':26} {'crafting, s':>24} {'held-out fooled, %':>24} {'its rate reached, s':>24} {'times as fast':>20}")
    peer = toolbox(problem, held_out, options.minutes, seed=0)
    print(f"{'toolbox, DeepFool':26} {peer.seconds:24.1f} {100 * peer.rate:24.1f}", flush=True)
    contenders: dict[str, tuple[Crafter, int]] = {
        "ours, deepfool": (DEEPFOOL, 2),
        "ours, default": (Default(bf16=has_fast_bf16()), 5),
    }
    for name, (method, looks) in contenders.items():
        line(name, [ours(method, problem, held_out, peer.rate, looks, seed) for seed in range(options.seeds)], peer)


if __name__ == "__main__":
    main()
