"""What a small slip would change: sizes, signs and limits of what is stored, read, fetched and kept."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from servers import serving
from toys import pictures, seeded, smooth_network

from uap_core.crafting.spgd import SPGD
from uap_core.datasets.image_sets import open_splits
from uap_core.errors import PerturbationError
from uap_core.images.reading import open_image
from uap_core.io.paths import MODELS
from uap_core.models.card import Card, read_card
from uap_core.models.classifier import Classifier
from uap_core.models.kept import megabytes
from uap_core.models.weights import HERE, fetch, state
from uap_core.models.zoo import expected_megabytes
from uap_core.norms import Ball, on_grid, quantise
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, save_perturbation

CARD = Card("mine", "Mine", "embedded", "mine.safetensors", 8, 8, "MIT", "made in a test")


@pytest.mark.parametrize("levels", [0.6, 9.4, 10.5, 10.6, 11.0])
def test_eight_bits_never_leave_the_ball(levels: float) -> None:
    ball = Ball("linf", levels / 255)
    v = torch.linspace(-1, 1, 3 * 64).view(3, 8, 8).sign() * ball.radius
    stored = on_grid(v, ball)
    assert float(stored.abs().max()) <= ball.radius + 1e-7
    assert float(stored.abs().max()) * 255 == pytest.approx(int(levels))
    clean = pictures(1).float() / 255
    moved = quantise(clean, (clean + v).clamp(0, 1), ball) - clean
    assert float(moved.abs().max()) <= ball.radius + 1e-6


@pytest.mark.parametrize("level", [127, 128, -128, 129])
def test_a_level_beyond_eight_bits_comes_back_as_it_was(level: int, tmp_path: Path) -> None:
    v = torch.zeros(3, 4, 4)
    v[0, 0, 0] = level / 255
    save_perturbation(Perturbation("one", v, Ball("linf", 0.6)), tmp_path / "v.safetensors")
    assert float(load_perturbation(tmp_path / "v.safetensors").pattern[0, 0, 0]) * 255 == pytest.approx(level)


@pytest.mark.parametrize(("value", "fits"), [(0.1, True), (0.2, False)])
def test_an_l2_file_is_held_to_its_l2_norm(value: float, fits: bool, tmp_path: Path) -> None:
    """192 values of 0.1 have the l2 norm 1.39, of 0.2 twice that; the largest value is far below the radius in both."""
    save_file({"pattern": torch.full((3, 8, 8), value)}, tmp_path / "v.safetensors", metadata={"p": "l2", "radius": "1.5"})
    if fits:
        assert load_perturbation(tmp_path / "v.safetensors").norms.l2 == pytest.approx(1.386, abs=1e-3)
    else:
        with pytest.raises(PerturbationError, match="larger than the l2"):
            load_perturbation(tmp_path / "v.safetensors")


def test_a_dark_picture_of_sixteen_bits_stays_dark() -> None:
    deep = np.array([[0, 257, 514], [771, 1028, 1285]], dtype=np.uint16)
    stream = BytesIO()
    Image.fromarray(deep).save(stream, "PNG")
    assert np.asarray(open_image(stream.getvalue()))[..., 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_both_halves_of_a_set_hold_both_classes(tmp_path: Path) -> None:
    for number, name in enumerate(["cat"] * 4 + ["dog"] * 4):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (number * 20, 0, 0)).save(tmp_path / name / f"{number}.png")
    for half in open_splits(tmp_path, 8, 8):
        assert [half.classes.count(name) for name in ("cat", "dog")] == [2, 2]


def test_what_was_measured_here_comes_before_what_was_published() -> None:
    assert replace(CARD, measured={"top1": 0.6}, published={"top1": 0.7}).top1 == 0.6
    assert replace(CARD, published={"top1": 0.7}).top1 == 0.7
    assert CARD.top1 is None


@pytest.mark.parametrize("stated", [0.9, 1.0, 1.1])
def test_a_file_a_little_over_its_rounded_size_is_fetched(stated: float, tmp_path: Path) -> None:
    data = bytes(1_024_000)
    with serving({"mine.safetensors": data}) as address:
        card = replace(
            CARD,
            url=f"{address}/mine.safetensors",
            sha256=hashlib.sha256(data).hexdigest(),
            download_megabytes=stated,
            folder=tmp_path,
        )
        list(fetch(card))
    assert state(card) == HERE


def test_sixteen_bit_weights_take_twice_their_file(classifier: Classifier) -> None:
    card = read_card(MODELS / "resnet64.json")
    assert expected_megabytes(card) == pytest.approx(megabytes(classifier), rel=0.03)


def test_a_run_within_another_epsilon_is_another_run(tmp_path: Path) -> None:
    network, method = smooth_network(0), SPGD(budget=64, batch_size=8, interval=8)
    begun = method.craft(network, pictures(8), Ball("linf", 0.04), seeded(0), checkpoint=tmp_path / "run.state")
    for _ in range(3):
        next(begun)
    begun.close()
    assert (tmp_path / "run.state").is_file()
    for ball in (Ball("linf", 0.05), Ball("l2", 0.04)):
        with pytest.raises(PerturbationError, match="another run"):
            next(method.craft(network, pictures(8), ball, seeded(0), checkpoint=tmp_path / "run.state"))
