from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uap_core.ui.around.links import NAMES, photo_word, read, write
from uap_core.ui.gallery import dream_choices, photo_choices
from uap_core.ui.selection import Scene, ball_of, largest_level, usual
from uap_core.ui.state import RANDOM_SIGNS, Studio

STUDIO = Studio()
PHOTOS = [photo for _, photo in photo_choices() + dream_choices()]
NETWORKS = [key for _, key in STUDIO.networks()]
USUAL = usual(STUDIO)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    network = draw(st.sampled_from(NETWORKS))
    pattern = draw(st.sampled_from([key for _, key in STUDIO.patterns(network, {})]))
    epsilon = draw(st.integers(0, int(1e4 * largest_level(ball_of(pattern))))) / 1e4
    return Scene(draw(st.sampled_from(PHOTOS)), network, pattern, epsilon)


@given(scenes())
def test_a_link_brings_the_scene_back(scene: Scene) -> None:
    assert read(dict(parse_qsl(write(scene, STUDIO))), STUDIO) == (scene, [])


def test_a_link_is_short_and_readable() -> None:
    scene = Scene("dream:3", "vgg64", "resnet64-linf10.safetensors", 7.5)
    assert write(scene, STUDIO) == "photo=dream4&network=vgg64&pattern=resnet64-linf10&eps=7.5"
    assert write(USUAL, STUDIO) == ""
    assert len({photo_word(photo) for photo in PHOTOS}) == len(PHOTOS)


@settings(deadline=None)  # of a machine that is busy
@given(st.dictionaries(st.sampled_from([*NAMES, "tab"]), st.text(max_size=40)))
def test_whatever_a_link_holds_the_page_can_show_it(parameters: dict[str, str]) -> None:
    scene, lost = read(parameters, STUDIO)
    assert scene.photo in PHOTOS
    assert scene.network in NETWORKS
    assert scene.pattern in [key for _, key in STUDIO.patterns(scene.network, {})]
    assert 0 <= scene.epsilon <= largest_level(ball_of(scene.pattern))
    assert set(lost) <= set(NAMES.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("eps", word) for word in ("", "-1", "33", "nan", "inf", "1e1", "0x1", "1_0", "１０", "10 ", "9" * 400)],
        *[("photo", word) for word in ("", "sample:lion", "upload:/etc/passwd", "dream0", "dream99", "<script>")],
        *[("network", word) for word in ("", "nobody", "../resnet64", "RESNET64")],
        *[("pattern", word) for word in ("", "own:mine", "../models/resnet64", "resnet64-linf10", "resnet64")],
    ],
)
def test_what_is_unknown_falls_back_and_is_named(name: str, value: str) -> None:
    assert read({name: value}, STUDIO) == (USUAL, [NAMES[name]])


def test_each_part_brings_what_belongs_to_it() -> None:
    """A network its own pattern, a pattern its own epsilon; the limit of epsilon is the pattern's."""
    assert read({"network": "vgg64"}, STUDIO)[0].pattern == "vgg64-linf10.safetensors"
    quick, l2 = {"network": "resnet64"}, "resnet64-l2.safetensors"
    assert read(quick | {"pattern": "resnet64-l2"}, STUDIO) == (
        replace(usual(STUDIO, "resnet64"), pattern=l2, epsilon=2000),
        [],
    )
    assert read(quick | {"pattern": "resnet64-l2", "eps": "900"}, STUDIO)[0].epsilon == 900
    assert read({"pattern": "random-signs"}, STUDIO)[0].pattern == RANDOM_SIGNS
    assert read({"pattern": "nobody", "eps": "4"}, STUDIO)[0].epsilon == 4


def test_what_is_a_visitors_own_stays_out() -> None:
    assert write(Scene("upload:/tmp/me.png", "vgg64", RANDOM_SIGNS, 10), STUDIO) == "network=vgg64&pattern=random-signs&eps=10"
    assert write(Scene("sample:cat", "vgg64", "own:mine", 3), STUDIO) == "photo=cat&network=vgg64"


@pytest.mark.parametrize("epsilon", [99, -1, float("nan"), None, "ten"])
def test_an_epsilon_that_the_page_refuses_stays_out(epsilon: float) -> None:
    scene = Scene("sample:cat", "resnet64", RANDOM_SIGNS, epsilon)
    assert write(scene, STUDIO) == "photo=cat&network=resnet64&pattern=random-signs"


def test_a_link_is_read_without_torch() -> None:
    """So that the choices of a link stand in the panel at once."""
    check = (
        "import sys; from uap_core.ui.around.links import read; from uap_core.ui.state import Studio;"
        "print(read({'photo': 'cat', 'network': 'vgg64', 'eps': '4'}, Studio())[1], 'torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", check], cwd=root, capture_output=True, text=True, timeout=120)
    assert run.stdout.strip() == "[] False", run.stderr
