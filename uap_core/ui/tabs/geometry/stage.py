"""What static/geometry.js draws: places and words as JSON, the canvases, and a slider that asks nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from uap_core.errors import DatasetError
from uap_core.i18n import _
from uap_core.ui.widgets import awaited


@dataclass(frozen=True)
class Part:
    """One of the room's views: its column, where it says a sentence, all that ``first`` fills, and ``first`` itself."""

    column: gr.Column
    said: gr.HTML
    shown: list[Any]
    first: Callable[[], dict[Any, Any]]


# Said by the page itself, so that a click is answered at once whatever the server computes.
WAIT: dict[str, Any] = {"fn": None, "inputs": None, "js": f"() => {json.dumps(awaited())}"}
ON_NODE = """element.addEventListener("uap-node", (event) => trigger("click", { node: event.detail }));"""


def alone(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with one thread for its products of matrices: they are small, and on a busy machine threads wait for each
    other longer than they compute."""

    @wraps(function)
    def computing(*args: Any) -> Any:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return function(*args)

    return computing


def stage(elem_id: str) -> gr.HTML:
    """Where a view is drawn; its ``click`` event has the ``node`` of a graph that was picked."""
    return gr.HTML(js_on_load=ON_NODE, elem_id=elem_id)


def uploaded(path: str) -> Path:
    """The file at ``path``, if a visitor uploaded it. Raises DatasetError for any other file of this machine."""
    with suppress(OSError, ValueError, RuntimeError):  # a name that the system does not take, links in a circle
        found = Path(path).resolve()
        if found.is_relative_to(Path(get_upload_folder()).resolve()) and found.is_file():
            return found
    raise DatasetError(_("This file is not here, or no longer: open it again."))


def rounded(values: np.ndarray, digits: int = 3) -> list[float]:
    """An array as a flat list, short when written."""
    return [float(value) for value in np.round(np.asarray(values, dtype=np.float64).ravel(), digits)]


def graph_html(view: dict[str, Any], words: str, key: str) -> str:
    """A graph with a slider over the flips; ``words`` tell what is drawn to who does not see it, ``key`` explains the marks."""
    steps = len(view["steps"])
    slider = _slider(_("Flips applied"), 0, steps, steps) if steps else ""
    canvas = f'<canvas class="graph" tabindex="0" role="img" aria-label="{escape(words)}"></canvas>'
    said = '<p class="geo-said" role="status"></p>'
    return f'<div class="geo" data-geo data-view="{_json(view)}">{canvas}{said}{slider}<p class="key">{key}</p></div>'


def solids_html(
    view: dict[str, Any], before: str, after: str, fooled: bool, morph: bool, curve: str = "", key: str = ""
) -> str:
    """Two solids that turn together, each under its answer; ``curve`` names the eigenvalues below them, if there are any."""
    panels = "".join(
        f'<figure><figcaption>{escape(title)}: <b data-fooled="{"yes" if fooled else "no"}">{escape(name)}</b></figcaption>'
        f'<canvas class="solid" tabindex="0" role="img" aria-label="{escape(f"{title}: {name}")}"></canvas></figure>'
        for title, name in ((_("Before"), before), (_("After"), after))
    )
    slider = _slider(_("From before to after"), 0, 100, 100) if morph else ""
    below = (
        f'<p class="key">{escape(curve)}</p><canvas class="curve" role="img" aria-label="{escape(curve)}"></canvas>'
        if curve
        else ""
    )
    turning = escape(_("Drag to turn both; arrow keys turn them, too."))
    hint = f'<p class="key">{key}{turning}</p>'
    return f'<div class="geo" data-geo data-view="{_json(view)}"><div class="pair">{panels}</div>{slider}{hint}{below}</div>'


def dot(colour: str, words: str) -> str:
    """An entry of the key to a drawing."""
    return f'<i style="background:{colour}"></i>{escape(words)}'


def _slider(label: str, low: int, high: int, value: int) -> str:
    name = escape(label)
    return f'<label>{name} <input type="range" min="{low}" max="{high}" value="{value}" aria-label="{name}"></label>'


def _json(view: dict[str, Any]) -> str:
    return escape(json.dumps(view, separators=(",", ":")))
