from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from clocks import Clock

from uap_core.errors import SettingError
from uap_core.ui.runtime import run_queue as module
from uap_core.ui.runtime.run_queue import Line, in_line


def counting(steps: int, running: list[int]) -> Any:
    """A run of so many steps that notes how many such runs are under way."""

    def run() -> Iterator[str]:
        running.append(1)
        try:
            for step in range(steps):
                yield f"{step} {len(running)}"
                time.sleep(0.01)
        finally:
            running.pop()

    return run


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)


def test_runs_go_one_at_a_time_in_the_order_they_came() -> None:
    line, running, said, ended = Line(10), list[int](), list[tuple[int, str]](), list[int]()

    def visit(number: int) -> None:
        for text in in_line(line, 1, 0)(counting(5, running))():
            said.append((number, text))
        ended.append(number)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for visitor in visitors:
        visitor.start()
        time.sleep(0.03)
    for visitor in visitors:
        visitor.join(10)
    assert ended == [0, 1, 2, 3]
    steps = [text for _, text in said if "Waiting" not in text]
    assert steps == [f"{step} 1" for _ in range(4) for step in range(5)], "never two at once"
    waits = [
        int(found[1]) for number, text in said if number == 3 and (found := re.search(r"(\d+) runs? (is|are) before", text))
    ]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] == 1


def test_the_next_one_goes_on_when_a_visitor_leaves_in_the_middle() -> None:
    line, running = Line(10), list[int]()
    first, second = (in_line(line, 1, 0)(counting(100, running))() for _ in range(2))
    assert next(first) == "0 1"
    assert "1 run is before yours" in next(second)
    first.close()
    assert not running, "what was running has ended"
    assert next(second) == "0 1"
    second.close()
    assert next(in_line(line, 1, 0)(counting(1, running))()) == "0 1"


def test_a_failing_run_gives_its_turn_away() -> None:
    def fail() -> Iterator[str]:
        yield "a step"
        raise ZeroDivisionError

    line = Line(1)
    *_, last = in_line(line, 1, 0)(fail)()
    assert "Something went wrong" in last
    assert next(in_line(line, 1, 0)(counting(1, []))()) == "0 1"


def test_a_full_line_is_said_and_empties_again() -> None:
    def pair() -> Iterator[tuple[str, str]]:
        yield "a", "b"

    line = Line(1)
    runs = [in_line(line, 2, 1)(pair)() for _ in range(3)]
    assert next(runs[0]) == ("a", "b")
    assert "1 run is before" in next(runs[1])[1]
    assert "runs are waiting already" in next(runs[2])[1]
    runs[0].close()
    runs[1].close()
    assert next(in_line(line, 2, 1)(pair)()) == ("a", "b")


def test_whoever_left_without_a_word_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, line = Clock(), Line(5)
    monkeypatch.setattr(module, "time", clock)
    gone, next_one = in_line(line, 1, 0)(counting(9, []))(), in_line(line, 1, 0)(counting(9, []))()
    assert next(gone) == "0 1"
    assert "before yours" in next(next_one)
    clock.now += module.LOST - 1
    assert "before yours" in next(next_one)
    clock.now += 2
    assert next(next_one) == "0 1"


def test_whoever_comes_back_after_their_turn_passed_waits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, line = Clock(), Line(5)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setenv("UAP_SECONDS", "100000")
    run = in_line(line, 1, 0)(counting(9, []))
    with closing(run()) as late, closing(run()) as other:
        assert next(late) == "0 1"
        assert "before yours" in next(other)
        clock.now += module.LOST + 1
        assert next(other) == "0 2"
        assert "1 run is before yours" in next(late)
        other.close()
        assert next(late) == "1 1", "it goes on where it was"


def test_a_run_keeps_its_turn_however_long_a_step_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise two heavy runs would go at once."""
    clock, line, said = Clock(), Line(5), list[str]()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setenv("UAP_SECONDS", "100000")

    def slow() -> Iterator[str]:
        for _ in range(3):
            clock.now += module.LOST + 1
            said.append(next(other))
            yield "a step"

    with closing(in_line(line, 1, 0)(counting(9, []))()) as other:
        for _ in in_line(line, 1, 0)(slow)():
            said.append(next(other))
        assert len(said) == 6
        assert all("1 run is before yours" in text for text in said)
        assert next(other) == "0 1"


def test_a_run_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setenv("UAP_SECONDS", "30")
    running = list[int]()
    steps = []
    for step in in_line(Line(1), 1, 0)(counting(1000, running))():
        steps.append(step)
        clock.now += 10
    assert [step for step in steps if "Stopped" not in step] == ["0 1", "1 1", "2 1", "3 1"]
    assert "Stopped after 30 seconds" in steps[-1]
    assert not running


def test_what_to_expect_comes_from_the_runs_before() -> None:
    line = Line(5)
    assert line.expected(2) == "2 runs are before yours."
    for seconds in (10, 30):
        line.lasted(seconds)
    assert line.expected(1) == "1 run is before yours: about 20 seconds."
    assert line.expected(9) == "9 runs are before yours: about 3 minutes."


def test_one_visitor_has_two_places_and_one_address_leaves_some_to_others() -> None:
    line = Line(8)
    with ExitStack() as places:
        for _ in range(2):
            places.enter_context(line.place("me", "here"))
        with pytest.raises(SettingError, match="Two runs of yours"):
            places.enter_context(line.place("me", "here"))
        for number in range(4):
            places.enter_context(line.place(f"pupil {number}", "here"))
        with pytest.raises(SettingError, match="6 runs from your network's address"):
            places.enter_context(line.place("one more", "here"))
        places.enter_context(line.place("somebody", "elsewhere"))
    with line.place("me", "here") as mine:
        assert line.ahead(mine) == 0
