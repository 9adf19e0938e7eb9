"""Live runs are offered where their pictures tell the truth about the chosen network; elsewhere a sentence says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, guarded, status


def offer_where_right(studio: Studio, setup: Setup, tab: gr.Tab, runs: Sequence[gr.Button], elem_id: str) -> None:
    """Lay out a note, and switch the buttons ``runs`` of ``tab`` off, with a reason, for networks without right pictures."""
    reason = studio.why_not_live(studio.first_network())
    note = gr.HTML(_said(reason), elem_id=elem_id)
    for run in runs:
        run.interactive = not reason
    told = gr.State(reason)

    def look_live(network: str, before: str) -> tuple[Any, ...]:
        now = studio.why_not_live(network)
        if now == before:  # asked whenever the tab is opened: pictures may have been fetched meanwhile
            return (gr.skip(),) * (2 + len(runs))
        return now, _said(now), *(gr.update(interactive=not now) for _ in runs)

    setup.turn(str(tab.id)).click(
        guarded(2 + len(runs), 1)(look_live), [setup.network, told], [told, note, *runs], trigger_mode="always_last", **QUICK
    )


def _said(reason: str) -> str:
    return status(reason) if reason else ""
