from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest

from uap_core.ui.runtime import time_left
from uap_core.ui.runtime.time_left import Countdown, Pace, about, ticking


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "about 1 s"), (7.4, "about 7 s"), (13, "about 15 s"), (62, "about 60 s"), (170, "about 3 min")],
)
def test_times_are_as_rough_as_they_are_known(seconds: float, said: str) -> None:
    assert about(seconds) == said


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time_left, "time", clock)
    return clock


def test_it_counts_down_from_what_was_expected_then_by_its_own_pace(clock: Clock) -> None:
    countdown = Countdown(40)
    assert countdown.said(0) == "about 40 s left"
    clock.now += 5
    assert countdown.said(0) == "about 35 s left"
    clock.now += 5
    assert countdown.said(0.5) == "about 10 s left", "half of it took 10 s"
    clock.now += 4
    assert countdown.said(0.5) == "about 6 s left", "it runs down while a step lasts"
    assert countdown.left(0.5) <= 6
    clock.now += 2
    assert countdown.said(0.5) == "about 4 s left"
    assert countdown.said(0.6) == "about 4 s left", "it does not rise: at its own pace it would be 11 s"
    clock.now += 3
    assert countdown.said(0.6) == "a moment left"
    clock.now += 5
    assert countdown.said(0.6) == "longer than expected", "what it promised is over"
    clock.now += 16
    assert countdown.said(0.8) == "about 10 s left", "40 s so far, at its own pace"
    assert countdown.said(1.0) == "a moment left"


def test_a_machine_much_slower_than_expected_is_told_by_its_own_pace(clock: Clock) -> None:
    countdown = Countdown(10)
    clock.now += 12
    assert countdown.said(0.02) == "about 10 min left"
    clock.now += 6
    assert countdown.said(0.02) == "about 10 min left"
    clock.now += 6
    assert countdown.said(0.4) == "about 36 s left"


def test_a_long_time_is_told_in_minutes(clock: Clock) -> None:
    assert Countdown(240).said(0) == "about 4 min left"


def test_what_is_left_follows_from_what_is_done(clock: Clock) -> None:
    pace = Pace()
    assert "0 of 27<" in pace.note(0, 27)
    clock.now += 1
    assert "left" not in pace.note(1, 27), "too early to tell"
    clock.now += 23
    html = pace.note(12, 27, "VGG-64 <1>")
    assert "VGG-64 &lt;1&gt;: 12 of 27, <span" in html
    assert re.findall(r'data-seconds="(\d+)"', html) == ["30"]
    assert "about 30 s left<" in html
    assert "width:44%" in html
    assert "left" not in pace.note(0, 27)


def test_a_slow_step_lets_the_clock_be_looked_at_and_closing_ends_the_run() -> None:
    closed = threading.Event()

    def steps() -> Iterator[int]:
        try:
            for step in range(3):
                time.sleep(0.2 if step == 1 else 0)
                yield step
        finally:
            closed.set()

    shown = list(ticking(steps(), 0.03))
    assert [step for step in shown if step is not None] == [0, 1, 2]
    assert shown.count(None) >= 3
    assert shown.index(None) == 1, "while the slow one was waited for"
    closed.clear()
    run = ticking(steps(), 0.03)
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert closed.is_set()


def test_what_fails_in_a_step_fails_here() -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise TimeoutError("of the step's own")

    with pytest.raises(TimeoutError, match="own"):
        list(ticking(steps(), 0.01))
