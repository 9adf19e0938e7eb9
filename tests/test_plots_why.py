"""The figures of the tab Why: numbers as they are, names that can be read."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

from uap_core.experiments.directions import FAST, MEAN, RANDOM, SINGLE, SUM, UNIVERSAL, DirectionRow
from uap_core.experiments.dominant import Move
from uap_core.experiments.normals import FULL, NORMALS, SPAN, SingularRow, SubspaceRow
from uap_core.experiments.normals import RANDOM as RANDOM_VECTORS
from uap_core.metrics import Rate
from uap_core.plots import SMALL_NAMES, STARS, directions_figure, labels_figure, singular_figure, subspace_figure

SINGULAR = [SingularRow(n, 8 / n, NORMALS) for n in range(1, 5)] + [SingularRow(n, 1.1, RANDOM_VECTORS) for n in range(1, 5)]
SUBSPACE = [
    row
    for norm in (4.0, 8.0)
    for row in (
        SubspaceRow(FULL, 192, norm, Rate(10, 100)),
        *(SubspaceRow(SPAN, d, norm, Rate(30 + int(norm), 100)) for d in (1, 5, 20)),
    )
]
DIRECTIONS = [
    DirectionRow(name, norm, Rate(int(slope * norm), 100))
    for slope, name in enumerate((MEAN, RANDOM, FAST, SINGLE, SUM, UNIVERSAL), start=1)
    for norm in (4.0, 8.0)
]


def moves(hubs: int, most: int = 30) -> list[Move]:
    """Each hub with fewer labels than the one before, and long names among them."""
    return [
        Move(f"label {n} of hub {hub}" + " of the longest name" * (n % 5 == 0), f"hub {hub}", 20 - hub)
        for hub in range(hubs)
        for n in range(max(1, most - 9 * hub))
    ]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize(
    "figure",
    [
        lambda: singular_figure(SINGULAR, "a title"),
        lambda: subspace_figure(SUBSPACE, "a title"),
        lambda: directions_figure(DIRECTIONS, "a title"),
        lambda: labels_figure(moves(7), "a title"),
    ],
    ids=["singular", "subspace", "directions", "labels"],
)
def test_figures_can_be_saved(figure, kind: str) -> None:
    stream = io.BytesIO()
    figure().savefig(stream, format=kind)
    assert stream.tell() > 1000
    if kind == "png":
        stream.seek(0)
        assert np.asarray(Image.open(stream).convert("L")).std() > 5


def test_singular_values_are_drawn_with_the_factor_by_which_they_fall() -> None:
    figure = singular_figure(SINGULAR, "")
    first, second = figure.axes[0].lines
    assert list(first.get_ydata()) == [8, 4, 8 / 3, 2]
    assert list(second.get_ydata()) == [1.1] * 4
    assert legend(figure) == [f"{NORMALS}: first / last = 4", f"{RANDOM_VECTORS}: first / last = 1"]
    assert figure.axes[0].get_ylim() == pytest.approx((0, 8.64))
    assert singular_figure([], "nothing yet").axes[0].lines[:] == []


def test_each_length_has_its_span_and_its_full_space() -> None:
    figure = subspace_figure(SUBSPACE, "")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == [
        "span, l2 2040/255",
        "full space, l2 2040/255: 10%",
        "span, l2 1020/255",
        "full space, l2 1020/255: 10%",
    ]
    assert list(lines["span, l2 1020/255"].get_xdata()) == [1, 5, 20]
    assert list(lines["span, l2 1020/255"].get_ydata()) == [0.34] * 3
    assert set(lines["full space, l2 1020/255: 10%"].get_ydata()) == {0.1}
    first = [row for row in SUBSPACE if row.space == FULL][:1]
    assert len(subspace_figure(first, "the first row of a run").axes[0].lines) == 2


def test_directions_start_where_nobody_is_fooled() -> None:
    axes = directions_figure(DIRECTIONS, "").axes[0]
    named = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert list(named) == [UNIVERSAL, SUM, SINGLE, FAST, RANDOM, MEAN]
    assert list(named[SUM].get_xdata()) == pytest.approx([4 * 255, 8 * 255])
    assert list(named[SUM].get_ydata()) == [0.2, 0.4]
    starts = [line for line in axes.lines if line.get_label().startswith("_")]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in starts] == [(0, 0)] * 6
    low, high = Rate(40, 100).interval
    band = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert (min(abs(band - low)), band.max()) == (pytest.approx(0, abs=1e-9), pytest.approx(high))
    assert len({line.get_marker() for line in named.values()}) == 6


@pytest.mark.parametrize("hubs", [1, 2, 3, 8])
def test_no_name_of_the_graph_covers_another_or_leaves_the_picture(hubs: int) -> None:
    figure = labels_figure(moves(hubs), "a title")
    figure.canvas.draw()
    (axes,) = figure.axes
    texts = [text for text in axes.texts if text.get_text() and not isinstance(text, Annotation)]
    boxes = [drawn.get_window_extent() for drawn in (*texts, *axes.artists)]
    assert len(boxes) == len(texts) + min(hubs, STARS)
    for box in boxes:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


def test_what_finds_no_room_is_counted() -> None:
    figure = labels_figure(moves(STARS + 2, most=60), "a title")
    said = [text.get_text() for text in figure.axes[0].texts]
    assert "and 43 more" in said  # of 60 labels, 17 are named
    assert f"and {60 - 9 - SMALL_NAMES + 1} more" in said
    assert any("2 more hubs are not drawn" in text for text in said)
    total = sum(move.images for move in moves(STARS + 2, most=60))
    assert any(f"takes {60 * 20 / total:.0%} of all images" in text for text in said)
    assert "label 0 of hub 0 of t…" in said
    arrows = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    assert len(arrows) == len(said) - 2 - len(arrows), "an arrow a name, beside title and shares"


def test_a_graph_without_arrows_says_what_there_is() -> None:
    figure = labels_figure([Move("ant", "ant", 3)], "nobody moves")
    assert figure.axes[0].texts[0].get_text() == "nobody moves"
