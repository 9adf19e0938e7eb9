"""The room "Two networks": one makes, the other judges; in one dimension, with drawn digits, and as a defence."""

from __future__ import annotations

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games import defence, digits, duel

TITLE = _("Two networks against each other: who wins?")
ANSWER = _("Played well, neither: what one makes can no longer be told from the real thing, and the other is left guessing.")


def build(studio: Studio) -> None:
    """Lay out the room."""
    gr.HTML(lesson(TITLE, ANSWER))
    duel.build()
    digits.build(studio)
    gr.HTML(defence.link(studio))
    gr.HTML(next_line("generator", _("Can a network learn to make the patterns?")))
