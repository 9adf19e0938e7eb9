from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toys import convolutional_network, pictures, seeded

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.menu import MENU, build, called
from uap_core.errors import SettingError
from uap_core.identity import identity
from uap_core.norms import Ball
from uap_core.precompute.recipes import DEEPFOOL

ROOT = Path(__file__).resolve().parent.parent.parent


def test_all_methods_are_on_the_menu_and_know_their_names() -> None:
    for key, item in MENU.items():
        assert build(key, 300).budget == 300
        assert called(identity(build(key, 300))) == item.name
    assert called({"method": "nobody"}) == "nobody"
    assert called({}) == ""


@pytest.mark.parametrize("side", [224, 240, 260])
def test_ours_repeats_a_tile_in_small_batches_on_large_pictures_alone(side: int) -> None:
    assert identity(build("default", 300, (side, 224)))["settings"].items() >= {"batch_size": 4, "tiles": 4}.items()
    assert "tiles" not in identity(build("default", 300, (64, 64)))["settings"]
    assert "tiles" not in identity(build("default", 300, (224, side + 1)))["settings"], "four tiles must fill it"
    assert build("spgd", 300, (side, side)) == build("spgd", 300)


def test_deepfool_is_that_of_the_library() -> None:
    assert build("deepfool", 500) == replace(DEEPFOOL, budget=500)


@pytest.mark.parametrize("key", MENU)
def test_what_the_menu_says_of_targets_is_true(key: str) -> None:
    run = lambda: build(key, 200).craft(  # noqa: E731
        convolutional_network(), pictures(8), Ball("linf", 0.1), seeded(0), criterion=Criterion.into(1)
    )
    if MENU[key].targets:
        *_, last = run()
        assert last.target_rate is not None
    else:
        with pytest.raises(SettingError, match="no target"):
            run()


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(SettingError, match="no method 'nobody'"):
        build("nobody", 100)


def test_listing_methods_needs_no_torch() -> None:
    check = "import sys, uap_core.crafting.menu as room; print(len(room.MENU), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == f"{len(MENU)} False", done.stderr
