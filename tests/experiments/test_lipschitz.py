from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from toys import SIDE, VALUES, ToyZoo, convolutional_network, seeded, smooth_network, toy_set

from uap_core.attacks.deepfool import DeepFool
from uap_core.experiments.certified_radius import (
    LayerRow,
    RadiusRow,
    as_text,
    certified_radius,
    conclusion,
    layer_rows,
    radii,
)
from uap_core.io.results import read_table, to_csv
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import wrap
from uap_core.precompute.lipschitz import lipschitz_jobs
from uap_core.precompute.materials import Materials

IMAGES = toy_set("some", 10, 3)


def bound_of(classifier: Classifier) -> float:
    return list(layer_rows(classifier, seeded(0)))[-1].running


def test_rows_go_from_the_picture_to_the_logits() -> None:
    network = convolutional_network()
    rows = list(layer_rows(network, seeded(0)))
    assert [row.kind for row in rows] == ["convolution", "fully_connected", "whole"]
    first, second, whole = rows
    assert first.real is not None
    assert first.bound is not None
    assert 0.8 * first.bound < first.real <= first.bound * (1 + 1e-5)
    assert second.real is None
    assert whole.running == pytest.approx(first.bound * (second.bound or 0))
    assert all(row.label in as_text(row) for row in rows)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_networks_of_another_precision_have_rows_too(dtype: torch.dtype) -> None:
    network = wrap(deepcopy(convolutional_network().network).to(dtype), size=SIDE)
    assert bound_of(network) == pytest.approx(bound_of(convolutional_network()), rel=1e-2)
    assert network.dtype == dtype


def test_a_wrapped_module_in_training_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(3))
    module(torch.rand((8, 3, SIDE, SIDE), generator=seeded(0)))
    before = deepcopy(module.state_dict())
    assert 0 < bound_of(wrap(module, size=SIDE)) < math.inf
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_the_same_seed_gives_the_same_rows() -> None:
    network = convolutional_network()
    assert list(layer_rows(network, seeded(1))) == list(layer_rows(network, seeded(1)))


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_what_is_certified_is_exact_for_two_opposite_logits(seed: int) -> None:
    """z = (w x, -w x): the boundary is |w x| / ||w|| away, and no bound could certify more."""
    w = torch.randn(1, VALUES, generator=seeded(seed))
    x = torch.rand(1, VALUES, generator=seeded(seed + 1))
    found = certified_radius(x @ torch.cat([w, -w]).T, float(torch.linalg.svdvals(torch.cat([w, -w]))[0]))
    assert float(found) == pytest.approx(float((x @ w.T).abs() / w.norm()), rel=1e-4)


@given(st.integers(0, 1000), st.floats(0.02, 0.2))
@settings(deadline=None, max_examples=15)
def test_no_attack_does_with_less_than_is_certified(seed: int, spread: float) -> None:
    network = smooth_network(seed, spread=spread)
    bound = bound_of(network)
    images = toy_set("some", 4, seed)
    rows = list(radii(network, images, bound))
    assert len(rows) == 4
    for row in rows:
        assert row.steepness <= bound * (1 + 1e-5)
        assert row.found is None or row.certified < row.found


def test_radii_are_those_of_the_attack_and_of_the_clean_logits() -> None:
    network, bound = smooth_network(1), 5.0
    rows = list(radii(network, IMAGES, bound, batch_size=4))
    batch = IMAGES.images(slice(None))
    clean = network(batch)
    attacked = DeepFool()(network, batch, clean.argmax(dim=1))
    top = clean.sort(dim=1, descending=True).values
    for i, row in enumerate(rows):
        assert row.image == f"{i}.png"
        assert row.label == network.labels[int(clean[i].argmax())]
        assert row.margin == pytest.approx(float(top[i, 0] - top[i, 1]), rel=1e-4)
        assert row.certified == pytest.approx(row.margin / (math.sqrt(2) * bound), rel=1e-4)
        assert (row.found is not None) == bool(attacked.success[i])
        assert row.found is None or row.found == pytest.approx(float(attacked.l2[i]), rel=1e-3)
    assert any(row.found for row in rows)
    moved = (network(attacked.adversarial) - clean).norm(dim=1) / attacked.l2
    assert [row.steepness for row in rows] == pytest.approx(moved.tolist(), rel=1e-2)
    at_once = list(radii(network, IMAGES, bound, batch_size=10))
    assert [row.certified for row in at_once] == pytest.approx([row.certified for row in rows], rel=1e-4)
    assert [row.found for row in at_once] == pytest.approx([row.found for row in rows], rel=1e-3)


def test_each_picture_passes_once_before_the_attack_starts() -> None:
    network, seen = smooth_network(1), []
    network.register_forward_hook(lambda module, given, result: seen.append(given[0].detach().clone()))
    list(radii(network, IMAGES, 5.0, batch_size=10))
    clean = [batch for batch in seen if torch.equal(batch, IMAGES.images(slice(None)))]
    assert len(clean) == 2  # with a graph for the first step, which needs one, and without for the start


def test_what_is_said_of_a_bound() -> None:
    rows = [RadiusRow("a.png", "a", 1.0, 1e-6, 0.5, 3.0), RadiusRow("b.png", "b", 1.0, 2e-6, None, 4.0)]
    assert "333" in conclusion(1e3, rows) or "3.3e+05" in conclusion(1e3, rows)
    assert "250 times above" in conclusion(1e3, rows) or "2.5e+02 times above" in conclusion(1e3, rows)
    assert "nothing is certified" in conclusion(math.inf, rows)
    assert "found no change" in conclusion(1e3, rows[1:])


def test_nothing_certifies_nothing_and_a_silent_network_everything() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0]])
    assert float(certified_radius(logits, math.inf)) == 0
    assert float(certified_radius(logits, 0.0)) == math.inf
    assert float(certified_radius(logits, 1.0)) == pytest.approx(1 / math.sqrt(2))
    assert float(certified_radius(logits, 1e45)) == pytest.approx(1e-45 / math.sqrt(2))


def test_an_unknown_layer_makes_the_whole_unknown_and_says_which() -> None:
    plain = smooth_network(0)

    class Gated(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * x.sigmoid()

    network = Classifier(nn.Sequential(Gated(), plain.network), plain.card, plain.labels)
    rows = list(layer_rows(network, seeded(0)))
    assert rows[-1].running == math.inf
    assert "mul" in rows[1].reason
    assert to_csv(rows).count("inf") == 5


def test_jobs_are_done_once_and_begin_anew_with_other_weights(
    zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Materials, "held_out", lambda self, key: IMAGES)
    materials = Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path / "results")  # type: ignore[arg-type]
    jobs = lipschitz_jobs(materials, "one")
    assert [job.name for job in jobs] == ["one-lipschitz", "one-certified"]
    assert not any(job.is_done() for job in jobs)
    for job in jobs:
        assert list(job.run())
        assert job.is_done()
    layers = read_table(tmp_path / "results" / "one-lipschitz.json", LayerRow)
    pictures = read_table(tmp_path / "results" / "one-certified.json", RadiusRow)
    assert layers.rows == list(layer_rows(zoo.networks["one"], seeded(0)))
    assert pictures.provenance["bound"] == layers.rows[-1].running
    assert pictures.rows == list(radii(zoo.networks["one"], IMAGES.shuffled(seeded(0)), layers.rows[-1].running))
    network = zoo.networks["one"]
    network.card = replace(network.card, sha256="others")
    assert not any(job.is_done() for job in jobs)
