"""How fast does each method find a pattern: the fooling rate against what was spent."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.experiments.convergence import ConvergenceRow
from uap_core.plots.axes import BLUE, GREEN, GREY, ORANGE, RED, apart, open_axes
from uap_core.texts import _

METHOD_STYLES = {
    "default": (BLUE, "o", _("ours")),
    "cosine": (ORANGE, "s", "Cos-UAP"),
    "margin": (GREEN, "^", "DF-UAP"),
    "spgd": (RED, "v", "SPGD"),
    "sga": ("#CC79A7", "D", "SGA"),
    "deepfool": (GREY, "P", _("DeepFool, in batches")),
    "singular": ("#56B4E9", "X", "SV-UAP"),
}


def convergence_figure(rows: Sequence[ConvergenceRow], title: str) -> Figure:
    """Held-out fooling rate against image-gradients (log scale), a line a method, named at its end."""
    figure, axes = open_axes(_("image-gradients spent"), _("fooling rate, held-out"), title)
    ends = []
    for method, (colour, marker, label) in METHOD_STYLES.items():
        mine = [row for row in rows if row.method == method]
        if mine:
            spent, rates = [row.image_gradients for row in mine], [row.held_out_rate.value for row in mine]
            axes.plot(spent, rates, color=colour, marker=marker, lw=2.2)
            ends.append((rates[-1], spent[-1], f"{label} {rates[-1]:.0%}", colour))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:.0f}")
    if ends:
        reach = max(x for _, x, _, _ in ends)
        for height, (rate, x, label, colour) in zip(apart([end[0] for end in sorted(ends)], 0.055), sorted(ends), strict=True):
            axes.annotate(
                label,
                (x, rate),
                (reach * 1.15, height),
                color=colour,
                fontsize=12,
                va="center",
                arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.4, "relpos": (0, 0.5)},
                annotation_clip=False,
            )
        axes.set_xlim(right=reach * 3.2)
    return figure
