"""Dreams beside photographs: what counts as alike, and whether the shipped dreams do what their cards say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from toys import seeded

from uap_core.datasets.image_sets import ImageSet, open_held_out, open_splits
from uap_core.experiments import impression_checks as dream_checks
from uap_core.experiments.impression_checks import METHOD, check_dreams, is_valid
from uap_core.experiments.networks import IMAGENET
from uap_core.io.paths import PERTURBATIONS, dreams_path
from uap_core.metrics import fooling_rate, predict
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo, load_model
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.precompute.recipes import LINF10

# Those of the 224-pixel networks whose dreams ship already.
LARGE = tuple(key for key in ("efficientnet_lite0", "squeezenet1_1_caffe") if dreams_path(key).is_file())
SOME = 64


@pytest.mark.parametrize(
    ("dreams", "valid"),
    [
        ({"accuracy": 0.80, "fooling_rate": 0.95, "random_signs": 0.20}, True),
        ({"accuracy": 0.75, "fooling_rate": 0.95, "random_signs": 0.20}, False),
        ({"accuracy": 0.85, "fooling_rate": 0.75, "random_signs": 0.20}, False),
        ({"accuracy": 0.85, "fooling_rate": 0.90, "random_signs": 0.35}, False),
    ],
)
def test_every_figure_must_be_within_ten_points(dreams: dict[str, float], valid: bool) -> None:
    photographs = {"accuracy": 0.87, "fooling_rate": 0.90, "random_signs": 0.16}
    figures = {name: {"dreams": dreams[name], "photographs": photographs[name]} for name in photographs}
    assert is_valid({"pattern": "any", **figures}) is valid


def picture_set(path: Path, held_out: ImageSet) -> Path:
    """Those of ``held_out`` to measure on, as many of noise to craft on."""
    noise = torch.randint(0, 256, held_out.pixels.shape, generator=seeded(0)).byte()
    for split, pixels in (("craft", noise), ("held_out", held_out.pixels)):
        for name, image, file in zip(held_out.classes, pixels, held_out.files, strict=True):
            folder = path / split / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{Path(file).stem}.png")
    return path


def test_the_check_writes_what_it_found_and_for_whom_it_holds(
    tmp_path: Path, dreams: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo, images = Zoo(), open_held_out(dreams, 64, 64).shuffled(seeded(0))
    taken, others = picture_set(tmp_path / "dreams", images.prefix(8)), images.subset(torch.arange(8, 20))
    photographs = picture_set(tmp_path / "photographs", others)
    (tmp_path / "dreams.json").write_text(json.dumps({"network": "resnet64", "seed": 3}))
    monkeypatch.setattr(dream_checks, "METHOD", type(METHOD)(budget=16))
    monkeypatch.setattr(dream_checks, "SEEDS", 2)
    card = check_dreams(zoo, "resnet64", ["vgg64"], taken, photographs)
    assert json.loads((tmp_path / "dreams.json").read_text()) == card
    assert card["seed"] == 3
    found = card["checked"]
    assert set(found["networks"]) == {"resnet64", "vgg64"}
    network = zoo.load("resnet64")
    stated = found["networks"]["resnet64"]
    assert side_of(stated, "dreams") == pytest.approx(rates(network, images.prefix(8)), abs=1e-4)
    assert side_of(stated, "photographs") == pytest.approx(rates(network, others), abs=1e-4)
    assert stated["accuracy"]["dreams"] > 0.4  # no network is as often right on noise
    assert stated["pattern"] == "resnet64-linf10"
    assert found["crafted"]["images"] == 8
    assert len(found["crafted"]["on_dreams"]) == len(found["crafted"]["on_photographs"]) == 2
    assert card["valid_for"] == [name for name in ("vgg64",) if is_valid(found["networks"][name])]


def side_of(stated: dict[str, Any], side: str) -> dict[str, float]:
    return {name: sides[side] for name, sides in stated.items() if name != "pattern"}


def accuracy(network: Classifier, images: ImageSet) -> float:
    return float((predict(network, images.batches()) == images.truth(network.class_ids)).float().mean())


def card_of(key: str) -> dict[str, Any]:
    return json.loads(dreams_path(key).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("key", LARGE)
def test_the_shipped_set_holds_what_its_card_says(key: str) -> None:
    network, card = load_model(key), card_of(key)
    splits = open_splits(dreams_path(key), network.card.resize_size, network.card.input_size, None, network.card.interpolation)
    assert card["weights_sha256"] == network.weights_hash
    assert [len(split) for split in splits] == [256, 256]
    assert len({*splits[0].classes, *splits[1].classes}) == 512
    found = card["checked"]["networks"]
    assert is_valid(found[key])
    stated = load_perturbation(PERTURBATIONS / f"{key}-linf10.safetensors").provenance["held_out"]
    assert [found[key][name]["photographs"] for name in ("fooling_rate", "random_signs")] == [
        stated["fooling_rate"],
        stated["random_signs"],
    ]
    assert card["valid_for"] == [name for name, figures in found.items() if name != key and is_valid(figures)]
    crafted = card["checked"]["crafted"]
    assert (crafted["images"], crafted["image_gradients"], crafted["seeds"]) == (256, 2000, 3)
    assert crafted["share"] == pytest.approx(sum(crafted["on_dreams"]) / sum(crafted["on_photographs"]), abs=0.001)
    assert crafted["share"] >= 0.9


def test_the_sets_are_small() -> None:
    assert sum(dreams_path(key).stat().st_size for key in LARGE) <= 12e6


def some(images: ImageSet) -> ImageSet:
    return images.shuffled(seeded(0)).prefix(SOME)


def rates(network: Classifier, images: ImageSet) -> dict[str, float]:
    """As the card calls them, measured without the code that wrote it."""
    pattern = load_perturbation(PERTURBATIONS / f"{network.card.key}-linf10.safetensors").pattern
    signs = LINF10.random_signs((3, network.size, network.size), seeded(0))
    clean = predict(network, images.batches())
    moved = {
        name: predict(network, ((batch + v).clamp(0, 1) for batch in images.batches()))
        for name, v in (("fooling_rate", pattern), ("random_signs", signs))
    }
    return {"accuracy": accuracy(network, images)} | {name: fooling_rate(clean, after).value for name, after in moved.items()}


@pytest.mark.parametrize("key", LARGE)
def test_some_of_the_shipped_dreams_measure_as_the_card_says(key: str) -> None:
    network = load_model(key)
    held_out = open_held_out(
        dreams_path(key), network.card.resize_size, network.card.input_size, None, network.card.interpolation
    )
    claimed = side_of(card_of(key)["checked"]["networks"][key], "dreams")
    # Three standard deviations of a share of 64 drawn from 256 without replacement are at most 0.16.
    assert rates(network, some(held_out)) == pytest.approx(claimed, abs=0.16)


@pytest.mark.parametrize("key", LARGE)
def test_some_of_the_photographs_measure_as_the_card_says(key: str, large_photographs: Callable[[Card], ImageSet]) -> None:
    """What test_shipped.py measures too is left to it."""
    network = load_model(key)
    held_out = large_photographs(network.card)
    claimed = side_of(card_of(key)["checked"]["networks"][key], "photographs")
    if key in IMAGENET:
        assert accuracy(network, some(held_out)) == pytest.approx(claimed["accuracy"], abs=0.17)
    else:
        assert rates(network, some(held_out)) == pytest.approx(claimed, abs=0.17)
