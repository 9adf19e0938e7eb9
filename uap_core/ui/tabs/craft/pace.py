"""How long it takes to craft a pattern on this machine, told before it is begun."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.crafting.menu import build
from uap_core.ui.tabs.craft.order import Order, Size

if TYPE_CHECKING:
    from uap_core.ui.state import Studio

TRIED, STEPS = 8, 4  # images, of so many steps that are timed: the quickest counts, since others may have been interrupted
DRAWING = 1.25  # a run's time with its pictures, in times of what it computes


@dataclass(frozen=True)
class Share:
    """Where the work of a run lies, as shares of it: before the first step, and up to the end of the last one."""

    before: float
    crafted: float


class Pace:
    """How long crafting takes on this machine, by network: timed once on a few grey pictures, then told by the runs themselves.

    Safe to use from many threads.
    """

    def __init__(self) -> None:
        self._timed: dict[str, tuple[float, float]] = {}  # seconds an image-gradient, seconds a look
        self._ratio: dict[str, float] = {}  # of a whole run to what its parts would take
        self._lock = threading.Lock()

    def time(self, studio: Studio, network: str) -> None:
        """Time some steps on ``network``, if that was not done. Raises what opening the network raises."""
        from uap_core.crafting.problem import predicted
        from uap_core.norms import LINF, Ball

        if network in self._timed:
            return
        import torch

        classifier = studio.classifier(network)  # before the lock: nobody else waits while it is loaded
        with self._lock:
            if network in self._timed:
                return
            pixels = torch.full((TRIED, 3, classifier.size, classifier.size), 128, dtype=torch.uint8)  # any take as long
            method = build("default", STEPS * TRIED, classifier.shape)
            steps = method.craft(classifier, pixels, Ball(LINF, 10 / 255), torch.Generator().manual_seed(0))
            gradient = _least(lambda: next(steps)) / method.batch_size
            steps.close()  # type: ignore[attr-defined]  # a generator
            look = _least(lambda: predicted(classifier, pixels, torch.zeros(pixels.shape[1:]))) / TRIED
            self._timed[network] = gradient, look

    def expected(self, network: str, budget: int, images: int, size: Size) -> float | None:
        """Seconds of a whole run; None while nothing was timed."""
        if not self.knows(network):
            return None
        return self._computed(network, budget, images, size) * self._ratio.get(network, DRAWING)

    def seconds(self, studio: Studio, network: str, gradients: int, looks: int) -> float:
        """What so many image-gradients and forward passes of one image take, timed first where that was not done."""
        self.time(studio, network)
        gradient, look = self._timed[network]
        return DRAWING * (gradient * gradients + look * looks)

    def knows(self, network: str) -> bool:
        """Whether ``network`` was timed."""
        return network in self._timed

    def parts(self, wanted: Order, size: Size) -> Share:
        """Where the work of a run lies."""
        if not self.knows(wanted.network):
            return Share(0.2, 0.9)
        look = self._timed[wanted.network][1]
        whole = self._computed(wanted.network, wanted.budget, wanted.images, size)
        before, after = look * (wanted.images + 3 * size.watched), look * (2 * wanted.images + 3 * size.judged)
        return Share(before / whole, 1 - after / whole)

    def took(self, wanted: Order, size: Size, spent: int, seconds: float) -> None:
        """A run of ``spent`` image-gradients came to its end after ``seconds``."""
        if self.knows(wanted.network):
            self._ratio[wanted.network] = seconds / self._computed(wanted.network, spent, wanted.images, size)

    def _computed(self, network: str, budget: int, images: int, size: Size) -> float:
        """Seconds of gradients, and of looks: at all craft images first and twice at last, at the watched ones on the way."""
        from uap_core.experiments.crafting_curve import POINTS

        gradient, look = self._timed[network]
        return gradient * budget + look * (3 * images + 2 * size.watched * (POINTS + 2) + 3 * size.judged)


def _least(step: Callable[[], object]) -> float:
    """Seconds of the quickest of STEPS times."""
    seconds = []
    for _again in range(STEPS):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
