"""The button below a fold's run: what it made joins the visitor's patterns, and all tabs use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.session_patterns import add_own, gone_sentence
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern
from uap_core.ui.widgets import QUICK, status


def lay_out_use(prefix: str) -> gr.Button:
    """The button ``prefix``-use, hidden until there is something to use."""
    return gr.Button(_("Use it in all tabs"), visible=False, scale=0, min_width=180, elem_id=f"{prefix}-use")


def take(draft: Pattern | None, own: dict[str, Pattern], asked: tuple[str, int]) -> dict[str, Any]:
    """The pattern among the visitor's own, and the wish to choose it."""
    if draft is None:
        raise PerturbationError(_("Craft a pattern first."))
    now = add_own(own, replace(draft, origin="kept"))
    said = _("{name} is chosen, and all tabs use it.").format(name=draft.name) + gone_sentence(own, now)
    return {"said": status(said), "own": now, "asked": (f"own:{draft.name}", asked[1] + 1)}


def wire_use(setup: Setup, use: gr.Button, draft: gr.State, said: gr.HTML) -> None:
    """Let the button take what ``draft`` holds."""
    places = {"said": said, "own": setup.own, "asked": setup.asked}
    use.click(filling(take, places), [draft, setup.own, setup.asked], list(places.values()), **QUICK)
