"""I-FGSM step by step: the loss, and the size of the change as a share of epsilon."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.experiments.iterates import StepRow
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, open_pair


def steps_figure(rows: Sequence[StepRow], epsilon: float, title: str) -> Figure:
    """Two charts over the number of the step: the cross-entropy, red where the attack has its wish, and l_inf with epsilon."""
    figure, left, right = open_pair(_("step"), _("loss (cross-entropy)"), _("largest change of a pixel (of 255)"), title)
    steps = [row.step for row in rows]
    left.plot(steps, [row.loss for row in rows], "-o", color=BLUE, lw=2.2, label=_("loss"))
    there = [row for row in rows if row.reached]
    if there:
        left.plot(
            [row.step for row in there],
            [row.loss for row in there],
            "o",
            color=RED,
            markersize=8,
            label=_("the label has turned"),
        )
    right.plot(steps, [to_levels(row.linf) for row in rows], "-s", color=GREEN, lw=2.2, label="l_inf")
    right.axhline(to_levels(epsilon), color=GREY, ls="--", lw=1.6, label=_("ε, where it is clipped"))
    right.set_ylim(0, 1.15 * max(to_levels(epsilon), *(to_levels(row.linf) for row in rows)))
    figure.legend(fontsize=12, loc="outside lower center", ncols=4, frameon=False)
    return figure
