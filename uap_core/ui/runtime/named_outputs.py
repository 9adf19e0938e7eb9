"""Handlers that stand on their own, and answer by name: no output is counted, and what is not named stays as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import gradio as gr


def answering(places: Sequence[str], handler: Callable[..., Any], *given: Any) -> Callable[..., Any]:
    """``handler(*given, *inputs)`` for an event: its {place: value}, or a stream of such, in the order of ``places``.

    Raises KeyError for a place that is none of these.
    """

    def ordered(found: Mapping[str, Any]) -> tuple[Any, ...]:
        if strangers := found.keys() - set(places):
            raise KeyError(f"{handler.__name__} fills {sorted(strangers)}, which it has not.")
        return tuple(found.get(place, gr.skip()) for place in places)

    def plain(*inputs: Any) -> tuple[Any, ...]:
        return ordered(handler(*given, *inputs))

    def streaming(*inputs: Any) -> Iterator[tuple[Any, ...]]:
        with closing(handler(*given, *inputs)) as steps:
            yield from map(ordered, steps)

    found = streaming if inspect.isgeneratorfunction(handler) else plain
    found.__name__ = handler.__name__  # what the log calls it
    return found
