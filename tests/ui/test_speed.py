"""How fast networks are here, and how far a run is, in words."""

from __future__ import annotations

import pytest

from uap_core.ui.runtime import speed
from uap_core.ui.runtime.speed import picture_seconds
from uap_core.ui.state import Studio


def test_a_network_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_paces", {})
    studio, first = Studio(), picture_seconds(Studio(), "resnet64")
    assert 0 < first < 1
    assert picture_seconds(studio, "resnet64") == first
