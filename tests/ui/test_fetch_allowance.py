"""How much visitors may let the tab Networks fetch. Nothing is fetched, and no server runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.errors import DownloadError
from uap_core.io.download import Fetched
from uap_core.models import hub
from uap_core.models.card import Card
from uap_core.ui.state import Studio
from uap_core.ui.tabs.networks import allowance, tab

SMALL, OTHER, THIRD = (f"timm:{name}" for name in ("resnet18.a1_in1k", "resnet18.a2_in1k", "resnet18.a3_in1k"))  # 47 MB each


@pytest.fixture
def get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Any]:
    """The tab's handler, with a hundred megabytes to fetch and a disk with room. A file comes at once."""

    def fetch(card: Card) -> Iterator[Fetched]:
        if hub.cached(card.hub):
            return
        yield Fetched(1, 2)
        home = hub.folder(card.hub)
        for path, text in ((home / "refs" / "main", "0" * 40), (home / "snapshots" / ("0" * 40) / hub.FILE, "weights")):
            path.parent.mkdir(parents=True)
            path.write_text(text)

    monkeypatch.setenv("UAP_FETCH_MB", "100")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(tab, "fetch", fetch)
    free_on_the_disk(monkeypatch, 9e9)
    return handlers_of(page_of(lambda studio, setup, at: tab.build(studio, setup, gr.Tabs(render=False), at)))["get_it"]


def free_on_the_disk(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    monkeypatch.setattr(allowance.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))


def said(get_it: Callable[[str], Any], key: str) -> str:
    """Its last sentence."""
    return [step[0] for step in get_it(key)][-1]


def test_all_together_are_bounded_and_what_is_here_counts_once(get_it: Callable[[str], Any]) -> None:
    assert "is here: it can be used now" in said(get_it, SMALL)
    for _ in range(3):
        assert "is here" in said(get_it, SMALL)
    assert "is here" in said(get_it, OTHER)
    assert "of the 100 MB that this page may fetch, 6 are left" in said(get_it, THIRD)
    assert "UAP_FETCH_MB" in said(get_it, THIRD)


def test_what_is_under_way_counts_and_what_was_cancelled_or_failed_does_not(
    get_it: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = get_it(SMALL), get_it(OTHER)
    next(first)
    next(second)
    assert "6 are left" in said(get_it, THIRD)
    first.close()

    def cut(card: Card) -> Iterator[Fetched]:
        yield Fetched(1, 2)
        raise DownloadError("The connection broke off.")

    with monkeypatch.context() as broken:
        broken.setattr(tab, "fetch", cut)
        assert "broke off" in said(get_it, THIRD)
    assert "is here" in said(get_it, THIRD)
    second.close()


def test_a_reserve_stays_free_on_the_disk(get_it: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    free_on_the_disk(monkeypatch, (allowance.RESERVE + 40) * 1e6)
    assert "2040 MB are free on the disk, of which 2000 stay so" in said(get_it, SMALL)
    free_on_the_disk(monkeypatch, (allowance.RESERVE + 50) * 1e6)
    assert "is here" in said(get_it, SMALL)


def test_the_disk_is_that_of_the_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = list[Path]()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(allowance.shutil, "disk_usage", lambda place: asked.append(place) or SimpleNamespace(free=9e9))
    with allowance.Allowance(1000).taking(Studio().card(SMALL)):
        pass
    assert asked == [tmp_path]
