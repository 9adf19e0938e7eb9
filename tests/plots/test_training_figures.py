from __future__ import annotations

import io

import pytest
from figure_rows import epoch_rows, legend, round_rows

from uap_core.experiments.fine_tuning import PAPER_SECTION_4
from uap_core.models import robust_variants as twins
from uap_core.plots.training import rounds_figure, training_figure, twins_figure


def test_training_names_its_last_accuracy() -> None:
    assert legend(training_figure(epoch_rows(), "")) == ["top-5, at last 100.0%", "top-1, at last 50.0%"]


def test_twins_are_told_apart_and_drawn_from_their_own_rows() -> None:
    figure = twins_figure({twins.ROBUST: epoch_rows(), twins.UNIVERSAL: epoch_rows()[:3]}, "a title")
    losses, accuracies = figure.axes
    assert (
        legend(figure)
        == [twins.NAMES[twin] for twin in twins.TWINS]
        == ["trained on attacks", "trained on a universal pattern"]
    )
    assert [list(line.get_ydata()) for line in losses.lines] == [[row.loss for row in epoch_rows()[:n]] for n in (10, 3)]
    assert [list(line.get_ydata()) for line in accuracies.lines] == [[row.top1 for row in epoch_rows()[:n]] for n in (10, 3)]
    assert [line.get_color() for line in losses.lines] == [line.get_color() for line in accuracies.lines]
    assert len({line.get_marker() for line in losses.lines}) == 2
    figure.savefig(io.BytesIO())


def test_every_round_shows_the_new_pattern_beside_the_first_and_the_papers() -> None:
    rows = round_rows()
    axes = rounds_figure(rows, "a title").axes[0]
    groups = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axes.containers}
    assert list(groups) == legend(axes.figure)
    assert groups["clean: right answers"] == [row.clean_accuracy.value for row in rows]
    assert groups["fooled by the first pattern"] == [row.first_pattern.value for row in rows]
    assert groups["fooled by one crafted anew"] == [row.new_pattern.value for row in rows]
    assert groups["the paper: one crafted anew on VGG-F"] == list(PAPER_SECTION_4) == [0.937, 0.762, 0.8]
    middles = [bar.get_x() + bar.get_width() / 2 for bars in axes.containers for bar in bars]
    assert sorted(round(middle) for middle in middles) == [0] * 4 + [1] * 4 + [2] * 4
    assert len({round(middle, 3) for middle in middles}) == 4 * len(rows), "side by side, not on top of each other"
    ends = [tuple(end[1] for end in line) for bars in axes.collections for line in bars.get_segments()]
    assert ends[:3] == [pytest.approx(row.clean_accuracy.interval) for row in rows]


@pytest.mark.parametrize("rounds", [1, 4])
def test_fewer_rounds_than_the_paper_has_or_more(rounds: int) -> None:
    axes = rounds_figure(round_rows(rounds), "a title").axes[0]
    assert [len(bars) for bars in axes.containers] == [rounds] * 3 + [min(rounds, 3)]
    assert list(axes.get_xticks()) == list(range(rounds))
