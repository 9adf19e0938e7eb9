"""What a foreign .safetensors file says of itself: the page repeats what a run can have written, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from uap_core.perturbations.library import library
from uap_core.ui.panel_notes import story_of
from uap_core.ui.session_patterns import LONGEST_OPENED, read_pattern
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.stated import sayable
from uap_core.ui.tabs.apply.lead import lead_of

NETWORK = "resnet64"
TRUE: dict[str, Any] = {
    "network": NETWORK,
    "craft_set": "10 images of some (craft)",
    "method": "default",
    "image_gradients": 800,
    "seconds": 1.5,
    "seed": 3,
    "held_out": {"set": "64 images of some (held-out)", "fooling_rate": 0.5, "random_signs": 0.125},
}
ODD = [None, [], {}, "x" * 3_000_000, "\ud800", "two\nlines", True, -1, 1.5e300, 10**400, float("nan"), float("inf")]


def opened(folder: Path, provenance: dict[str, Any], name: str = "mine") -> Pattern:
    values = (np.random.default_rng(0).choice([-8, 8], (3, 64, 64)) / 255).astype(np.float32)
    text = json.dumps(provenance)
    header = {"p": "linf", "radius": repr(8 / 255), "name": name, "provenance": text}
    save_file({"pattern": values}, folder / "v.safetensors", header)
    return read_pattern(folder / "v.safetensors", 64).pattern


def told(pattern: Pattern, network: str) -> str:
    """All that the page says of it."""
    own, key = {pattern.name: pattern}, f"own:{pattern.name}"
    return " ".join((pattern.name, story_of(key, network, own, Studio()), lead_of(Studio(), network, key, own)))


def test_what_runs_write_is_all_said(tmp_path: Path) -> None:
    found = opened(tmp_path, TRUE)
    assert found.provenance == TRUE
    assert "fools this network on 50 of 100 photographs" in told(found, NETWORK)
    for entry in library():
        said = sayable(entry.provenance)
        assert said.items() <= entry.provenance.items(), entry.key
        assert {"network", "craft_set", "method", "image_gradients", "seconds", "seed", "held_out"} <= set(said), entry.key


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12].strip().encode("ascii", "replace").decode())
def test_whatever_stands_in_a_place_the_page_can_say_the_rest(odd: Any, tmp_path: Path) -> None:
    for name in (*TRUE, "target"):
        if not isinstance(odd, str) or len(odd) < 1_000_000:
            _shown(opened(tmp_path, TRUE | {name: odd}))
        _shown_of(TRUE | {name: odd})
    for name in ("set", "fooling_rate", "random_signs", "target_rate", NETWORK):
        _shown_of(TRUE | {"held_out": TRUE["held_out"] | {name: odd}})
        _shown_of(TRUE | {"target": "cat", "held_out": TRUE["held_out"] | {name: odd}})


def _shown_of(provenance: dict[str, Any]) -> None:
    _shown(Pattern("mine", np.full((3, 64, 64), 0.03, np.float32), "linf", 0.03, sayable(provenance)))


def _shown(pattern: Pattern) -> None:
    for network in (NETWORK, "vgg64"):
        said = told(pattern, network)
        assert len(said.encode()) < 2_000
        assert "nan" not in said


def test_a_rate_of_a_target_without_a_target_is_not_said(tmp_path: Path) -> None:
    stated = TRUE | {"held_out": {"set": "a", "target_rate": 0.5}}
    assert "turns" not in told(opened(tmp_path, stated), NETWORK)
    assert "turns 50 of 100 photographs it was not made from into 'cat'" in told(
        opened(tmp_path, stated | {"target": "cat"}), NETWORK
    )


def test_a_name_is_one_short_line_of_text(tmp_path: Path) -> None:
    assert opened(tmp_path, {}, "a" * 400_000).name == "a" * LONGEST_OPENED
    assert opened(tmp_path, {}, "one\ntwo\u202e").name == "one two"
    assert opened(tmp_path, {}, "\n").name == "v"
    longest = max((entry.name for entry in library()), key=len)
    assert opened(tmp_path, {}, longest).name == longest
