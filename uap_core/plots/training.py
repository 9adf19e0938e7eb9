"""Training: accuracy by epoch, adversarially trained variants, and rounds of fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, MaxNLocator

from uap_core.experiments.fine_tuning import PAPER_SECTION_4, RoundRow
from uap_core.i18n import _
from uap_core.models.robust_variants import NAMES, ROBUST
from uap_core.plots.axes import BLUE, CRAFTED_ANEW, GREEN, GREY, PATTERN, RED, SIZE, add_legend, draw_bars, dress, open_axes
from uap_core.training.loop import EpochRow


def training_figure(rows: Sequence[EpochRow], title: str) -> Figure:
    """Validation accuracy against the epoch: the training curve of an embedded network."""
    figure, axes = open_axes(_("epoch"), _("accuracy on validation images"), title)
    epochs = [row.epoch for row in rows]
    axes.plot(
        epochs, [row.top5 for row in rows], color=GREEN, lw=2.2, label=_("top-5, at last {rate:.1%}").format(rate=rows[-1].top5)
    )
    axes.plot(
        epochs, [row.top1 for row in rows], color=BLUE, lw=2.2, label=_("top-1, at last {rate:.1%}").format(rate=rows[-1].top1)
    )
    add_legend(axes)
    return figure


def twins_figure(curves: Mapping[str, Sequence[EpochRow]], title: str) -> Figure:
    """Training loss, and accuracy on clean validation images, side by side against the epoch, a line an adversarially trained
    variant, by its id."""
    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    figure.suptitle(fill(title, 66), fontsize=14)
    losses, accuracies = figure.subplots(1, 2)
    dress(losses, _("epoch"), _("loss on what it meets"))
    dress(accuracies, _("epoch"), _("clean top-1, validation images"))
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    losses.set_ylim(0, 1.08 * max((row.loss for rows in curves.values() for row in rows), default=1))
    for twin, rows in curves.items():
        colour, marker = (BLUE, "o") if twin == ROBUST else (RED, "s")
        epochs = [row.epoch for row in rows]
        losses.plot(epochs, [row.loss for row in rows], color=colour, marker=marker, lw=2.2, label=_(NAMES[twin]))
        accuracies.plot(epochs, [row.top1 for row in rows], color=colour, marker=marker, lw=2.2)
    add_legend(losses)
    return figure


ROUND_STYLES = {
    "clean_accuracy": (BLUE, _("clean: right answers")),
    "first_pattern": (PATTERN, _("fooled by the first pattern")),
    "new_pattern": (CRAFTED_ANEW, _("fooled by one crafted anew")),
}


def rounds_figure(rows: Sequence[RoundRow], title: str) -> Figure:
    """A group of bars a round of fine-tuning, as in ``defences_figure``; compared with the paper's figures for a new
    pattern."""
    figure, axes = open_axes(_("rounds of fine-tuning"), _("share of the images"), title)
    width = 0.2
    for place, (name, (colour, label)) in enumerate(ROUND_STYLES.items()):
        x = [row.round + (place - 1.5) * width for row in rows]
        draw_bars(axes, x, width, [getattr(row, name) for row in rows], colour, label)
    theirs, label = PAPER_SECTION_4[: len(rows)], _("the paper: one crafted anew on VGG-F")
    drawn = axes.bar(
        [number + 1.5 * width for number in range(len(theirs))], theirs, width * 0.92, color=GREY, alpha=0.5, label=label
    )
    axes.bar_label(drawn, [f"{100 * value:.0f}" for value in theirs], padding=2, fontsize=9)
    axes.set_xticks([row.round for row in rows])
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure
