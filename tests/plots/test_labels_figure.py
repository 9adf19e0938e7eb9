from __future__ import annotations

from itertools import combinations

import pytest
from figure_rows import moves
from matplotlib.text import Annotation

from uap_core.experiments.label_graph import Move
from uap_core.plots.labels import SMALL_NAMES, STARS, labels_figure


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
