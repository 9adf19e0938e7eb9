"""Charts are pictures: what each shows goes along in words, as the alternative text of the picture."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

_drawn = gr.Plot.postprocess


class ToldPlot(PlotData):
    """A drawn figure, with the words that Gradio's page puts into the picture's alternative text (access.js tidies them)."""

    chart: str


def drawn_and_told(self: gr.Plot, value: Any) -> PlotData | None:
    """What gr.Plot sends for a Matplotlib figure, and ``described`` with it."""
    drawn = _drawn(self, value)
    if drawn is None or drawn.type != "matplotlib":
        return drawn
    from uap_core.plots.description import described

    return ToldPlot(type=drawn.type, plot=drawn.plot, chart=described(value))
