"""A tab or a fold computes what it shows when somebody looks: when it is opened, and for each new choice while it is open.

refresh.js says which those are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from uap_core.ui.runtime.named_outputs import Places, answering, named
from uap_core.ui.sidebar import Setup
from uap_core.ui.widgets import QUICK, guarded


def keep_fresh(
    setup: Setup,
    where: gr.Tab | gr.Accordion,
    show: Callable[..., Any],
    inputs: Sequence[Any],
    places: Places,
    also: Sequence[Any] = (),
    shown: Sequence[Any] | None = None,
) -> None:
    """Let ``show(*inputs, *also)`` fill ``places`` with its {place: value} while the tab or fold ``where`` they stand is open,
    whenever ``inputs`` are others than those it showed last; the first takes sentences. What changes in ``also`` alone is no
    reason. ``shown`` are the ``inputs`` of what stands there from the start, as the page sends them, if anything does."""
    seen, by_name = gr.State("" if shown is None else fingerprint(shown)), named(places)
    filled, answer = [seen, *by_name.values()], answering(list(by_name), show)

    def look(before: str, *now: Any) -> tuple[Any, ...]:
        key = fingerprint(now[: len(inputs)])
        return (gr.skip(),) * len(filled) if key == before else (key, *answer(*now))

    look.__name__ = f"look_{show.__name__}"  # what the log calls it
    setup.turn_of(where).click(
        guarded(len(filled), 1, {0: ""})(look), [seen, *inputs, *also], filled, trigger_mode="always_last", **QUICK
    )


def fingerprint(choices: Sequence[Any]) -> str:
    """Short words for choices: equal for equal ones. Of a visitor's own patterns the chosen one alone counts, by its values and
    its ball."""
    digest = hashlib.sha256()
    chosen = {choice.removeprefix("own:") for choice in choices if isinstance(choice, str) and choice.startswith("own:")}
    for choice in choices:
        for part in choice.items() if isinstance(choice, dict) else [(choice, None)]:
            key, pattern = part
            if pattern is not None and key not in chosen:
                continue
            digest.update(repr(key).encode() + b"\0")
            if pattern is not None:
                digest.update(f"{pattern.p} {pattern.radius}".encode() + pattern.values.tobytes())
    return digest.hexdigest()
