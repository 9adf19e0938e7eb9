from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path

import pytest
from toys import SIDE, ToyZoo, convolutional_network, seeded, smooth_network, toy_set

from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.defences.defended import defended
from uap_core.defences.transforms import DEFENCES, BitDepth, Blur, Jpeg
from uap_core.errors import DatasetError, PerturbationError
from uap_core.experiments.defences import (
    ACCURACY,
    AGREEMENT,
    UNDEFENDED,
    Crafting,
    DefenceRow,
    defence_rows,
)
from uap_core.experiments.detector import DetectorRow
from uap_core.io.paths import RESULTS
from uap_core.io.results import Table, read_table, to_csv, write_table
from uap_core.metrics import Rate, accuracy, fooling_rate, predict
from uap_core.models import feature_entropy as entropy
from uap_core.models.robust_variants import NAMES, ROBUST, UNIVERSAL
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.precompute import defences as room
from uap_core.precompute.materials import Materials

CRAFT, HELD_OUT = toy_set("toy (craft)", 16, 0), toy_set("held out", 25, 1)
BALL = Ball("linf", 30 / 255)
METHOD = Default(budget=32, batch_size=8)
TWO = (Jpeg(50), Blur(1.0))


def pattern(radius: float = BALL.radius, side: int = SIDE) -> Perturbation:
    ball = Ball("linf", radius)
    return Perturbation("signs", ball.random_signs((3, side, side), seeded(1)), ball)


def measured(defences=TWO, perturbation=None, held_out=HELD_OUT, **more) -> dict[str, DefenceRow]:
    perturbation = perturbation or pattern()
    found = defence_rows(convolutional_network(), defences, perturbation, CRAFT, held_out, METHOD, **more)
    return {row.defence: row for row in found if isinstance(row, DefenceRow)}


def test_a_row_lacks_neither_pattern() -> None:
    """The rule of the house: no defence without the pattern that was crafted anew through it."""
    row = next(iter(measured().values()))
    assert {"fixed", "crafted_anew"} <= {field.name for field in fields(row)}
    for missing in ("fixed", "crafted_anew"):
        with pytest.raises(TypeError, match="never shown without"):
            replace(row, **{missing: None})
        values = {field.name: getattr(row, field.name) for field in fields(row) if field.name != missing}
        with pytest.raises(TypeError, match=missing):
            DefenceRow(**values)


def test_a_file_without_one_of_them_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "some-defences.json"
    write_table(Table("title", list(measured().values()), {}), path)
    assert len(read_table(path, DefenceRow).rows) == 3
    text = json.loads(path.read_text())
    text["rows"][1]["crafted_anew"] = None
    path.write_text(json.dumps(text))
    with pytest.raises(TypeError, match="never shown without"):
        read_table(path, DefenceRow)


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*-defences.json")), ids=lambda path: path.stem)
def test_what_ships_has_both(path: Path) -> None:
    rows = read_table(path, DefenceRow).rows
    assert rows[0].defence == UNDEFENDED
    for row in rows:
        assert row.fixed.total == row.crafted_anew.total == row.random_signs.total == row.clean.total > 100


def test_rows_and_csv_come_whole_and_progress_is_no_row() -> None:
    found = list(defence_rows(convolutional_network(), [Jpeg(50)], pattern(), CRAFT, HELD_OUT, METHOD))
    rows = [row for row in found if isinstance(row, DefenceRow)]
    assert [row.defence for row in rows] == [UNDEFENDED, "jpeg-50"]
    shares = [row.share for row in found if isinstance(row, Crafting) and row.defence == "jpeg-50"]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    for line in csv.DictReader(io.StringIO(to_csv(rows))):
        assert float(line["fixed"]) >= 0
        assert float(line["crafted_anew"]) >= 0


def test_without_a_defence_it_is_the_ordinary_fooling_rate() -> None:
    network = convolutional_network()
    row = measured()[UNDEFENDED]
    clean = predict(network, HELD_OUT.batches())
    assert row.fixed == fooling_rate(clean, predict(network, map(pattern().apply, HELD_OUT.batches())))
    assert 0 < row.fixed.count < row.fixed.total
    *_, last = METHOD.craft(network, CRAFT.pixels, BALL, seeded(0))
    anew = Perturbation("anew", last.perturbation, BALL)
    assert row.crafted_anew == fooling_rate(clean, predict(network, map(anew.apply, HELD_OUT.batches())))
    assert row.clean == Rate(25, 25)


def test_behind_a_defence_the_defended_networks_own_answers_count() -> None:
    network = defended(convolutional_network(), Blur(1.0))
    row, clean = measured()["blur-1"], predict(network, HELD_OUT.batches())
    assert row.fixed == fooling_rate(clean, predict(network, map(pattern().apply, HELD_OUT.batches())))
    signs = Perturbation("signs", BALL.random_signs((3, SIDE, SIDE), seeded(0)), BALL)
    assert row.random_signs == fooling_rate(clean, predict(network, map(signs.apply, HELD_OUT.batches())))
    *_, last = METHOD.craft(network, CRAFT.pixels, BALL, seeded(0))
    anew = Perturbation("anew", last.perturbation, BALL)
    assert row.crafted_anew == fooling_rate(clean, predict(network, map(anew.apply, HELD_OUT.batches())))
    *_, last = METHOD.craft(convolutional_network(), CRAFT.pixels, BALL, seeded(0))
    past = Perturbation("crafted past the defence", last.perturbation, BALL)
    assert row.crafted_anew.count > fooling_rate(clean, predict(network, map(past.apply, HELD_OUT.batches()))).count
    assert 0 < row.clean.count < row.clean.total
    assert row.clean == accuracy(clean, predict(convolutional_network(), HELD_OUT.batches()))


def test_at_epsilon_0_nobody_is_fooled() -> None:
    rows = measured(DEFENCES, pattern(0.0))
    assert len(rows) == 1 + len(DEFENCES)
    for row in rows.values():
        assert row.fixed.count == row.crafted_anew.count == row.random_signs.count == 0


def test_eight_bits_change_nothing_of_what_lies_on_their_grid() -> None:
    rows = measured([BitDepth(8)])
    bare, behind = rows[UNDEFENDED], rows["bits-8"]
    assert behind.clean == bare.clean
    assert behind.fixed == bare.fixed


def test_truth_where_folders_are_classes() -> None:
    network = convolutional_network()
    network.class_ids = ("0", "1", "2", "3", "4")
    found = defence_rows(network, [Blur(1.0)], pattern(), CRAFT, HELD_OUT, METHOD)
    rows = [row for row in found if isinstance(row, DefenceRow)]
    assert {row.clean_is for row in rows} == {ACCURACY}
    assert rows[0].clean.count == int((predict(network, HELD_OUT.batches()) == 0).sum())
    assert {row.clean_is for row in measured().values()} == {AGREEMENT}


def test_each_twin_is_a_row_and_what_is_known_is_left_out() -> None:
    twins = {ROBUST: smooth_network(3), UNIVERSAL: smooth_network(4)}
    rows = measured([Jpeg(50)], twins=twins, known=[UNDEFENDED, "jpeg-50"])
    assert list(rows) == [ROBUST, UNIVERSAL]
    for name, twin in twins.items():
        clean = predict(twin, HELD_OUT.batches())
        assert rows[name].fixed == fooling_rate(clean, predict(twin, map(pattern().apply, HELD_OUT.batches())))
        *_, last = METHOD.craft(twin, CRAFT.pixels, BALL, seeded(0))
        anew = Perturbation("anew", last.perturbation, BALL)
        assert rows[name].crafted_anew == fooling_rate(clean, predict(twin, map(anew.apply, HELD_OUT.batches())))
    assert list(measured([], twins=twins, known=[UNDEFENDED, ROBUST])) == [UNIVERSAL]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(PerturbationError, match="made for"):
        measured(perturbation=pattern(side=16))
    with pytest.raises(DatasetError):
        list(defence_rows(convolutional_network(), [], pattern(), CRAFT.prefix(0), HELD_OUT, METHOD))


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(room, "METHOD", METHOD)
    monkeypatch.setattr(room, "DEFENCES", DEFENCES[2:4])
    save_perturbation(pattern(), tmp_path / "patterns" / "one-linf10.safetensors")
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path / "results", tmp_path / "patterns")  # type: ignore[arg-type]


def test_a_published_detector(materials: Materials, zoo: ToyZoo, monkeypatch: pytest.MonkeyPatch) -> None:
    network = convolutional_network()
    network.card = zoo.networks["one"].card
    zoo.networks["one"] = network
    monkeypatch.setattr(entropy, "DEPTH", 1)
    monkeypatch.setattr(room, "AWARE_METHOD", Unnoticed(budget=80))
    job = room._detector_job(materials, "one")
    assert not job.is_done()
    assert len(list(job.run())) == 5
    assert job.is_done()
    rows = read_table(materials.results / "one-detector.json", DetectorRow).rows
    assert {row.detected.total for row in rows} == {len(HELD_OUT)}
    save_perturbation(replace(pattern(), provenance={"time": "later"}), materials.perturbations / "one-linf10.safetensors")
    assert not job.is_done()


def test_a_published_table_goes_on_where_it_was_stopped(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    job, path = room._defences_job(materials, "one"), materials.results / "one-defences.json"
    list(islice(job.run(), 2))
    begun = read_table(path, DefenceRow).rows
    assert [row.defence for row in begun] == [UNDEFENDED, "blur-1"]
    assert not job.is_done()
    list(job.run())
    assert job.is_done()
    assert read_table(path, DefenceRow).rows[:2] == begun
    twins = {ROBUST: smooth_network(5), UNIVERSAL: smooth_network(6)}
    monkeypatch.setattr(room, "trained_twins", lambda zoo, key: twins)
    assert not job.is_done()
    assert [line.partition(":")[0] for line in job.run()] == [NAMES[ROBUST], NAMES[UNIVERSAL]]
    assert job.is_done()
    with_twins = read_table(path, DefenceRow)
    for name in twins:
        twins[name].weights_hash = f"{name} anew"
        assert not job.is_done()
        assert [line.partition(":")[0] for line in job.run()] == [NAMES[name]]
        assert job.is_done()
    again = read_table(path, DefenceRow)
    assert again.rows[:2] == begun
    assert [row.defence for row in again.rows] == [row.defence for row in with_twins.rows]
    save_perturbation(pattern(20 / 255), materials.perturbations / "one-linf10.safetensors")
    monkeypatch.setattr(room, "METHOD", Default(budget=16))
    assert not job.is_done()
    assert len(list(job.run())) == 5


def test_a_twin_that_came_later_is_all_that_is_measured(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table begun when there was one twin goes on with the second; a lost one's row goes."""
    job, path = room._defences_job(materials, "one"), materials.results / "one-defences.json"
    twins = {ROBUST: smooth_network(5)}
    monkeypatch.setattr(room, "trained_twins", lambda zoo, key: twins)
    list(job.run())
    before = read_table(path, DefenceRow)
    assert before.provenance["defences"][ROBUST]["weights_sha256"] == twins[ROBUST].weights_hash
    twins[UNIVERSAL] = smooth_network(6)
    assert [line.partition(":")[0] for line in job.run()] == [NAMES[UNIVERSAL]]
    assert read_table(path, DefenceRow).rows[:-1] == before.rows
    del twins[ROBUST]
    twins[UNIVERSAL].weights_hash = "another"
    assert [line.partition(":")[0] for line in job.run()] == [NAMES[UNIVERSAL]]
    assert ROBUST not in {row.defence for row in read_table(path, DefenceRow).rows}
    assert job.is_done()
