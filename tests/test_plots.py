from __future__ import annotations

import io
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from uap_core.attacks.menu import FOOLED, HELD
from uap_core.experiments.comparison import Contender
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.detector import DetectorRow
from uap_core.experiments.fine_tuning import PAPER_SECTION_4, RoundRow
from uap_core.experiments.lipschitz import LayerRow, RadiusRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.experiments.sweep import EPSILONS, RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.metrics import Rate
from uap_core.models import twins
from uap_core.plots import (
    BLUE,
    PAPER_FIGURE_6,
    Curve,
    _apart,
    comparison_figure,
    convergence_figure,
    defences_figure,
    detector_figure,
    layers_figure,
    photo_figure,
    radii_figure,
    rounds_figure,
    sample_figure,
    sweep_figure,
    training_figure,
    twins_figure,
)
from uap_core.training.recipe import EpochRow


def sweep_rows() -> list[SweepRow]:
    speed = {UNIVERSAL: 5, RANDOM: 1, SINGLE: 9}
    return [
        SweepRow(attack, epsilon, Rate(min(100, round(epsilon * 255 * slope)), 100))
        for epsilon in EPSILONS
        for attack, slope in speed.items()
    ]


def sample_rows(seeds: int = 2) -> list[SampleRow]:
    return [
        SampleRow(size, seed, Rate(size, size), Rate(20 + 10 * n + 4 * seed, 100), 100, 1.0)
        for seed in range(seeds)
        for n, size in enumerate((1, 2, 4, 8))
    ]


def photo_rows(labels: str = "aabb") -> list[PhotoRow]:
    return [PhotoRow(n / 255, "a", 1 - n / 4, "b", n / 4, label) for n, label in enumerate(labels)]


def epoch_rows() -> list[EpochRow]:
    return [EpochRow(n, 4 - n / 10, n / 20, n / 10, 0.1, 1000.0, 30.0) for n in range(1, 11)]


def contenders(lengths: tuple[float, ...] = (4.0, 4.0, 4.1, 0.1, 0.11, 0.0)) -> list[Contender]:
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    return [
        Contender(
            *(f"{n}", f"attack {n}", "any other label", "", picture, "b", 0.5, (FOOLED, HELD)[n % 2], "b", FOOLED, None, True),
            *(0.1, length, 64, 30.0, 0.9, n, n + 1, 0.1),
        )
        for n, length in enumerate(lengths)
    ]


def defence_rows() -> list[DefenceRow]:
    rates = {"none": (100, 90, 80, 20), "JPEG 50": (95, 40, 75, 20), "trained on attacks": (70, 10, 15, 5)}
    return [
        DefenceRow(name, "exact", "right answers", *(Rate(count, 100) for count in counts), 1000, 9.0)
        for name, counts in rates.items()
    ]


def round_rows(rounds: int = 3) -> list[RoundRow]:
    rates = [(70, 80, 80), (69, 50, 10), (68, 52, 30), (67, 51, 35)]
    return [RoundRow(n, *(Rate(count, 100) for count in counts), 9.0 * n) for n, counts in enumerate(rates[:rounds])]


def detector_rows() -> list[DetectorRow]:
    return [
        DetectorRow(attack, n / 4, Rate(n, 4), Rate(min(4, n + extra), 4), 0.5 + extra / 8, 0.4, 0.9)
        for attack, extra in (("universal pattern", 2), ("random signs", 0))
        for n in range(5)
    ]


FIGURES = {
    "comparison": lambda: comparison_figure(contenders(), "a title"),
    "sweep": lambda: sweep_figure(sweep_rows(), "a title"),
    "photo": lambda: photo_figure(photo_rows(), "a title"),
    "sample": lambda: sample_figure([Curve(sample_rows(), "mine", BLUE)], "a title"),
    "defences": lambda: defences_figure(defence_rows(), "a title"),
    "detector": lambda: detector_figure(detector_rows(), "a title"),
    "rounds": lambda: rounds_figure(round_rows(), "a title"),
    "training": lambda: training_figure(epoch_rows(), "a title"),
}


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_can_be_saved(name: str, kind: str) -> None:
    stream = io.BytesIO()
    FIGURES[name]().savefig(stream, format=kind)
    assert stream.tell() > 1000
    if kind == "png":
        stream.seek(0)
        pixels = np.asarray(Image.open(stream).convert("L"))
        assert pixels.std() > 5  # something is drawn


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "comparison"])  # which shows lengths
def test_shares_go_from_0_to_100_percent_and_everything_is_named(name: str) -> None:
    axes = FIGURES[name]().axes[0]
    low, high = axes.get_ylim()
    assert -0.05 <= low <= 0
    assert 1 <= high <= 1.05
    assert axes.yaxis.get_major_formatter()(0.5) in ("50%", "50.0%")
    assert all((axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()))


def test_a_sweep_draws_its_numbers_with_their_intervals() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines) == legend(figure) == [UNIVERSAL, RANDOM, SINGLE]
    assert list(lines[SINGLE].get_xdata()) == pytest.approx([epsilon * 255 for epsilon in EPSILONS])
    assert list(lines[UNIVERSAL].get_ydata()) == [min(1, round(epsilon * 255 * 5) / 100) for epsilon in EPSILONS]
    assert len(figure.axes[0].collections) == 3
    band = figure.axes[0].collections[1].get_paths()[0].vertices[:, 1]
    low, high = Rate(20, 100).interval  # random signs at 20/255
    assert band.max() == pytest.approx(high)
    assert min(abs(band - low)) < 1e-9
    marks = {line.get_marker() for line in lines.values()}
    assert len(marks) == 3  # told apart without colours


def test_a_sweep_of_one_attack_is_enough() -> None:
    assert legend(sweep_figure([row for row in sweep_rows() if row.attack == RANDOM], "")) == [RANDOM]
    assert sweep_figure([], "nothing yet").axes[0].get_legend() is None


def test_a_photo_is_shaded_where_its_label_is_another() -> None:
    assert "prediction changed" in legend(photo_figure(photo_rows("aabb"), ""))
    shade = photo_figure(photo_rows("aabba"), "").axes[0].collections[0].get_paths()
    assert len(shade) == 1
    assert (shade[0].vertices[:, 0].min(), shade[0].vertices[:, 0].max()) == pytest.approx((2, 3))
    assert "prediction changed" not in legend(photo_figure(photo_rows("aaaa"), ""))


def test_random_signs_are_a_line_to_compare_with() -> None:
    figure = sample_figure([Curve(sample_rows(), "mine", BLUE)], "", paper=False, random_signs=0.18)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "random signs of the same size")
    assert set(line.get_ydata()) == {0.18}


def test_a_sample_curve_is_the_mean_over_seeds_on_a_log_axis() -> None:
    figure = sample_figure([Curve(sample_rows(), "mine", BLUE)], "", paper=False)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    line = axes.containers[0].lines[0]
    assert list(line.get_xdata()) == [1, 2, 4, 8]
    assert list(line.get_ydata()) == pytest.approx([0.22, 0.32, 0.42, 0.52])
    bars = axes.containers[0].lines[2][0].get_segments()
    assert bars[0][:, 1].tolist() == pytest.approx([Rate(20, 100).interval[0], Rate(24, 100).interval[1]])
    assert legend(figure) == ["mine"]


def test_the_papers_curve_is_beside_it_when_asked_for() -> None:
    figure = sample_figure([], "")
    (line,) = figure.axes[0].get_lines()
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == list(PAPER_FIGURE_6)
    assert "paper" in legend(figure)[0]


def test_training_names_its_last_accuracy() -> None:
    assert legend(training_figure(epoch_rows(), "")) == ["top-5, at last 100.0%", "top-1, at last 50.0%"]


def test_convergence_names_each_line_at_its_end() -> None:
    rows = [
        ConvergenceRow(method, 0, spent, 1.0, Rate(count, 100))
        for method, counts in {"default": (10, 80), "spgd": (20, 79), "sga": (5, 78)}.items()
        for spent, count in zip((16, 2000), counts, strict=True)
    ]
    figure = convergence_figure(rows, "title")
    (axes,) = figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.1, 0.8], [0.2, 0.79], [0.05, 0.78]]
    assert {text.get_text() for text in axes.texts} == {"ours 80%", "SPGD 79%", "SGA 78%"}
    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert all(b - a > 0.05 for a, b in pairwise(heights)), "names may not cover each other"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_are_moved_apart_in_their_order(heights: list[float]) -> None:
    found = _apart(sorted(heights), 0.055)
    assert all(b - a >= 0.055 - 1e-9 for a, b in pairwise(found))
    assert max(found) <= 1


def test_names_far_apart_stay() -> None:
    assert _apart([0.1, 0.5, 0.9], 0.055) == [0.1, 0.5, 0.9]


def test_convergence_of_nothing_is_an_empty_chart() -> None:
    assert not convergence_figure([], "title").axes[0].lines


def test_a_first_point_has_one_tick_which_is_its_size() -> None:
    figure = sample_figure([Curve(sample_rows()[:1], "mine", BLUE)], "", paper=False)
    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [sample_rows()[0].images]


def test_a_comparison_names_every_attack_that_changed_something_and_no_name_covers_another() -> None:
    figure = comparison_figure(contenders(), "a title")
    names = {text.get_text(): text.xyann[1] for text in figure.axes[0].texts}
    assert sorted(names) == [f"attack {n}" for n in range(5)]
    heights = sorted(names.values())
    assert all(above - below > 0.05 for below, above in pairwise(heights))
    points = {tuple(line.get_xydata()[0]) for line in figure.axes[0].lines}
    assert len(points) == 2, "those that fooled, and those that held"
    assert comparison_figure(contenders((0.0,)), "nothing moved").axes[0].texts[:] == []


def test_every_defence_shows_both_patterns() -> None:
    figure, rows = defences_figure(defence_rows(), "a title"), defence_rows()
    groups = {bars.get_label(): [bar.get_height() for bar in bars] for bars in figure.axes[0].containers}
    assert list(groups) == legend(figure)
    assert groups["fooled by the fixed pattern"] == [row.fixed.value for row in rows]
    assert groups["fooled by one crafted anew through it"] == [row.crafted_anew.value for row in rows]
    assert groups["clean: right answers"] == [row.clean.value for row in rows]
    middles = [bar.get_x() + bar.get_width() / 2 for bars in figure.axes[0].containers for bar in bars]
    assert len({round(middle, 3) for middle in middles}) == 4 * len(rows), "side by side, not on top of each other"
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][1] == "JPEG 50"


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


def test_twins_are_told_apart_and_drawn_from_their_own_rows() -> None:
    figure = twins_figure({twins.ROBUST: epoch_rows(), twins.UNIVERSAL: epoch_rows()[:3]}, "a title")
    losses, accuracies = figure.axes
    assert legend(figure) == list(twins.TWINS)
    assert [list(line.get_ydata()) for line in losses.lines] == [[row.loss for row in epoch_rows()[:n]] for n in (10, 3)]
    assert [list(line.get_ydata()) for line in accuracies.lines] == [[row.top1 for row in epoch_rows()[:n]] for n in (10, 3)]
    assert [line.get_color() for line in losses.lines] == [line.get_color() for line in accuracies.lines]
    assert len({line.get_marker() for line in losses.lines}) == 2
    figure.savefig(io.BytesIO())


def test_a_detectors_curve_names_its_area() -> None:
    figure, rows = detector_figure(detector_rows(), "a title"), detector_rows()
    assert legend(figure)[0] == "universal pattern, AUC 0.75 (0.40-0.90)"
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines[legend(figure)[0]].get_xdata()) == [row.false_alarms.value for row in rows[:5]]
    assert list(lines[legend(figure)[0]].get_ydata()) == [row.detected.value for row in rows[:5]]


def layer_rows() -> list[LayerRow]:
    return [
        LayerRow("stem", "convolution", "8 x 3 x 3 x 3", "2 x 2", 4.0, 3.9, 4.0),
        LayerRow("sum 1", "sum", "", "", None, None, 9.0),
        LayerRow("mean 1", "mean", "", "", 0.25, None, 2.0),
        LayerRow("exp 1", "exp", "", "", math.inf, None, math.inf, "No bound is known."),
        LayerRow("head", "fully connected", "5 x 8", "", 2.5, None, math.inf),
    ]


def test_layers_are_bars_about_one_and_those_without_a_bound_are_left_out() -> None:
    figure = layers_figure(layer_rows(), "a title")
    (axes,) = figure.axes
    bars = {round(patch.get_x() + patch.get_width() / 2): patch for patch in axes.patches}
    assert {place: bar.get_y() + bar.get_height() for place, bar in bars.items()} == {0: 4.0, 1: 0.25, 2: 2.5}
    assert all(bar.get_y() == 1 for bar in bars.values())
    assert [label.get_text() for label in axes.get_xticklabels()] == ["stem", "mean 1", "head"]
    assert len({bar.get_facecolor() for bar in bars.values()}) == 3
    assert set(legend(figure)) == {"convolutions", "fully connected", "others", "power method, real size"}
    low, high = axes.get_ylim()
    assert low <= 0.25
    assert high >= 4
    figure.savefig(io.BytesIO())


def test_radii_are_drawn_in_the_order_of_what_was_found_and_a_picture_that_held_has_no_upper_end() -> None:
    lengths = [("b", 1e-41, 0.5), ("c", 3e-41, None), ("a", 2e-41, 0.1)]
    rows = [RadiusRow(name, "x", 1, certified, found, 1) for name, certified, found in lengths]
    figure = radii_figure(rows, "a title")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    found, certified = lines["DeepFool alters the label"], lines["below: certified"]
    assert list(found.get_ydata()) == [0.1, 0.5]
    assert list(found.get_xdata()) == [1, 2]
    assert list(certified.get_ydata()) == [2e-41, 1e-41, 3e-41]
    figure.savefig(io.BytesIO())


def test_nothing_to_draw_is_no_error() -> None:
    for figure in (layers_figure([], ""), radii_figure([], ""), radii_figure([RadiusRow("a", "x", 1, 0.0, None, 0)], "")):
        figure.savefig(io.BytesIO())
