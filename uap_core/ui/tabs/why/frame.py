"""What every section for researchers has: a question, what was precomputed, a run of its own, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import Run, run_row
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import awaited, chart, download, hide, status

LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
LIVE_NORMALS, LIVE_IMAGES = 64, 100  # images for normals, and others to measure on


@dataclass(frozen=True)
class Page:
    """What a section is laid out on: the tab, or a fold of it."""

    studio: Studio
    setup: Setup
    where: gr.Tab | gr.Accordion


@dataclass(frozen=True)
class Words:
    """A section's texts, and how it is called in the page: ``charts`` and ``files`` (id: label) stand once precomputed and
    once live; ``seconds`` are those of a run on small and on large networks."""

    prefix: str
    question: str
    reading: str
    charts: Sequence[str]
    files: dict[str, str]
    seconds: tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """``stored``: "said", charts and files by their ids. ``live``: the same of a run, which ``row`` starts."""

    stored: dict[str, Any]
    live: dict[str, Any]
    row: Run

    def missing(self, sentence: str) -> dict[str, Any]:
        """What ``stored`` becomes where nothing was precomputed."""
        return {name: hide() for name in self.stored} | {"said": status(sentence)}


def frame(page: Page, words: Words) -> Frame:
    """Lay a section out."""
    gr.Markdown(words.question, latex_delimiters=LATEX, elem_classes="explain")
    stored = _part(words, gr.HTML(awaited(), elem_id=f"{words.prefix}-status"), "")
    row = run_row(page.studio, page.setup, page.where, words.prefix, _("Measure now ({time})"), words.seconds, silent=True)
    live = _part(words, gr.HTML(elem_id=f"{words.prefix}-live-status"), "-live")
    gr.Markdown(words.reading, latex_delimiters=LATEX, elem_classes="explain")
    return Frame(stored, live, row)


def _part(words: Words, said: gr.HTML, ending: str) -> dict[str, Any]:
    part: dict[str, Any] = {"said": said} | {name: chart(f"{name}{ending}") for name in words.charts}
    with gr.Row():
        return part | {name: download(label, f"{name}{ending}") for name, label in words.files.items()}


def wire(
    page: Page,
    found: Frame,
    stored: Callable[..., Any],
    measure: Callable[..., Iterator[Any]],
    inputs: list[Any],
    restore: Callable[..., Any] | None = None,
) -> None:
    """Let ``stored(network)`` fill the precomputed part, and ``measure(*inputs)`` the live one; see ``Run.wire``."""
    keep_fresh(page.setup, page.where, stored, [page.setup.network], found.stored)
    found.row.wire(measure, inputs, found.live, _("Stopped. What was drawn stays."), restore)
