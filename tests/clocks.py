"""A clock that a test is handed: it goes on when it is told to, and whoever sleeps by it has slept at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Clock:
    """In place of the module ``time`` where a module asks it (``monkeypatch.setattr(module, "time", clock)``).

    ``each_look``: seconds that pass at every look at it.
    """

    now: float = 1000.0
    each_look: float = 0.0

    def monotonic(self) -> float:
        self.now += self.each_look
        return self.now

    perf_counter = time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def taking(self, seconds: float, work: Callable[..., Any]) -> Callable[..., Any]:
        """``work``, which takes so long by this clock."""

        def slow(*args: Any, **named: Any) -> Any:
            self.now += seconds
            return work(*args, **named)

        return slow
