"""What is written into files is an id and the settings that differ from the defaults, and means the same tomorrow."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, make_dataclass, replace
from typing import ClassVar

import pytest
import torch
from toys import pictures, smooth_network

from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.deepfool import DeepFool as AttackDeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.lbfgs import LBFGS
from uap_core.attacks.menu import MENU
from uap_core.crafting.base import Crafter, fingerprint
from uap_core.crafting.class_alone import ClassAlone
from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.crafting.df_uap import Margin
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class
from uap_core.crafting.problem import Problem
from uap_core.defences.transforms import DEFENCES, BitDepth, Blur, CropAndResize, Jpeg
from uap_core.experiments.ablations import KINDS, variants
from uap_core.identity import identity, settings
from uap_core.models.card import Card
from uap_core.norms import Ball
from uap_core.training.class_impressions import Dreamer

# What files that do not state a setting mean by it. Whoever changes a default here must first write the old value into the
# files of assets/ that rely on it: else they would tell something else than what was computed.
SHARED = {"budget": 2000, "batch_size": 16, "interval": 0, "delta": 0.0}
FIRST_ORDER = SHARED | {"bf16": False}
OURS = FIRST_ORDER | {"batch_size": 8, "rate": 1.0, "start": 2.0, "shrinking": 0.6, "smallest_view": 0.8, "tiles": 1}
DEFAULTS = {
    "default": OURS,
    "transfer": OURS | {"wobble": 0.25},
    "unnoticed": OURS,
    "deepfool": {
        **(SHARED | {"budget": 10**9, "batch_size": 1, "delta": 0.2}),
        **{"candidates": 10, "overshoot": 0.02, "iterations": 10, "passes": 5, "gain": 1.0},
    },
    "spgd": FIRST_ORDER | {"rate": 0.1},
    "margin": FIRST_ORDER | {"batch_size": 32, "rate": 0.1275},
    "cosine": FIRST_ORDER | {"rate": 0.125},
    "sga": FIRST_ORDER | {"budget": 20_000, "batch_size": 100, "mini_batch": 10, "passes": 4, "rate": 0.1, "momentum": 0.0},
    "activations": OURS | {"smallest_view": 0.3, "tiles": 0, "own": 0.5, "exponent": 1.0},
    "intrinsic": SHARED | {"batch_size": 1, "depth": 0.5},
    "singular": SHARED | {"batch_size": 64, "stride": 4, "q": 10.0},
}
OTHERS = {  # attacks of the tables of transfer, defences, dreams
    AttackDeepFool: {"norm": "l2", "candidates": 10, "overshoot": 0.02, "iterations": 50},
    FGSM: {"epsilon": 10 / 255},
    IterativeFGSM: {
        **{"epsilon": 10 / 255, "alpha": 1 / 255, "steps": 10, "random_start": False, "momentum": 0.0, "all_steps": False}
    },
    LBFGS: {"search_steps": 4, "iterations": 25},
    ClassAlone: OURS | {"classes": (), "keep": 2.0},
    Jpeg: {"quality": 50},
    Blur: {"sigma": 1.0},
    BitDepth: {"bits": 3},
    CropAndResize: {"share": 0.9},
    Dreamer: {
        **{"steps": 150, "batch_size": 128, "rate": 0.05, "statistics": 1.0, "smoothness": 1.0},
        **{"least": 0.3, "most": 0.98, "jitter": 6, "coarse": 0, "heard": 1.0, "noise": 0.0, "pixels": 0.0},
    },
}
CLASSES = {key: method_class(key) for key in METHODS} | {"unnoticed": Unnoticed}
PINNED = [CLASSES[key] for key in DEFAULTS]  # a method that joins is pinned once files rely on it
EVERY = [kind() for kind in (*CLASSES.values(), *KINDS.values(), Dreamer)]


@pytest.mark.parametrize("kind", [*PINNED, *OTHERS], ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_the_defaults_that_files_rely_on(kind: type) -> None:
    expected = OTHERS[kind] if kind in OTHERS else DEFAULTS[kind.key]
    assert {field.name: field.default for field in fields(kind)} == expected


def test_every_method_has_its_own_id_which_the_registry_has_too() -> None:
    assert {key: identity(kind())["method"] for key, kind in CLASSES.items()} == {key: key for key in CLASSES}
    assert len({identity(thing)["method"] for thing in EVERY}) == len(EVERY)
    attacks = [item.build(0.1, 1, False) for item in MENU.values()]
    assert {identity(attack)["method"] for attack in attacks} == {type(attack).key for attack in attacks}
    assert len({identity(attack)["method"] for attack in attacks}) == len({type(attack) for attack in attacks})


def test_settings_are_what_differs_from_the_defaults() -> None:
    assert identity(Margin()) == {"method": "margin", "settings": {}}
    assert identity(Margin(rate=0.5, budget=2000)) == {"method": "margin", "settings": {"rate": 0.5}}
    assert settings(Ball("linf", 0.1)) == {"p": "linf", "radius": 0.1}, "what has no default is always told"
    assert identity(DEFENCES[0]) == {"method": "jpeg", "settings": {"quality": 75}}


@pytest.mark.parametrize("thing", [*EVERY, *variants(10).values(), *DEFENCES], ids=lambda thing: type(thing).__name__)
def test_it_goes_through_a_file(thing: object) -> None:
    assert json.loads(json.dumps(identity(thing))) == identity(thing)


def test_a_renamed_class_and_a_new_setting_change_nothing() -> None:
    @dataclass(frozen=True, kw_only=True)
    class WithMore(Default):
        key: ClassVar[str] = "default"
        novelty: float = 3.0

    renamed = make_dataclass("Renamed", [], bases=(Default,), namespace={"key": "default"}, frozen=True, kw_only=True)
    for kind in (WithMore, renamed):
        assert identity(kind(budget=7)) == identity(Default(budget=7))
    assert identity(WithMore(novelty=4.0)) != identity(WithMore())


def test_another_setting_or_another_method_is_another() -> None:
    assert identity(Default(rate=0.5)) != identity(Default())
    assert identity(Unnoticed()) != identity(Default())
    assert len({json.dumps(identity(method)) for method in variants(10).values()}) == len(variants(10))


def test_a_method_of_ones_own_is_none_of_ours() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Mine(Default):
        """States no id."""

    assert identity(Mine())["method"].endswith("Mine")
    assert identity(Mine()) != identity(Default())


def test_a_saved_run_goes_on_under_another_class_name_and_not_under_another_setting() -> None:
    problem = Problem.pose([smooth_network(0)], pictures(4), Ball("linf", 0.1))

    def told(method: Crafter) -> str:
        return fingerprint(method, problem, torch.Generator().manual_seed(0))

    renamed = make_dataclass("Renamed", [], bases=(Default,), namespace={"key": "default"}, frozen=True, kw_only=True)
    assert told(renamed()) == told(Default())
    assert told(Default(rate=0.5)) != told(Default())
    assert told(Unnoticed()) != told(Default())


def test_weights_of_another_file_may_be_the_same_network() -> None:
    card = Card("one", "One", "embedded", "", 8, 8, "none", "", sha256="f286bb", same_network=("f3623f",))
    assert card.is_weights("f286bb")
    assert card.is_weights("f3623f")
    assert not card.is_weights("f3623")
    assert not card.is_weights("another")
    assert replace(card, sha256="12345678").is_weights("12345678abcdef"), "cards may have the first eight digits alone"
    assert not replace(card, sha256="").is_weights("12345678")
