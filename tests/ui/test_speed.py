"""How fast networks are here, and how far a run is, in words."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from uap_core.models.classifier import Classifier
from uap_core.ui.runtime import speed
from uap_core.ui.runtime.speed import picture_seconds
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft.pace import Pace


def test_a_network_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_paces", {})
    studio, first = Studio(), picture_seconds(Studio(), "resnet64")
    assert 0 < first < 1
    assert picture_seconds(studio, "resnet64") == first


class Loading(Studio):
    """It loads a network until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def classifier(self, key: str) -> Classifier:
        self.begun.set()
        assert self.go_on.wait(20)
        return super().classifier("resnet64")


def timed_by_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[Studio, str], float]:
    monkeypatch.setattr(speed, "_paces", {"known": 0.25})
    return picture_seconds


def timed_by_craft(monkeypatch: pytest.MonkeyPatch) -> Callable[[Studio, str], float]:
    clock = Pace()
    monkeypatch.setattr(clock, "_timed", {"known": (0.5, 0.25)})
    return lambda studio, network: clock.seconds(studio, network, 2, 4)


@pytest.mark.parametrize("clock", [timed_by_pages, timed_by_craft])
def test_nobody_waits_for_a_network_that_another_visitor_loads(
    clock: Callable[[pytest.MonkeyPatch], Callable[[Studio, str], float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, studio = clock(monkeypatch), Loading()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(seconds, studio, "slow")
        assert studio.begun.wait(20)
        assert pool.submit(seconds, Studio(), "known").result(10) > 0
        assert pool.submit(seconds, Studio(), "resnet64").result(20) > 0
        studio.go_on.set()
        assert slow.result(60) > 0
