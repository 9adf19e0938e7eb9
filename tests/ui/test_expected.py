"""How long runs take, in words."""

from __future__ import annotations

import re

import pytest
from clocks import Clock

from uap_core.ui.runtime import expected
from uap_core.ui.runtime.expected import about, counted, picture_seconds
from uap_core.ui.state import Studio


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 5 s"), (14, "about 15 s"), (88, "about 90 s"), (100, "about 2 min"), (290, "about 5 min")],
)
def test_durations_are_rounded_as_far_as_one_can_know_them(seconds: float, words: str) -> None:
    assert about(seconds) == words


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(expected, "time", clock)
    return clock


def test_what_is_left_follows_from_what_is_done(clock: Clock) -> None:
    html = counted("Live:", 12, 27, clock.now - 24)
    assert "Live: 12 of 27" in html
    assert re.findall(r'data-seconds="(\d+)"', html) == ["30"]
    assert "about 30 s left" in html
    assert "width:44%" in html


def test_nothing_is_foretold_of_a_run_that_has_only_begun(clock: Clock) -> None:
    assert "left" not in counted("Live:", 1, 27, clock.now)
    assert "left" not in counted("Live:", 0, 27, clock.now - 60)


def test_a_network_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "_paces", {})
    studio, first = Studio(), picture_seconds(Studio(), "resnet64")
    assert 0 < first < 1
    assert picture_seconds(studio, "resnet64") == first
