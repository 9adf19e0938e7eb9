"""Charts of the regularisers: mean errors and confidences over the seeds, with the interval that so few seeds leave."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from uap_core.experiments.small_networks.regularisers import ARMS, RegulariserRow, spread
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, ONE_PICTURE, PATTERN, add_legend, open_axes

ARM_NAMES = {
    "plain": _("plain"),
    "dropout": _("dropout"),
    "mixture": _("mixture with FGSM"),
    "both": _("dropout and mixture"),
    "lipschitz": _("Lipschitz penalty"),
    "rbf": _("RBF units"),
}


def errors_figure(rows: Sequence[RegulariserRow], title: str) -> Figure:
    """A bar an arm: its mean error on clean digits never seen."""
    figure, axes = open_axes(_("how it was taught"), _("error on digits never seen"), title)
    arms = [arm for arm in ARM_NAMES if any(row.arm == arm for row in rows)]
    found = [[row.errors.value for row in rows if row.arm == arm] for arm in arms]
    _bars(axes, range(len(arms)), 0.6, found, BLUE, _("mean over the seeds"))
    axes.set_ylim(0, 1.25 * max(spread(values)[2] for values in found))
    _name(axes, arms)
    return figure


def confidence_figure(rows: Sequence[RegulariserRow], title: str) -> Figure:
    """Three bars an arm: errors under FGSM, confidence on those, and how often one pattern fools it."""
    figure, axes = open_axes(_("how it was taught"), _("share, or confidence"), title)
    arms = [arm for arm in ARM_NAMES if any(row.arm == arm for row in rows)]
    kinds = (
        (ONE_PICTURE, _("errors under FGSM"), lambda row: row.attacked.value),
        (BLUE, _("confidence on those errors"), lambda row: row.sure_when_wrong or 0.0),
        (PATTERN, _("fooled by one pattern"), lambda row: row.universal.value if row.universal else 0.0),
    )
    for place, (colour, label, of) in enumerate(kinds):
        found = [[of(row) for row in rows if row.arm == arm] for arm in arms]
        _bars(axes, [group + 0.27 * (place - 1) for group in range(len(arms))], 0.25, found, colour, label)
    axes.set_ylim(0, 1.08)
    _name(axes, arms)
    add_legend(axes)
    return figure


def alpha_figure(rows: Sequence[RegulariserRow], title: str) -> Figure:
    """The mixture's mean errors against alpha, clean and under FGSM; alpha 1 is plain."""
    figure, axes = open_axes(_("alpha: the weight of the clean loss"), _("error on digits never seen"), title)
    alphas = sorted({row.alpha for row in rows})
    found = [spread([row.errors.value for row in rows if row.alpha == alpha]) for alpha in alphas]
    axes.plot(alphas, [middle for middle, _low, _high in found], "o-", color=BLUE, lw=2.2, label=_("clean digits"))
    axes.fill_between(alphas, [low for _m, low, _h in found], [high for _m, _l, high in found], color=BLUE, alpha=0.13, lw=0)
    axes.set_ylim(0, 1.25 * max(high for _m, _l, high in found))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    return figure


def of_alphas(rows: Sequence[RegulariserRow]) -> list[RegulariserRow]:
    """The rows of the mixture at every alpha, and plain, which is the mixture at 1."""
    return [row for row in rows if row.arm in ("plain", "mixture") or row.arm not in ARMS]


def _bars(axes: Axes, x: Sequence[float], width: float, found: Sequence[Sequence[float]], colour: str, label: str) -> None:
    ends = [spread(values) for values in found]
    axes.bar(x, [middle for middle, _low, _high in ends], width, color=colour, label=label)
    axes.vlines(x, [max(0.0, low) for _m, low, _h in ends], [high for _m, _l, high in ends], color="black", lw=1)
    for at, (middle, _low, high) in zip(x, ends, strict=True):
        axes.annotate(f"{100 * middle:.3g}", (at, high), (0, 2), textcoords="offset points", ha="center", fontsize=9)


def _name(axes: Axes, arms: Sequence[str]) -> None:
    axes.set_xticks(range(len(arms)), [fill(ARM_NAMES[arm], 11) for arm in arms], fontsize=10)
    axes.grid(axis="x", visible=False)
