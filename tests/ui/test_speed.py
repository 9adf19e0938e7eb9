"""How fast networks are here, and how far a run is, in words."""

from __future__ import annotations

import threading
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


def test_nobody_waits_for_a_network_that_another_visitor_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_paces", {"known": 0.25})
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Studio):
        def classifier(self, key: str) -> Classifier:
            begun.set()
            assert go_on.wait(20)
            return super().classifier("resnet64")

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(picture_seconds, Slow(), "slow")
        assert begun.wait(20)
        assert pool.submit(picture_seconds, Studio(), "known").result(10) == 0.25
        assert pool.submit(picture_seconds, Studio(), "resnet64").result(20) > 0
        go_on.set()
        assert slow.result(20) > 0


def test_crafts_clock_holds_nobody_up_either(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, clock = threading.Event(), threading.Event(), Pace()
    monkeypatch.setattr(clock, "_timed", {"known": (0.5, 0.25)})

    class Slow(Studio):
        def classifier(self, key: str) -> Classifier:
            begun.set()
            assert go_on.wait(20)
            return super().classifier("resnet64")

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(clock.time, Slow(), "slow")
        assert begun.wait(20)
        assert pool.submit(clock.seconds, Studio(), "known", 2, 4).result(10) > 0
        go_on.set()
        slow.result(60)
    assert clock.knows("slow")
