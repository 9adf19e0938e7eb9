"""Two folds of Craft: a pattern for a class alone, and one more of several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uap_core.errors import PerturbationError, SettingError
from uap_core.experiments.class_alone import ALONE, FOR_ALL, SIGNS, SidesRow
from uap_core.experiments.several import SeveralRow
from uap_core.metrics import Rate
from uap_core.ui.selection import Selection
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.craft import alone, several, taking

NETWORK, READY_MADE = "resnet64", "resnet64-linf10.safetensors"


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    for fold in (alone, several):
        monkeypatch.setattr(fold, "LOOKS", (32, 32))
    monkeypatch.setattr(alone, "IMAGES", 64)
    monkeypatch.setattr(several, "IMAGES", 24)


def chosen(epsilon: float = 10.0) -> Selection:
    return Selection("sample:lion", NETWORK, READY_MADE, {}, epsilon)


def merged(steps: Any) -> dict[str, Any]:
    """What stands in each place at the end."""
    found: dict[str, Any] = {}
    for step in steps:
        found |= step
    return found


def test_a_group_is_fooled_beside_the_chosen_pattern(studio: Studio) -> None:
    steps = list(alone.Views(studio).measure(chosen(), "group:dogs", None))
    end = merged(steps)
    assert "Measured live on 64 class impressions" in end["said"]
    assert "of these classes" in end["said"]
    assert "64 class impressions" in end["said"]
    assert sum("of 32 looks" in step.get("said", "") for step in steps) == 5, "a sentence a step of 8, and one at the end"
    draft = end["draft"]
    assert np.abs(draft.values).max() <= 10 / 255 + 1e-6
    assert draft.provenance["method"] == "class_alone"
    assert draft.name == "For all dogs alone, l_inf 10/255"
    assert end["use"]["visible"] is True


def test_one_class_into_another(studio: Studio) -> None:
    end = merged(alone.Views(studio).measure(chosen(), "group:insects", "teddy"))
    assert "become teddy" in end["said"]
    assert end["draft"].provenance["target"] == "teddy"
    assert end["draft"].provenance["settings"]["keep"] == 1.0


@pytest.mark.parametrize(
    ("classes", "target", "epsilon", "said"),
    [
        (None, None, 10.0, "Choose the class"),
        ("group:fishes", None, 0.0, "strength above 0"),
        ("group:ships", None, 10.0, "no class of this group"),
        ("group:insects", "bee", 10.0, "one of those to leave"),
    ],
)
def test_what_cannot_be_made(studio: Studio, classes: Any, target: Any, epsilon: float, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        list(alone.Views(studio).measure(chosen(epsilon), classes, target))


def test_groups_stand_first_with_what_the_network_knows_of_them(studio: Studio) -> None:
    offered = alone.choices(studio, NETWORK)
    assert offered[0] == ("all cats, big and small (4 classes)", "group:cats")
    assert ("lion", "lion") in offered
    assert not any(name.startswith("all snakes") for name, _ in offered), "one class is no group"


def test_precomputed_sides_of_what_is_chosen_else_of_the_first(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> None:
    rows = [
        SidesRow(group, "", kind, Rate(inside, 20), Rate(outside, 100))
        for group in ("cats", "dogs")
        for kind, inside, outside in ((FOR_ALL, 18, 90), (SIGNS, 2, 10), (ALONE, 17 if group == "cats" else 12, 30))
    ]
    table = type("Table", (), {"rows": rows, "provenance": {"held_out": "120 images of some (held-out)"}})
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, row_type: table if name == "resnet64-alone" else None)
    views = alone.Views(studio)
    dogs, other = views.stored(NETWORK, "group:dogs", None), views.stored(NETWORK, "volleyball", None)
    assert "fools 60% of the 20 pictures of these classes and 30% of the 100 others" in dogs["said"]
    assert "the pattern for all fools 90% and 90%" in dogs["said"]
    assert "fools 85%" in other["said"]
    assert "all cats, big and small (precomputed)" in other["chart"]["value"]
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, row_type: None)
    assert views.stored(NETWORK, "group:dogs", None)["chart"]["visible"] is False


def test_one_more_and_one_more(studio: Studio) -> None:
    views = several.Views(studio)
    end = merged(views.measure(chosen(6.0), None))
    so_far = end["so_far"]
    assert len(so_far.patterns) == len(so_far.rates) == 2
    assert so_far.rates[1].count >= so_far.rates[0].count
    assert "2 patterns fool" in end["said"]
    assert np.abs(end["draft"].values).max() <= 6 / 255 + 1e-6
    third = merged(views.measure(chosen(6.0), so_far))["so_far"]
    assert third.patterns[:2] == so_far.patterns
    assert third.rates[:2] == so_far.rates
    assert len(third.patterns) == 3
    another = merged(views.measure(chosen(8.0), third))["so_far"]
    assert len(another.patterns) == 2, "another strength begins again"


def test_no_more_than_enough(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> None:
    monkeypatch.setattr(several, "MOST", 1)
    with pytest.raises(SettingError, match="1 patterns, which is enough"):
        list(several.Views(studio).measure(chosen(), None))
    with pytest.raises(SettingError, match="strength above 0"):
        list(several.Views(studio).measure(chosen(0.0), None))


def test_what_more_patterns_are_worth_is_told_where_it_is_most(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> None:
    rates = {(6.0, 1): 50, (6.0, 2): 60, (10.0, 1): 80, (10.0, 2): 83}
    rows = [
        SeveralRow(e, k, Rate(count, 100), Rate(count - 1, 100), Rate(1, 100), Rate(1, 100), 2000 * k)
        for (e, k), count in rates.items()
    ]
    said = several.conclusion(rows, "ResNet-64")
    assert said.startswith(
        "Precomputed for ResNet-64: at strength 6 of 255 one pattern fools 50% of 100 photographs, the best of 2 fools 60%"
    )
    assert "clean picture alone, 59%" in said
    table = type("Table", (), {"rows": rows, "provenance": {}})
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, row_type: table if name == "resnet64-several" else None)
    found = several.Views(studio).look("efficientnet_lite0")
    assert "ResNet-64" in found["chart"]["value"], "whose it is stands in the title"
    assert found["so_far"] is None


def taken(mine: Pattern | None, own: dict[str, Pattern], network: str = NETWORK) -> dict[str, Any]:
    return taking.take(Studio(), mine, READY_MADE, network, own, ("", 3))


def made(value: float) -> Pattern:
    return Pattern("mine", np.full((3, 64, 64), value, np.float32), "linf", 0.1, {}, "run")


def test_what_was_made_joins_the_own_ones() -> None:
    found = taken(made(0.01), {})
    assert found["own"]["mine"].origin == "kept"
    assert found["asked"] == ("own:mine", 4)
    assert found["kept"]["choices"] == ["mine"]
    assert "mine: chosen, and all tabs use it." in found["said"]
    assert list(taken(made(0.01), found["own"])["own"]) == ["mine"], "it is there already"
    with pytest.raises(PerturbationError, match="Craft a pattern first"):
        taken(None, {})


def test_what_the_chosen_network_does_not_take_is_kept_and_not_chosen() -> None:
    found = taken(made(0.01), {}, "efficientnet_lite0")
    assert "asked" not in found
    assert "it fits networks of 64 x 64 pixels" in found["said"]
    assert (list(found["own"]), found["kept"]["choices"]) == (["mine"], ["mine"])


def test_one_of_another_network_with_the_same_name_stays() -> None:
    first = taken(made(0.01), {})["own"]
    found = taken(made(0.02), first)
    assert list(found["own"]) == ["mine", "mine (2)"]
    assert found["own"]["mine"] is first["mine"]
    assert found["asked"] == ("own:mine (2)", 4)
