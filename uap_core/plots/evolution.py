"""A crafting run: fooling rate on held-out images against image-gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uap_core.experiments.crafting_curve import Point
from uap_core.i18n import _
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, apart, draw_rates, dress

SIDE = (5.8, 3.9)  # inches
LINE = 0.07  # of the height that a label takes
ROOM = 1.5  # the axis reaches so many times as far as the budget: the rest is for the labels


@dataclass(frozen=True)
class Evolution:
    """What a run has shown so far.

    ``points`` were measured on held-out images, ``known`` on some of the craft set, ``signs`` under random signs; ``final`` is
    the rate aimed at on more held-out images. ``stored`` (image-gradients, rate) is a precomputed run of the same method on
    photographs, ``delta`` that of the run, 0 for none, ``target`` the label aimed at, if any.
    """

    budget: int
    points: Sequence[Point] = ()
    known: Sequence[Point] = ()
    signs: Point | None = None
    final: Rate | None = None
    stored: Sequence[tuple[int, Rate]] = ()
    delta: float = 0.0
    target: str = ""


class _End(NamedTuple):
    """Where a line ends, and what is said of it there."""

    height: float
    spent: float
    label: str
    colour: str


def evolution_figure(run: Evolution, title: str) -> Figure:
    """Rates against image-gradients, bands for the 95 % Wilson intervals, each line named at the right end of the axes.

    The axis reaches to the budget from the start, so that curves grow into it.
    """
    # Small and laid out by hand: it stands in a column beside two pictures, and shall not move while it grows.
    figure = Figure(figsize=SIDE, dpi=130)
    axes = figure.add_axes((0.135, 0.15, 0.85, 0.7))
    axes.set_title(fill(title, 50), fontsize=12, loc="left", parse_math=False)
    dress(axes, _("looks at a picture (image-gradients)"), _("share of images") if run.target else _("share of images fooled"))
    for part in (axes.xaxis, axes.yaxis):
        part.label.set_fontsize(11)
    axes.tick_params(labelsize=10)
    reach = max([run.budget, *(point.image_gradients for point in run.points)])
    axes.set_xlim(-0.02 * reach, ROOM * reach)
    axes.set_xticks([reach * part / 4 for part in range(5)])
    axes.xaxis.set_major_formatter("{x:.0f}")
    ends = [*_stored(axes, run), *_live(axes, run)]
    if run.delta:
        label = _("to stop at: {share:.0%}").format(share=1 - run.delta)
        axes.plot([0, reach], [1 - run.delta] * 2, color=GREEN, lw=1.6, ls=":", label=label)
        ends.append(_End(1 - run.delta, reach, _("stop at {share:.0%}").format(share=1 - run.delta), GREEN))
    ends.sort()
    for end, height in zip(ends, apart([end.height for end in ends], LINE), strict=True):
        axes.annotate(
            end.label,
            (end.spent, end.height),
            (reach * 1.05, height),
            color=end.colour,
            fontsize=10,
            va="center",
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": end.colour, "alpha": 0.4, "relpos": (0, 0.5)},
            gid="end",
        )
    return figure


def _stored(axes: Axes, run: Evolution) -> list[_End]:
    """The precomputed run, as far as this one goes."""
    if not run.stored:
        return []
    rows = [row for row in run.stored if row[0] <= run.budget] or list(run.stored[:1])
    label = _("precomputed, on {count} photographs").format(count=rows[-1][1].total)
    axes.plot([spent for spent, _rate in rows], [rate.value for _spent, rate in rows], color=GREY, lw=1.6, label=label)
    precomputed = _("precomputed")
    return [_End(rows[-1][1].value, rows[-1][0], f"{precomputed}: {rows[-1][1].value:.0%}", GREY)]


def _live(axes: Axes, run: Evolution) -> list[_End]:
    """The run's own points."""
    ends = []
    into = _(", into {target!r}").format(target=run.target) if run.target else ""
    lines = [
        (run.known, BLUE, "s", _("images it is made from{into}").format(into=into), _("made from"), "aimed_at"),
        (run.points, RED, "o", _("images it was not made from{into}").format(into=into), _("not made from"), "aimed_at"),
        (
            run.points if run.target else (),
            GREEN,
            "^",
            _("images it was not made from, any other label"),
            _("any label"),
            "fooled",
        ),
    ]
    for points, colour, marker, label, short, what in lines:
        if points:
            rates = [getattr(point, what) for point in points]
            spent = [point.image_gradients for point in points]
            draw_rates(axes, spent, rates, colour, marker, label)
            ends.append(_End(rates[-1].value, spent[-1], f"{short}: {rates[-1].value:.0%}", colour))
    if run.final is not None and run.points:
        low, high = run.final.interval
        errors = [[max(0.0, run.final.value - low)], [max(0.0, high - run.final.value)]]
        label = _("at the end, on {count} images").format(count=run.final.total)
        at = [run.points[-1].image_gradients], [run.final.value]
        axes.errorbar(*at, yerr=errors, color=RED, marker="D", ms=9, capsize=5, lw=2.2, ls="", label=label)
        at_the_end = _("at the end")
        ends.append(_End(run.final.value, at[0][0], f"{at_the_end}: {run.final.value:.0%}", RED))
    if run.signs is not None:
        label = _("random noise of the same strength")
        reach = max([run.budget, *(point.image_gradients for point in run.points)])
        axes.plot([0, reach], [run.signs.fooled.value] * 2, color=GREY, ls="--", lw=1.6, label=label)
        random_noise = _("random noise")
        ends.append(_End(run.signs.fooled.value, reach, f"{random_noise}: {run.signs.fooled.value:.0%}", GREY))
    return ends
