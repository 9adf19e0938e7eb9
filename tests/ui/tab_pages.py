"""A page of one tab above the bar of choices, as the page builds it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from uap_core.ui import choosing, sidebar
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio


def page_of(build: Callable[[Studio, Setup, gr.Tab], Any], studio: Studio | None = None) -> gr.Blocks:
    """``build`` lays out and wires the tab."""
    studio = studio or Studio()
    with gr.Blocks() as demo:
        bar = sidebar.build(studio, demo)
        with gr.Tab() as tab:
            build(studio, bar.setup, tab)
        choosing.wire(studio, bar, demo)
    return demo


def handlers_of(page: gr.Blocks) -> dict[str, Callable[..., Any]]:
    """The functions of a page by name, as it calls them for one and the same visitor."""
    functions = [function.fn for function in page.fns.values() if function.fn]
    return {function.__name__: as_called(function) for function in functions}


def as_called(function: Callable[..., Any]) -> Callable[..., Any]:
    """For one and the same visitor."""
    first = next(iter(inspect.signature(function).parameters), "")
    return partial(function, gr.Request(session_hash="visitor")) if first == "request" else function


def by_id(answer: dict[Any, Any]) -> dict[str, Any]:
    """What a handler sends, {component: value}, by the ids of the page; states, which have none, by their kind."""
    return {getattr(part, "elem_id", None) or type(part).__name__.lower(): value for part, value in answer.items()}


def looked(page: gr.Blocks, view: str, *choices: Any) -> tuple[Any, ...]:
    """What a view shows for ``choices`` that it has not seen before."""
    return tuple(handlers_of(page)[f"look_{view}"]("", *choices)[1:])


def handlers_by_button(build: Callable[[Studio, Setup, gr.Tab], Any], title: str) -> dict[str, Callable[..., Any]]:
    """The functions of a tab behind its buttons, by the id of the button; of others by name. ``begun`` moves buttons only."""
    studio = Studio()
    with gr.Blocks() as demo:
        setup = sidebar.build(studio, demo).setup
        with gr.Tabs(), gr.Tab(title, elem_id=title.lower()) as tab:
            before = set(demo.fns)
            build(studio, setup, tab)
    found: dict[str, Callable[..., Any]] = {}
    for key, event in demo.fns.items():
        if event.fn is None or event.fn.__name__ == "begun":
            continue
        for target, name in event.targets if key not in before else ():
            elem_id = demo.blocks[target].elem_id if target is not None else ""
            found.setdefault(elem_id or name, as_called(event.fn))
        if event.name:
            found.setdefault(event.name, as_called(event.fn))
    return found
