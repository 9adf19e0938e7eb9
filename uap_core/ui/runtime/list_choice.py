"""A choice in a list, told once: of one by the pointer Gradio's page tells twice that it is an input, and once of a list that
the keyboard only passes; that it changed it tells of what a program sets, too. refresh.js takes what is both for a choice."""

from __future__ import annotations

from typing import Any

import gradio as gr

from uap_core.ui.sidebar import Setup


def on_choice(setup: Setup, chosen: gr.Dropdown) -> Any:
    """The event of another choice by the visitor, by pointer or keyboard, as ``chosen.input`` should be.

    It can have several listeners, but for those that are asked once more ("always_last"): see ``Setup.turn``.
    """
    name = chosen.elem_id
    for event, told in ((chosen.input, "meant"), (chosen.change, "changed")):
        event(None, None, None, js=f"() => uapTurns.told('{name}', '{told}')")
    return setup.turn(f"list-{name}").click
