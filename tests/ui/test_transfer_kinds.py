"""The sentence on convolution against attention: which cells it is taken from, and when it is left out."""

from __future__ import annotations

import re

import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments.origins import MatrixRow
from uap_core.io.results import Table
from uap_core.metrics import Rate
from uap_core.models.card import Card
from uap_core.ui.state import Studio
from uap_core.ui.tabs.transfer import tab as transfer_tab
from uap_core.ui.tabs.transfer.kinds import across_kinds

NAMES = {"conv": "Conv", "other": "Other", "robust": "Robust", "look": "Look"}


def card(key: str, architecture: str, epsilon: float = 0.0) -> Card:
    return Card(
        key, NAMES[key], "embedded", __file__, 64, 64, "none", "a test", architecture=architecture, recipe={"epsilon": epsilon}
    )


CARDS = {
    "conv": card("conv", "resnet64"),
    "other": card("other", "vgg64"),
    "robust": card("robust", "resnet64", 4 / 255),
    "look": card("look", "vit64"),
}
PERCENT = {
    **{("conv", "look"): 20, ("other", "look"): 30, ("look", "conv"): 40, ("look", "other"): 45},
    **{
        ("robust", "look"): 99,
        ("look", "robust"): 1,
        ("conv", "other"): 77,
        ("other", "conv"): 78,
        ("look", "look"): 88,
        ("conv", "conv"): 90,
    },
}


def rows(networks: tuple[str, ...]) -> list[MatrixRow]:
    asked = [pair for pair in PERCENT if set(pair) <= set(networks)]
    own = [MatrixRow(f"{a}-linf10.safetensors", b, a == b, Rate(PERCENT[a, b], 100), p="linf") for a, b in asked]
    # Another pattern of the same network, and noise: neither is what the sentence speaks of.
    more = [
        MatrixRow("look-l2.safetensors", "conv", False, Rate(3, 100)),
        MatrixRow("random_signs", "look", False, Rate(2, 100)),
    ]
    return [*own, *(row for row in more if row.network in networks)]


def test_each_way_is_told_from_the_networks_own_patterns() -> None:
    said = across_kinds(rows(("conv", "other", "robust", "look")), CARDS, NAMES)
    assert "made on convolutions (Conv, Other) fools Look" in said
    assert re.findall(r"\d+%(?: to \d+%)?", said) == ["20% to 30%", "40% to 45%"]


def test_one_of_each_has_one_rate_each_way() -> None:
    assert re.findall(r"\d+%(?: to \d+%)?", across_kinds(rows(("conv", "look")), CARDS, NAMES)) == ["20%", "40%"]


@pytest.mark.parametrize("networks", [("conv", "other"), ("look",), ("robust", "look")])
def test_one_kind_alone_is_no_comparison(networks: tuple[str, ...]) -> None:
    assert across_kinds(rows(networks), CARDS, NAMES) == ""


def test_the_tab_says_it_after_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    provenance = {"time": "2026-01-01", "held_out": "100 images of some"}
    table = Table("made up", rows(("conv", "look")), provenance)
    monkeypatch.setattr(Studio, "precomputed", lambda _, name, kind: table if name == "embedded-matrix" else None)
    monkeypatch.setattr("uap_core.models.zoo.Zoo.cards", lambda _: CARDS | {"resnet64": card("conv", "resnet64")})
    said = handlers_of(page_of(transfer_tab.build))["look_stored"]("", "resnet64", "conv-linf10.safetensors")[1]
    assert said.index("alone, it fools that one") < said.index("the other way it is 40%")
