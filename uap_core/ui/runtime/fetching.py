"""Downloads that a visitor starts: what is said while they go, and how they are called off."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.widgets import QUICK, progress_note, status

if TYPE_CHECKING:
    from uap_core.io.download import Fetched


def stopping(button: gr.Button, running: Any, sentence: str, where: gr.HTML) -> Any:
    """Let ``button`` call off the event ``running`` and say so at ``where``."""
    return button.click(None, None, None, cancels=[running]).then(lambda: status(sentence), None, where, **QUICK)


def told(name: str, fetching: Iterable[Fetched]) -> Iterator[str]:
    """A download as sentences with a meter, four a second; after two seconds with the time that is left at this rate."""
    started, shown = time.monotonic(), 0.0
    for fetched in fetching:
        now = time.monotonic()
        if now - shown > 0.25:
            shown, share = now, fetched.share
            known = share > 0 and now - started > 2
            left = _(", about {seconds:.0f} s left").format(seconds=(now - started) * (1 - share) / share) if known else ""
            yield progress_note(f"{name}: {fetched}{left}", share)
