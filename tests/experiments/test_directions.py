from __future__ import annotations

from pathlib import Path

import pytest
import torch
from toys import SIDE, VALUES, seeded, smooth_network, toy_set

from uap_core.datasets.image_sets import open_splits
from uap_core.experiments.directions import (
    FAST,
    MEAN,
    NORMS,
    RANDOM,
    SINGLE,
    SUM,
    UNIVERSAL,
    adversarial_directions,
    blind_directions,
    direction_rates,
    fast_directions,
)
from uap_core.experiments.normals import FULL, SPAN, subspace_rates, unit_normals
from uap_core.metrics import Rate, predict
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.perturbations.library import PERTURBATIONS
from uap_core.perturbations.perturbation import load_perturbation

CRAFT, IMAGES = toy_set("craft", 40, 1), toy_set("others", 50, 2)
NETWORK = smooth_network(0, spread=0.3)
PATTERN = torch.randn(3, SIDE, SIDE, generator=seeded(0))


def all_directions(network: Classifier, seed: int) -> dict:
    generator = seeded(seed)
    normals = torch.cat(list(unit_normals(network, CRAFT)))
    found = blind_directions(PATTERN, CRAFT, generator) | fast_directions(network, CRAFT, generator)
    return found | adversarial_directions(normals, generator)


def test_a_row_for_each_direction_and_length() -> None:
    clean = predict(NETWORK, IMAGES.batches())
    rows = list(direction_rates(NETWORK, IMAGES, clean, all_directions(NETWORK, 3), (0.0, 2.0)))
    assert [(row.direction, row.norm) for row in rows] == [
        (name, norm) for name in (UNIVERSAL, RANDOM, MEAN, FAST, SUM, SINGLE) for norm in (0.0, 2.0)
    ]
    assert {row.fooling_rate for row in rows if row.norm == 0} == {Rate(0, 50)}
    assert all(row.fooling_rate.count for row in rows if row.norm == 2 and row.direction in (FAST, SINGLE))
    assert rows == list(direction_rates(NETWORK, IMAGES, clean, all_directions(NETWORK, 3), (0.0, 2.0)))


def test_each_direction_is_what_it_is_called() -> None:
    found = all_directions(NETWORK, 3)
    assert torch.allclose(found[UNIVERSAL](5)[0] * PATTERN.norm(), PATTERN, rtol=1e-3, atol=1e-5)
    mean = CRAFT.images(slice(None)).mean(dim=0)
    assert torch.allclose(found[MEAN](5)[0] * mean.norm(), mean, rtol=1e-3)
    images = CRAFT.images(slice(None))
    signs = loss_gradient(NETWORK, images, predict(NETWORK, [images]).clone()).sign().flatten(1)
    for fast in found[FAST](5).flatten(1):
        assert float((signs @ fast.sign()).max()) == VALUES, "the signs of one craft image's gradient"
    normals = torch.cat(list(unit_normals(NETWORK, CRAFT))).flatten(1)
    assert float(found[SUM](5).flatten() @ normals.sum(dim=0) / normals.sum(dim=0).norm()) == pytest.approx(1, abs=1e-4)
    chosen = found[SINGLE](30).flatten(1) @ normals.T
    assert chosen.amax(dim=1).tolist() == pytest.approx([1] * 30, abs=1e-4)
    assert len(chosen.argmax(dim=1).unique()) > 5


def test_on_a_linear_network_the_sum_is_the_weight_and_random_is_hardly_anything(linear) -> None:
    network = linear(torch.randn(2, VALUES, generator=seeded(0)) * 0.1)
    one_side = IMAGES.subset((predict(network, IMAGES.batches()) == 0).nonzero().flatten())
    normals = torch.cat(list(unit_normals(network, one_side)))
    weight = network.network[1].weight
    direction = adversarial_directions(normals, seeded(0))[SUM](1).flatten()
    assert float(direction @ (weight[1] - weight[0]) / (weight[1] - weight[0]).norm()) == pytest.approx(1, abs=1e-4)


def test_the_order_of_the_papers_figure_8_and_its_subspace_on_dreams(classifier: Classifier, dreams: Path) -> None:
    craft, held_out = open_splits(dreams, 64, 64)
    assert not set(craft.files) & set(held_out.files)
    generator = seeded(0)
    craft, held_out = craft.shuffled(generator).prefix(12), held_out.shuffled(generator).prefix(128)
    pattern = load_perturbation(PERTURBATIONS / "resnet64-l2.safetensors").pattern
    normals = torch.cat(list(unit_normals(classifier, craft)))
    clean = predict(classifier, held_out.batches())
    draws = blind_directions(pattern, craft, generator) | adversarial_directions(normals, generator)
    half = NORMS[1]
    rates = {row.direction: row.fooling_rate.value for row in direction_rates(classifier, held_out, clean, draws, (half,))}
    assert rates[UNIVERSAL] > rates[SUM] > rates[RANDOM] > rates[MEAN]
    assert rates[UNIVERSAL] > rates[SINGLE] > rates[RANDOM]
    spaces = {
        row.space: row.fooling_rate.value
        for row in subspace_rates(classifier, normals, held_out, clean, (half,), generator, (10,))
    }
    assert spaces[SPAN] > 2 * spaces[FULL] > 0
