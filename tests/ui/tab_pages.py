"""A page of one tab beside the panel of choices, as the page builds it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from uap_core.ui import sidebar as setup_panel
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio


def page_of(build: Callable[[Studio, Setup, gr.Tab], Any], studio: Studio | None = None) -> gr.Blocks:
    """``build`` lays out and wires the tab."""
    studio = studio or Studio()
    with gr.Blocks() as demo:
        setup = setup_panel.build(studio, demo).setup
        with gr.Tab() as tab:
            build(studio, setup, tab)
    return demo


def handlers_of(page: gr.Blocks) -> dict[str, Callable[..., Any]]:
    """The functions of a page by name, as it calls them for one and the same visitor."""
    functions = [function.fn for function in page.fns.values() if function.fn]
    return {function.__name__: as_called(function) for function in functions}


def as_called(function: Callable[..., Any]) -> Callable[..., Any]:
    """For one and the same visitor."""
    first = next(iter(inspect.signature(function).parameters), "")
    return partial(function, gr.Request(session_hash="visitor")) if first == "request" else function
