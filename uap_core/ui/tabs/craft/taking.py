"""The button below a fold's run: what it made joins the kept patterns, and all tabs use it if the chosen network takes it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.craft.save import Keeping, list_kept, use_it
from uap_core.ui.widgets import QUICK


def lay_out_use(prefix: str) -> gr.Button:
    """The button ``prefix``-use, hidden until there is something to use."""
    return gr.Button(_("Use it in all tabs"), visible=False, scale=0, min_width=180, elem_id=f"{prefix}-use")


def take(
    studio: Studio, draft: Pattern | None, pattern: str, network: str, own: dict[str, Pattern], asked: tuple[str, int]
) -> dict[str, Any]:
    """The pattern among the kept ones, and the wish to choose it. Raises PerturbationError where there is none."""
    used = use_it(studio, draft, pattern, network, own, asked, "kept")
    return used | list_kept(used["own"], None)


def wire_use(studio: Studio, setup: Setup, keeping: Keeping, use: gr.Button, draft: gr.State, said: gr.HTML) -> None:
    """Let the button take what ``draft`` holds."""
    places: dict[str, Any] = {"said": said, "own": setup.own, "pattern": setup.pattern, "asked": setup.asked}
    places |= {"row": keeping.row, "kept": keeping.kept}
    inputs = [draft, setup.pattern, setup.network, setup.own, setup.asked]
    use.click(filling(take, places, studio), inputs, list(places.values()), **QUICK)
