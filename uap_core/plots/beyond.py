"""Fooling rates against the size of a universal change of graphs, clouds or shapes."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, add_legend, draw_rates, open_axes

LOOKS = ((RED, "o"), (GREY, "s"), (BLUE, "^"), (GREEN, "D"))


def size_figure(lines: Sequence[tuple[str, Sequence[float], Sequence[Rate]]], x_label: str, y_label: str, title: str) -> Figure:
    """A line through the rates of each of ``lines``, (name, sizes, rates), with 95 % Wilson intervals as bands."""
    figure, axes = open_axes(x_label, y_label, title)
    for (name, sizes, rates), (colour, marker) in zip(lines, LOOKS, strict=False):
        draw_rates(axes, sizes, rates, colour, marker, name)
    add_legend(axes)
    return figure
