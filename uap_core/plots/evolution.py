"""A crafting run: fooling rate on held-out images against image-gradients."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.experiments.crafting_curve import Point
from uap_core.i18n import _
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE, GREY, ORANGE, RED, add_legend, draw_rates, open_axes


def evolution_figure(
    points: Sequence[Point], signs: Point, budget: int, title: str, target: str = "", final: Rate | None = None
) -> Figure:
    """Held-out rates against image-gradients, bands for the 95 % Wilson intervals, random signs (``signs``) as a line.

    With a ``target`` the share that becomes it, and the fooling rate beside it. ``final`` is the rate aimed at on more images,
    drawn at the end with its interval. The axis has the length of ``budget`` from the start.
    """
    figure, axes = open_axes(_("image-gradients spent"), _("share of held-out images"), title)
    spent = [point.image_gradients for point in points]
    if target:
        draw_rates(axes, spent, [point.aimed_at for point in points], RED, "o", _("into {target!r}").format(target=target))
    any_label = _("any other label") if target else _("fooled")
    draw_rates(axes, spent, [point.fooled for point in points], BLUE if target else RED, "s" if target else "o", any_label)
    axes.axhline(signs.fooled.value, color=GREY, ls="--", lw=1.8, label=_("random signs of the same size"))
    if final is not None and spent:
        low, high = final.interval
        errors = [[max(0.0, final.value - low)], [max(0.0, high - final.value)]]
        label = _("at the end, on {count} images").format(count=final.total)
        axes.errorbar(
            [spent[-1]], [final.value], yerr=errors, color=ORANGE, marker="D", ms=9, capsize=5, lw=2.2, ls="", label=label
        )
    axes.set_xlim(-0.02 * budget, 1.04 * max([budget, *spent]))
    add_legend(axes)
    return figure
