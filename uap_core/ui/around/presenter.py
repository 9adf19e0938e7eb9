"""Presenter mode: two large pictures, two large words and keys for a projector (static/presenter.css, presenter.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK

if TYPE_CHECKING:
    from uap_core.ui.sidebar import Setup


def build(demo: gr.Blocks) -> None:
    """The button; presenter.js does the rest."""
    button = gr.Button(_("Presenter"), size="sm", scale=0, min_width=0, elem_id="present")
    button.click(None, None, None, js="() => uapPresenter.toggle()")
    demo.load(None, None, None, js="() => uapPresenter.mark()")


def wire(studio: Studio, setup: Setup) -> None:
    """The key N chooses the next network."""

    def following(network: str, wanted: tuple[str, int]) -> tuple[str, int]:
        keys = [key for _, key in studio.networks()]
        return keys[(keys.index(network) + 1) % len(keys) if network in keys else 0], wanted[1] + 1

    setup.turn("next-network").click(following, [setup.network, setup.wanted], setup.wanted, **QUICK)
