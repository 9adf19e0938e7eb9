"""What helps: each defence against a fixed pattern and one crafted against it, and the ROC of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from uap_core.defences.names import CLEAN_KINDS, defence_name
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.detector import NAMES, DetectorRow
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, CRAFTED_ANEW, GREEN, GREY, NOISE, PATTERN, RED, SKY, add_legend, draw_bars, open_axes

FOOLED_BY = {
    "fixed": (PATTERN, _("fooled by the fixed pattern")),
    "crafted_anew": (CRAFTED_ANEW, _("fooled by one crafted anew through it")),
    "random_signs": (NOISE, _("fooled by random noise")),
}


def defences_figure(rows: Sequence[DefenceRow], title: str) -> Figure:
    """A group of bars a defence: its clean figure and its three fooling rates, in per cent, with 95 % Wilson intervals."""
    figure, axes = open_axes(_("in front of the network, or in its place"), _("share of the images"), title)
    kinds = " / ".join(_(CLEAN_KINDS[kind]) for kind in dict.fromkeys(row.clean_is for row in rows))
    clean = {"clean": (BLUE, _("clean: {kinds}").format(kinds=kinds))}
    width = 0.2
    for place, (name, (colour, label)) in enumerate((clean | FOOLED_BY).items()):
        x = [group + (place - 1.5) * width for group in range(len(rows))]
        draw_bars(axes, x, width, [getattr(row, name) for row in rows], colour, label)
    axes.set_xticks(range(len(rows)), [fill(defence_name(row.defence), 11) for row in rows], fontsize=10)
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure


DETECTED_STYLES = ((RED, "o"), (SKY, "D"), (GREY, "s"), (BLUE, "^"), (GREEN, "v"))


def detector_figure(rows: Sequence[DetectorRow], title: str) -> Figure:
    """Share of attacked images detected against the share of clean ones that are taken for attacked, a line an attack.

    The legend has the area under it and how many images the attack fools.
    """
    figure, axes = open_axes(_("clean images that raise the alarm"), _("attacked images that do"), title)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.plot([0, 1], [0, 1], ":", color=GREY, lw=1.5)
    for attack, (colour, marker) in zip(dict.fromkeys(row.attack for row in rows), DETECTED_STYLES, strict=False):
        mine = [row for row in rows if row.attack == attack]
        area = f"AUC {mine[0].auc:.2f} ({mine[0].auc_low:.2f}-{mine[0].auc_high:.2f})"
        fools = _("fools {rate:.0%}").format(rate=mine[0].fooled.value)
        label = f"{_(NAMES[attack])}:\n{area}, {fools}"
        x, y = [row.false_alarms.value for row in mine], [row.detected.value for row in mine]
        axes.plot(x, y, color=colour, marker=marker, markersize=4, lw=2.2, label=label)
    add_legend(axes)
    return figure
