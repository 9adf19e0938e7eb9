"""Rows to draw, with numbers that a test can look for in the figure."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from uap_core.attacks.menu import ANY, FOOLED, HELD, MENU
from uap_core.experiments import directions
from uap_core.experiments.certified_radius import LayerRow
from uap_core.experiments.compare import Contender
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.detector import DetectorRow
from uap_core.experiments.epsilon_sweep import EPSILONS, RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.experiments.fine_tuning import RoundRow
from uap_core.experiments.label_graph import Move
from uap_core.experiments.normals import FULL, NORMALS, SPAN, SingularRow, SubspaceRow
from uap_core.experiments.normals import RANDOM as RANDOM_VECTORS
from uap_core.experiments.sample_curve import SampleRow
from uap_core.metrics import Rate
from uap_core.training.loop import EpochRow


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def sweep_rows() -> list[SweepRow]:
    speed = {UNIVERSAL: 5, RANDOM: 1, SINGLE: 9}
    return [
        SweepRow(attack, epsilon, Rate(min(100, round(epsilon * 255 * slope)), 100))
        for epsilon in EPSILONS
        for attack, slope in speed.items()
    ]


def sample_rows(seeds: int = 2) -> list[SampleRow]:
    return [
        SampleRow(size, seed, Rate(size, size), Rate(20 + 10 * n + 4 * seed, 100), 100, 1.0)
        for seed in range(seeds)
        for n, size in enumerate((1, 2, 4, 8))
    ]


def photo_rows(labels: str = "aabb") -> list[PhotoRow]:
    return [PhotoRow(n / 255, "a", 1 - n / 4, "b", n / 4, label, 0.6) for n, label in enumerate(labels)]


def epoch_rows() -> list[EpochRow]:
    return [EpochRow(n, 4 - n / 10, n / 20, n / 10, 0.1, 1000.0, 30.0) for n in range(1, 11)]


def contenders(lengths: tuple[float, ...] = (4.0, 4.0, 4.1, 0.1, 0.11, 0.0)) -> list[Contender]:
    picture, keys = np.zeros((8, 8, 3), dtype=np.uint8), list(MENU)
    return [
        Contender(
            *(keys[n], ANY, "", None, picture, "b", 0.5, (FOOLED, HELD)[n % 2], "b", FOOLED, None, True),
            *(0.1, length, 64, 30.0, 0.9, n, n + 1, 0.1),
        )
        for n, length in enumerate(lengths)
    ]


def defence_rows() -> list[DefenceRow]:
    rates = {"none": (100, 90, 80, 20), "jpeg-50": (95, 40, 75, 20), "robust": (70, 10, 15, 5)}
    return [
        DefenceRow(name, "exact", "accuracy", *(Rate(count, 100) for count in counts), 1000, 9.0)
        for name, counts in rates.items()
    ]


def round_rows(rounds: int = 3) -> list[RoundRow]:
    rates = [(70, 80, 80), (69, 50, 10), (68, 52, 30), (67, 51, 35)]
    return [RoundRow(n, *(Rate(count, 100) for count in counts), 9.0 * n) for n, counts in enumerate(rates[:rounds])]


def detector_rows() -> list[DetectorRow]:
    return [
        DetectorRow(attack, n / 4, Rate(n, 4), Rate(min(4, n + extra), 4), Rate(3, 4), 0.5 + extra / 8, 0.4, 0.9)
        for attack, extra in (("universal", 2), ("random_signs", 0))
        for n in range(5)
    ]


def layer_rows() -> list[LayerRow]:
    return [
        LayerRow("stem", 1, "convolution", "8 x 3 x 3 x 3", "2 x 2", 4.0, 3.9, 4.0),
        LayerRow("", 1, "sum", "", "", None, None, 9.0),
        LayerRow("", 1, "mean", "", "", 0.25, None, 2.0),
        LayerRow("", 1, "exp", "", "", math.inf, None, math.inf, "unknown"),
        LayerRow("head", 1, "fully_connected", "5 x 8", "", 2.5, None, math.inf),
    ]


SINGULAR = [SingularRow(n, 8 / n, NORMALS) for n in range(1, 5)] + [SingularRow(n, 1.1, RANDOM_VECTORS) for n in range(1, 5)]
SUBSPACE = [
    row
    for norm in (4.0, 8.0)
    for row in (
        SubspaceRow(FULL, 192, norm, Rate(10, 100)),
        *(SubspaceRow(SPAN, d, norm, Rate(30 + int(norm), 100)) for d in (1, 5, 20)),
    )
]
RISING = (directions.MEAN, directions.RANDOM, directions.FAST, directions.SINGLE, directions.SUM, directions.UNIVERSAL)
DIRECTIONS = [
    directions.DirectionRow(name, norm, Rate(int(slope * norm), 100))
    for slope, name in enumerate(RISING, start=1)
    for norm in (4.0, 8.0)
]


def moves(hubs: int, most: int = 30) -> list[Move]:
    """Each hub with fewer labels than the one before, and long names among them."""
    return [
        Move(f"label {n} of hub {hub}" + " of the longest name" * (n % 5 == 0), f"hub {hub}", 20 - hub)
        for hub in range(hubs)
        for n in range(max(1, most - 9 * hub))
    ]
