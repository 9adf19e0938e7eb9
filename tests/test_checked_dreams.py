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
from uap_core.models.zoo import Zoo, checked_networks, load_model
from uap_core.perturbations.perturbation import load_perturbation

CARD = json.loads(dreams_path("resnet64").with_suffix(".json").read_text(encoding="utf-8"))
CHECKED = CARD["checked"]["networks"]
SOME = 96  # of the 256; of the network's own all


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
def test_what_the_card_states_of_class_impressions_is_what_is_measured(key: str, dreamt: ImageSet) -> None:
    network, stated = load_model(key), CHECKED[key]
    assert (network.card.resize_size, network.size) == (64, 64)
    pattern = load_perturbation(PERTURBATIONS / f"{stated['pattern']}.safetensors").pattern
    count = len(dreamt) if key == "resnet64" else SOME
    images = dreamt.shuffled(torch.Generator().manual_seed(2)).prefix(count)
    truth, clean = images.truth(network.class_ids), predict(network, images.batches())
    assert truth is not None
    right = (clean == truth).float().mean().item()
    fooled = (predicted(network, images.pixels, pattern) != clean).float().mean().item()
    for found, figure in ((right, "accuracy"), (fooled, "fooling_rate")):
        rate = stated[figure]["dreams"]
        drawn = 3.3 * (rate * (1 - rate) * (1 / count - 1 / len(dreamt))) ** 0.5
        assert found == pytest.approx(rate, abs=0.004 + drawn), figure


@pytest.mark.parametrize("key", CHECKED)
def test_what_the_card_states_of_photographs_is_what_network_and_pattern_state(key: str) -> None:
    """Which test_shipped.py measures again."""
    stated, card = CHECKED[key], Zoo().card(key)
    assert stated["accuracy"]["photographs"] == card.measured["top1"]
    own = load_perturbation(PERTURBATIONS / f"{stated['pattern']}.safetensors").provenance
    if own["network"] == key:
        assert stated["fooling_rate"]["photographs"] == own["held_out"]["fooling_rate"]
    assert own["held_out"]["set"] == card.measured["set"] == CARD["checked"]["set"]
