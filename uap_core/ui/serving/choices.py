"""A choice arrives as what its list offers: a text where that offers texts, a number where it offers numbers.

A page sends nothing else, and handlers look keys up, where a list or an object would be no key at all. So what is of another
kind is refused in front of them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

WRONG_CHOICE = "A choice was sent that no list here offers. Load the page again, and choose there."
TEXT, NUMBER = "text", "number"


def takes(components: Sequence[Any], data: Any) -> bool:
    """Whether every list and row of chips among ``components`` gets a value of a kind that it offers; what else is sent, and
    how much of it, is for others to judge."""
    if not isinstance(data, list):
        return True
    return all(_fits(part, value) for part, value in zip(components, data, strict=False))


def _fits(part: Any, value: Any) -> bool:
    if isinstance(part, gr.CheckboxGroup) or (isinstance(part, gr.Dropdown) and part.multiselect):
        return value is None or (isinstance(value, list) and all(_kind(one) in _offered(part) for one in value))
    if isinstance(part, gr.Dropdown | gr.Radio):
        return part.value is None if value is None else _kind(value) in _offered(part)
    return True


def _offered(part: Any) -> set[str]:
    """The kinds of a component's choices; texts where they come later."""
    return {_kind(value) for _name, value in part.choices} or {TEXT}


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return TEXT
    return NUMBER if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
