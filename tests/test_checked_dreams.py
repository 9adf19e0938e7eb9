"""Which networks dreams tell the truth about: those whose card says so, within ten points of what photographs say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet, open_held_out
from uap_core.io.paths import PERTURBATIONS, dreams_path
from uap_core.metrics import predict
from uap_core.models.zoo import checked_networks, load_model
from uap_core.perturbations.perturbation import load_perturbation

CARD = json.loads(dreams_path("resnet64").with_suffix(".json").read_text(encoding="utf-8"))
CHECKED = CARD["checked"]["networks"]
SOME = 400


@pytest.fixture(scope="module")
def dreamt() -> ImageSet:
    return open_held_out(dreams_path("resnet64"), 64, 64)


def differences(stated: dict) -> list[float]:
    return [abs(stated[name]["dreams"] - stated[name]["photographs"]) for name in ("accuracy", "fooling_rate")]


def test_the_card_lists_those_within_ten_points_and_no_other() -> None:
    within = {key for key, stated in CHECKED.items() if max(differences(stated)) <= 0.1}
    assert within == {"resnet64", *CARD["valid_for"]}
    assert checked_networks(dreams_path("resnet64")) == CARD["valid_for"]


@pytest.mark.parametrize("text", ["{", "[]", '{"valid_for": 3}'])
def test_a_card_that_says_nothing_lists_nobody(tmp_path: Path, text: str) -> None:
    assert checked_networks(tmp_path / "absent.zip") == []
    (tmp_path / "odd.json").write_text(text)
    assert checked_networks(tmp_path / "odd.zip") == []


@pytest.mark.parametrize("key", CHECKED)
def test_what_the_card_states_is_what_is_measured(key: str, dreamt: ImageSet, small_photographs: ImageSet) -> None:
    """On all class impressions, and on 400 of the 2 500 photographs."""
    network, stated = load_model(key), CHECKED[key]
    assert (network.card.resize_size, network.size) == (64, 64)
    pattern = load_perturbation(PERTURBATIONS / f"{stated['pattern']}.safetensors").pattern
    some = small_photographs.shuffled(torch.Generator().manual_seed(2)).prefix(SOME)
    for name, images in (("dreams", dreamt), ("photographs", some)):
        truth, clean = images.truth(network.class_ids), predict(network, images.batches())
        assert truth is not None
        right = (clean == truth).float().mean().item()
        fooled = (predicted(network, images.pixels, pattern) != clean).float().mean().item()
        for found, figure in ((right, "accuracy"), (fooled, "fooling_rate")):
            rate = stated[figure][name]
            drawn = 3.3 * (rate * (1 - rate) * (1 / SOME - 1 / len(small_photographs))) ** 0.5 if images is some else 0.0
            assert found == pytest.approx(rate, abs=0.004 + drawn), figure
