"""What rows and pictures promise in passing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from toys import SIDE, VALUES, pictures, seeded, smooth_network, toy_set

from uap_core.attacks.menu import UNIVERSAL
from uap_core.experiments.apply import amplified
from uap_core.experiments.compare import compare
from uap_core.experiments.normals import unit_normals
from uap_core.experiments.strengths import Answer, change_of, picture_at
from uap_core.images.reading import open_image
from uap_core.models.card import Card
from uap_core.norms import Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import Perturbation
from uap_core.ui.tabs.apply.view import happened


def test_a_comparisons_file_keeps_an_epsilon_between_two_levels() -> None:
    image, ball = pictures(1, seed=3).float() / 255, Ball("linf", 10.6 / 255)
    pattern = Perturbation("any", ball.random_signs((3, SIDE, SIDE), seeded(1)), ball)
    start = (image[0].permute(1, 2, 0) * 255).round().numpy()
    for row in compare(smooth_network(0), image, pattern, [UNIVERSAL, "fgsm"]):
        assert np.abs(row.picture - start).max() <= 10


def test_no_change_is_shown_as_mid_grey() -> None:
    assert amplified(np.zeros((1, 1, 3))).tolist() == [[[128] * 3]]
    assert amplified(np.full((1, 1, 3), -0.2)).tolist() == [[[0] * 3]]


def test_pictures_without_a_boundary_have_no_normal(linear) -> None:
    """Where all values are clamped to nothing, no gradient leads anywhere."""
    network = linear(torch.stack([torch.ones(VALUES), torch.zeros(VALUES)]) * 0.01, torch.tensor([0.0, 0.5]))
    flat = network.network
    network.network = torch.nn.Sequential(torch.nn.ReLU6(), torch.nn.Threshold(0.5, 0.0), flat)
    dark, light = torch.zeros(3, 3, SIDE, SIDE), torch.ones(2, 3, SIDE, SIDE) * 200
    images = replace(toy_set("some", 5, 0), pixels=torch.cat([dark, light]).to(torch.uint8))
    normals = torch.cat(list(unit_normals(network, images)))
    assert len(normals) == 2
    assert torch.allclose(normals.flatten(1).norm(dim=1), torch.ones(2), atol=1e-4)


def test_a_strengths_picture_has_the_nearest_level() -> None:
    change = change_of(np.array([[[10.0, 7.6, -7.6]]]), "linf", 10.0)
    assert picture_at(np.full((1, 1, 3), 100, dtype=np.uint8), change, 10.0).tolist() == [[[110, 108, 92]]]


def test_rows_of_a_tall_picture_stay_where_they_are() -> None:
    """It is laid on white in strips."""
    rows = np.arange(600, dtype=np.uint16)[:, None, None].repeat(100, 1) % 251
    tall = np.concatenate([rows.repeat(3, 2), np.full_like(rows, 255)], axis=2).astype(np.uint8)
    assert np.array_equal(np.asarray(open_image(Image.fromarray(tall)))[:, 0, 0], tall[:, 0, 0])


def test_strong_patterns_come_before_faint_ones() -> None:
    keys = [entry.path.stem for entry in library()]
    assert keys.index("efficientnet_lite0-linf10") < keys.index("efficientnet_lite0-linf6")


def test_classes_of_no_known_kind_are_no_near_miss() -> None:
    classes = [{"name": "one", "wnid": ""}, {"name": "two", "wnid": ""}]
    card = Card("mine", "Mine", "embedded", "", 8, 8, "", "", classes=classes)
    one, two = (Answer(index, classes[index]["name"], 0.9) for index in range(2))
    assert happened(card, one, two) == "changed"
    assert happened(card, one, one) == "same"
