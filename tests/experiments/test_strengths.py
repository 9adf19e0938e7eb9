"""The pictures at every strength: on the 8-bit grid, within the ball, and what the network is asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from uap_core.experiments.strengths import (
    answers,
    as_taken,
    change_of,
    exhibit_of,
    noise_of,
    picture_at,
    shown_square,
    times_larger,
)
from uap_core.images.reading import open_image
from uap_core.io.paths import PERTURBATIONS
from uap_core.models.zoo import Zoo, load_model
from uap_core.norms import Ball, quantise
from uap_core.perturbations.library import read_levels
from uap_core.perturbations.perturbation import apply

SIDE = 8


def photograph(seed: int, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@given(st.integers(0, 99), st.sampled_from(["linf", "l2"]), st.floats(0.0, 40.0), st.floats(0.5, 30.0))
@settings(max_examples=60, deadline=None)
def test_the_picture_stays_within_the_ball_at_every_strength(seed: int, p: str, strength: float, radius: float) -> None:
    levels = np.random.default_rng(seed + 1).normal(size=(SIDE, SIDE, 3))
    size = np.abs(levels).max() if p == "linf" else np.sqrt((levels**2).sum())
    photo = photograph(seed)
    moved = picture_at(photo, change_of(levels * radius / size, p, radius), strength).astype(float) - photo
    norm = np.abs(moved).max() if p == "linf" else np.sqrt((moved**2).sum())
    assert norm <= strength + 2e-3


@pytest.mark.parametrize("p", ["linf", "l2"])
def test_the_picture_is_the_one_of_apply_and_quantise(p: str) -> None:
    """Of whole numbers of levels there is no rounding in which single and double precision could differ."""
    photo = photograph(3)
    levels = np.random.default_rng(4).integers(-9, 10, (SIDE, SIDE, 3)).astype(float)
    radius = float(np.abs(levels).max() if p == "linf" else np.sqrt((levels**2).sum()))
    x, v = (torch.from_numpy(values.transpose(2, 0, 1) / 255).float() for values in (photo.astype(float), levels))
    wanted = quantise(x[None], apply(x[None], v), Ball(p, radius / 255))
    found = picture_at(photo, change_of(levels, p, radius), radius)
    assert (found == (wanted[0] * 255).round().byte().permute(1, 2, 0).numpy()).all()


def test_no_strength_no_change() -> None:
    photo = photograph(5)
    for change in (change_of(np.full((SIDE, SIDE, 3), 7.3), "linf", 7.3), noise_of(SIDE, "l2", 100.0)):
        assert (picture_at(photo, change, 0.0) == photo).all()


def test_shipped_patterns_are_whole_numbers_and_others_are_kept_to_a_thousandth() -> None:
    shipped = read_levels(PERTURBATIONS / "resnet64-linf10.safetensors")
    assert change_of(shipped, "linf", 10.0).unit == 1.0
    levels = np.random.default_rng(0).normal(size=(4, 4, 3))
    assert np.abs(change_of(levels, "linf", 3.0).at(3.0) - levels).max() < 1e-3


@pytest.mark.parametrize("p", ["linf", "l2"])
def test_noise_has_the_norm_of_the_pattern(p: str) -> None:
    change = noise_of(16, p, 50.0)
    for strength in (50.0, 20.0):
        moved = change.at(strength)
        assert (np.abs(moved).max() if p == "linf" else np.sqrt((moved**2).sum())) == pytest.approx(strength)
    assert set(np.sign(change.values).flatten()) == {-1, 1}


@pytest.mark.parametrize("p", ["linf", "l2"])
def test_noise_of_no_strength_is_none_and_one_array_serves_all_strengths(p: str) -> None:
    assert not noise_of(16, p, 0.0).at(10.0).any()
    assert noise_of(16, p, 1.0).values is noise_of(16, p, 2.0).values, "visitors choose the radius: it keeps nothing"


def test_a_small_network_is_shown_full_resolution_and_takes_the_saved_picture_shrunken() -> None:
    small, large = Zoo().card("resnet64"), Zoo().card("efficientnet_lite0")
    picture = Image.fromarray(photograph(7, 500))
    assert (times_larger(small), times_larger(large)) == (7, 1)
    assert shown_square(picture, small).shape == (448, 448, 3)
    assert shown_square(picture, large).shape == (224, 224, 3)
    flat = np.full((448, 448, 3), 93, np.uint8)
    assert (as_taken(flat, small) == 93).all()
    assert as_taken(flat, small).shape == (64, 64, 3)
    change = change_of(np.random.default_rng(0).integers(-10, 11, (64, 64, 3)).astype(float), "linf", 10.0)
    blocks = picture_at(flat, change, 10.0).astype(int).reshape(64, 7, 64, 7, 3) - 93
    assert (blocks == change.values[:, None, :, None]).all(), "v is enlarged by repeating its pixels"


def test_answers_are_those_of_the_network_one_by_one() -> None:
    network = load_model("resnet64")
    pictures = [photograph(seed, 448) for seed in range(20)]  # more than a batch
    for picture, said in zip(pictures, answers(network, pictures), strict=True):
        x = torch.from_numpy(as_taken(picture, network.card).copy()).permute(2, 0, 1)[None].float() / 255
        scores = network(x).softmax(dim=1)[0]
        assert said.index == int(scores.argmax())
        assert said.label == network.labels[said.index]
        assert said.sure == pytest.approx(float(scores.max()), abs=1e-4)
    view = exhibit_of(network, pictures[0], pictures[1])
    assert view.before[0][0] == next(answers(network, pictures[:1])).label
    assert view.linf == pytest.approx(np.abs(pictures[1].astype(int) - pictures[0]).max() / 255)


def test_the_pattern_fools_through_the_full_resolution_picture(shared: Path) -> None:
    """88.3 % of the 300 held-out photographs, by the pattern enlarged and added to 448 pixels."""
    import zipfile

    network = load_model("resnet64")
    change = change_of(read_levels(PERTURBATIONS / "resnet64-linf10.safetensors"), "linf", 10.0)
    with zipfile.ZipFile(shared / "data" / "imagenet-sample-800.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("eval/") and not name.endswith("/")]
        photos = [shown_square(open_image(archive.read(name)), network.card) for name in names]
    assert len(photos) == 300
    clean = [said.index for said in answers(network, photos)]
    after = [said.index for said in answers(network, (picture_at(photo, change, 10.0) for photo in photos))]
    assert np.mean(np.array(clean) != after) == pytest.approx(0.883, abs=0.02)
