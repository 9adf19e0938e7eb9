from __future__ import annotations

import io

import numpy as np
import pytest
from figure_rows import (
    DIRECTIONS,
    SINGULAR,
    SUBSPACE,
    contenders,
    defence_rows,
    detector_rows,
    epoch_rows,
    moves,
    photo_rows,
    round_rows,
    sample_rows,
    sweep_rows,
)
from PIL import Image

from uap_core.experiments.limit import LimitRow
from uap_core.experiments.normals import FULL
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE
from uap_core.plots.comparison import comparison_figure
from uap_core.plots.convergence import convergence_figure
from uap_core.plots.defences import defences_figure, detector_figure
from uap_core.plots.epsilon import photo_figure, sweep_figure
from uap_core.plots.geometry import directions_figure, singular_figure, subspace_figure
from uap_core.plots.labels import labels_figure
from uap_core.plots.limits import limit_figure
from uap_core.plots.lipschitz import layers_figure, radii_figure
from uap_core.plots.samples import Curve, sample_figure
from uap_core.plots.training import rounds_figure, training_figure

LIMITS = [LimitRow("resnet64", spent, 500, Rate(spent // 1000, 200), 0.1) for spent in (2000, 10_000, 100_000)]
FIGURES = {
    "limit": lambda: limit_figure(LIMITS, {"resnet64": "a name"}, "a title"),
    "comparison": lambda: comparison_figure(contenders(), "a title"),
    "sweep": lambda: sweep_figure(sweep_rows(), "a title"),
    "photo": lambda: photo_figure(photo_rows(), "a title"),
    "sample": lambda: sample_figure([Curve(sample_rows(), "mine", BLUE)], "a title"),
    "defences": lambda: defences_figure(defence_rows(), "a title"),
    "detector": lambda: detector_figure(detector_rows(), "a title"),
    "rounds": lambda: rounds_figure(round_rows(), "a title"),
    "training": lambda: training_figure(epoch_rows(), "a title"),
    "singular": lambda: singular_figure(SINGULAR, "a title"),
    "subspace": lambda: subspace_figure(SUBSPACE, "a title"),
    "directions": lambda: directions_figure(DIRECTIONS, "a title"),
    "labels": lambda: labels_figure(moves(7), "a title"),
}
NO_SHARES = {"comparison", "singular", "labels"}  # which show lengths, values and names


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


BEGUN = {
    "limit": lambda: limit_figure([], {}, "a title"),
    "comparison": lambda: comparison_figure([], "a title"),
    "sweep": lambda: sweep_figure([], "a title"),
    "sample": lambda: sample_figure([], "a title", paper=False),
    "one unfinished size": lambda: sample_figure([Curve([], "mine", BLUE)], "a title", paper=False),
    "convergence": lambda: convergence_figure([], "a title"),
    "layers": lambda: layers_figure([], "a title"),
    "radii": lambda: radii_figure([], "a title"),
    "singular": lambda: singular_figure([], "a title"),
    "subspace": lambda: subspace_figure([], "a title"),
    "the full space alone": lambda: subspace_figure([row for row in SUBSPACE if row.space == FULL][:1], "a title"),
    "directions": lambda: directions_figure([], "a title"),
    "defences": lambda: defences_figure(defence_rows()[:1], "a title"),
    "detector": lambda: detector_figure([], "a title"),
}


@pytest.mark.parametrize("name", BEGUN)
def test_figures_of_runs_that_have_only_begun_can_be_drawn(name: str) -> None:
    stream = io.BytesIO()
    BEGUN[name]().savefig(stream, format="png")
    assert stream.tell() > 1000


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in NO_SHARES])
def test_shares_go_from_0_to_100_percent_and_everything_is_named(name: str) -> None:
    axes = FIGURES[name]().axes[0]
    low, high = axes.get_ylim()
    assert -0.05 <= low <= 0
    assert 1 <= high <= 1.05
    assert axes.yaxis.get_major_formatter()(0.5) in ("50%", "50.0%")
    assert all((axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()))
