"""The tables of patterns from few pictures: each cell once, at equal cost, and drawn as a line a method."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from toys import SIDE, ToyZoo, toy_set

from uap_core.crafting.problem import predicted
from uap_core.errors import DatasetError
from uap_core.experiments import few_pictures as rules
from uap_core.experiments.few_pictures import FEW, METHODS, OURS, WITHOUT, FewRow, crafter, few_pictures
from uap_core.io.results import Table, read_table
from uap_core.metrics import Rate, predict
from uap_core.norms import Ball
from uap_core.plots.few_pictures import few_pictures_figure
from uap_core.precompute.few_pictures import cells, few_job
from uap_core.precompute.materials import Materials
from uap_core.ui.state import Studio
from uap_core.ui.tabs import training_curves

CRAFT, HELD_OUT, LINF = toy_set("toy (craft)", 70, 0), toy_set("held out", 25, 1), Ball("linf", 10 / 255)


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(rules, "BUDGET", 16)
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path)  # type: ignore[arg-type]


def test_each_cell_is_computed_once_and_a_stopped_table_goes_on(materials: Materials) -> None:
    job, path = few_job(materials, "one"), materials.results / "one-few-pictures.json"
    assert not job.is_done()
    list(islice(job.run(), 3))
    begun = read_table(path, FewRow).rows
    assert len(begun) == 3
    assert not job.is_done()
    list(job.run())
    assert job.is_done()
    table = read_table(path, FewRow)
    assert all(row in table.rows for row in begun)
    assert sorted((row.method, row.images, row.seed) for row in table.rows) == sorted(set(cells()))
    assert len(table.rows) == 2 * 4 * 3 + 3 * 2
    assert {row.image_gradients for row in table.rows} == {16}, "equal cost, from one picture too"
    assert all(row.fooling_rate.total == 25 for row in table.rows)
    assert set(table.provenance["methods"]) == set(METHODS)
    assert table.provenance["held_out"] == "25 images of held out"


def test_a_row_is_of_the_pictures_that_its_seed_draws(zoo: ToyZoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "BUDGET", 32)
    network = zoo.load("one")
    clean = predict(network, HELD_OUT.batches())
    row = few_pictures(network, FEW, 4, CRAFT, HELD_OUT, LINF, 5, clean)
    order = torch.randperm(len(CRAFT), generator=torch.Generator().manual_seed(5))[:4]
    method = crafter(FEW, 4, SIDE)
    *_, last = method.craft(network, CRAFT.pixels[order], LINF, torch.Generator().manual_seed(5))
    fooled = int((predicted(network, HELD_OUT.pixels, last.perturbation) != clean).sum())
    assert row.fooling_rate == Rate(fooled, 25)
    with pytest.raises(DatasetError, match="fewer than the 500"):
        few_pictures(network, FEW, 500, CRAFT, HELD_OUT, LINF, 5, clean)


def test_what_is_left_out_is_one_part_each() -> None:
    whole = vars(crafter(FEW, 1, 224))
    others = {method: vars(crafter(method, 1, 224)) for method in WITHOUT}
    changed = {method: {name for name in other if other[name] != whole[name]} for method, other in others.items()}
    assert changed == {"no_noise": {"noise"}, "no_loudness": {"loud"}, "no_tiles": {"tiles"}}


CELLS = [(method, size, seed) for method in (FEW, OURS) for size in (1, 4) for seed in (0, 1)]
ROWS = [FewRow("a", size, method, seed, Rate(5 + seed, 10), 2000, 1.0) for method, size, seed in CELLS]
ROWS.append(FewRow("a", 1, "no_noise", 0, Rate(2, 10), 2000, 1.0))


def test_the_chart_has_a_line_a_method_and_points_for_what_is_left() -> None:
    figure: Figure = few_pictures_figure(ROWS, "title")
    lines = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    assert [list(map(float, line.get_ydata())) for line in lines.values()] == [[0.55, 0.55], [0.55, 0.55], [0.2]]
    assert lines["for few pictures, without noise"].get_linestyle() == "None"


def test_a_band_holds_every_seed_with_its_interval() -> None:
    apart = [replace(row, fooling_rate=Rate(20 + 70 * row.seed, 100)) for row in ROWS if row.method == FEW]
    band = few_pictures_figure(apart, "title").axes[0].collections[0].get_paths()[0].vertices
    heights = [height for _, height in band]
    assert (min(heights), max(heights)) == pytest.approx((Rate(20, 100).interval[0], Rate(90, 100).interval[1]))


def test_the_page_shows_it_where_it_is_and_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, kind: None)
    assert training_curves.few_chart(Studio(), "resnet64")["few-said"] == ""
    assert training_curves.few_chart(Studio(), "resnet64")["few"]["visible"] is False


def test_the_page_says_what_a_single_picture_is_worth_by_both_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"network": "resnet64", "time": "2026-11-29T00:00:00+00:00"}
    table = Table("few", [replace(row, fooling_rate=Rate(9, 10)) if row.method == FEW else row for row in ROWS], told)
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, kind: table if name == "resnet64-few-pictures" else None)
    said = training_curves.few_chart(Studio(), "resnet64")["few-said"]
    assert "it fools 90.0% of ResNet-64’s photographs" in said
    assert "this project’s own method, in batches no larger than the set, 55.0%." in said
