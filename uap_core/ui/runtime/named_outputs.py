"""Handlers that stand on their own, and answer by name: no output is counted, and what is not named stays as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import gradio as gr

from uap_core.ui.widgets import guarded

# Where a handler's answers go, by the names that it calls them by; of a sequence the components are their own names.
Places = Mapping[str, Any] | Sequence[Any]


def named(places: Places) -> dict[Any, Any]:
    """Components by the names that handlers call them by."""
    return dict(places) if isinstance(places, Mapping) else {part: part for part in places}


def filling(handler: Callable[..., Any], places: Places, *first: Any) -> Callable[..., Any]:
    """``answering`` for all of ``places``, the first of which takes the sentence of an error."""
    found = named(places)
    return guarded(len(found), 0)(answering(list(found), given(handler, *first)))


def given(handler: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """The handler with its first arguments; it keeps its name, its mark, and what kind of function it is."""
    if not first:
        return handler
    found = partial(handler, *first)
    found.__name__, found.__annotations__ = handler.__name__, handler.__annotations__  # type: ignore[attr-defined]
    found.takes_selection = getattr(handler, "takes_selection", False)  # type: ignore[attr-defined]
    return found


def answering(places: Sequence[Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    """``handler(*inputs)`` for an event: its {place: value}, or a stream of such, in the order of ``places``.

    Where the handler is marked ``of_selection``, the first five inputs reach it as one. A handler that answers with a tuple has
    put the values in order itself. Raises KeyError for a place that is none of these.
    """
    packs = getattr(handler, "takes_selection", False)

    def ordered(found: Any) -> tuple[Any, ...]:
        if isinstance(found, tuple):
            return found
        if strangers := found.keys() - set(places):
            raise KeyError(f"{handler.__name__} fills {sorted(map(str, strangers))}, which it has not.")
        return tuple(found.get(place, gr.skip()) for place in places)

    def asked(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if not packs:
            return inputs
        from uap_core.ui.selection import Selection

        return (Selection(*inputs[:5]), *inputs[5:])

    def plain(*inputs: Any) -> tuple[Any, ...]:
        return ordered(handler(*asked(inputs)))

    def streaming(*inputs: Any) -> Iterator[tuple[Any, ...]]:
        with closing(handler(*asked(inputs))) as steps:
            yield from map(ordered, steps)

    found = streaming if inspect.isgeneratorfunction(handler) else plain
    found.__name__ = handler.__name__  # what the log calls it
    if not packs:  # the page reads from them whether the event itself is asked for
        found.__wrapped__, found.__annotations__ = handler, handler.__annotations__  # type: ignore[union-attr]
    return found
