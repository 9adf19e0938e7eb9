"""A tab computes what it shows when somebody looks: when it is opened, and for each new choice as long as it is open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from uap_core.ui.setup_panel import Setup
from uap_core.ui.widgets import QUICK, guarded


def keep_fresh(
    setup: Setup,
    tab: gr.Tab,
    show: Callable[..., tuple[Any, ...]],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    also: Sequence[Any] = (),
) -> None:
    """Let ``show(*inputs, *also)`` fill ``outputs``, the first of which takes a sentence, whenever ``inputs`` are others than
    those it showed last. What changes in ``also`` alone is no reason."""
    seen = gr.State("")
    filled = [seen, *outputs]

    def look(before: str, *now: Any) -> tuple[Any, ...]:
        key = fingerprint(now[: len(inputs)])
        return (gr.skip(),) * len(filled) if key == before else (key, *show(*now))

    def follow(open_tab: str, before: str, *now: Any) -> tuple[Any, ...]:
        return look(before, *now) if open_tab == tab.id else (gr.skip(),) * len(filled)

    # First it is noted that the tab is open: a choice made meanwhile is then seen by one of the two.
    setup.opened(tab).then(guarded(len(filled), 1)(look), [seen, *inputs, *also], filled, **QUICK)
    for event in setup.changed:
        event.then(guarded(len(filled), 1)(follow), [setup.open_tab, seen, *inputs, *also], filled, **QUICK)


def fingerprint(choices: Sequence[Any]) -> str:
    """Short words for choices: equal for equal ones, a visitor's own patterns told apart by their values."""
    digest = hashlib.sha256()
    for choice in choices:
        for part in choice.items() if isinstance(choice, dict) else [(choice, None)]:
            key, pattern = part
            digest.update(repr(key).encode() + b"\0")
            if pattern is not None:
                digest.update(pattern.values.tobytes())
    return digest.hexdigest()
