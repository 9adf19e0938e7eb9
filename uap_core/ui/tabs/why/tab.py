"""The tab Why: where the labels go, in one picture; behind it shared directions, those that matter, bounds."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why import boundaries, directions, feels, labels, limit, lipschitz, worst_direction
from uap_core.ui.tabs.why.flow import flow
from uap_core.ui.tabs.why.frame import Page
from uap_core.ui.tabs.why.stored import answer, caption, moves_of
from uap_core.ui.widgets import awaited, hide, offer, show, status

TITLE = _("Why does one pattern work on all of them?")
OPENING = _("It pushes most of them the same way, towards a few labels.")
GO = _("Where the labels go")
UNKNOWN = _("Nobody has counted yet where the labels go: For researchers, below, counts it.")


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    def labels(self, network: str, pattern: str) -> dict[str, Any]:
        """Sentence, picture, caption and file of the moves that were precomputed."""
        found = moves_of(self.studio, network, pattern)
        if found is None:
            return {"said": lesson(TITLE, OPENING), "picture": "", "below": status(UNKNOWN), "csv": hide()}
        rows = found.table.rows
        said = answer(self.studio, found)
        csv = show(offer("labels.csv", to_csv(rows).encode()))
        caption_below = status(caption(self.studio, found))
        return {"said": lesson(TITLE, said), "picture": flow(rows, said), "below": caption_below, "csv": csv}


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read or drawn before ``tab`` is chosen for the first time."""
    views, page = Views(studio), Page(studio, setup, tab)
    said = gr.HTML(lesson(TITLE, OPENING), elem_id="why-lesson")
    feels.build(page)
    gr.HTML(f'<div class="felt-head"><h3>{escape(GO)}</h3></div>')
    picture = gr.HTML(elem_id="labels-flow")
    below = gr.HTML(awaited(), elem_id="labels-status")
    limit.build(page)
    with gr.Accordion(_("For researchers"), open=False, elem_id="why-more") as fold:
        inside = Page(studio, setup, fold)
        csv = labels.build(inside)
        boundaries.build(inside)
        directions.build(inside)
        lipschitz.build(studio, setup, fold)
        worst_direction.build(studio, setup, fold)
    gr.HTML(next_line("defences", _("What helps?")))
    places = {"said": said, "picture": picture, "below": below, "csv": csv}
    keep_fresh(setup, tab, views.labels, [setup.network, setup.pattern], places)
