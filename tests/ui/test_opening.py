from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, looked, page_of

from uap_core.experiments.first_view import OPENING, load_opening
from uap_core.experiments.strengths import Answer, answers, exhibit_of, noise_of, picture_at
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.zoo import PAGE_MODEL, Zoo, load_model
from uap_core.ui.tabs.apply import tab as apply_tab
from uap_core.ui.tabs.apply.view import happened, knows

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_view_is_what_the_network_says_now() -> None:
    classifier = load_model(PAGE_MODEL)
    opening = load_opening()
    assert opening is not None
    live = exhibit_of(classifier, opening.view.clean, opening.view.perturbed)
    for shown, computed in ((opening.view.before, live.before), (opening.view.after, live.after)):
        assert [label for label, _ in shown] == [label for label, _ in computed]
        assert np.allclose([p for _, p in shown], [p for _, p in computed], atol=1e-3)
    assert opening.view.psnr == pytest.approx(live.psnr)
    assert opening.view.ssim == pytest.approx(live.ssim)
    assert live.fooled  # the page opens with a success
    assert live.before[0][1] >= 0.9  # of a network that was sure


def test_the_words_at_every_strength_are_what_the_network_says_now() -> None:
    opening = load_opening()
    assert opening is not None
    changes = {"pattern": opening.scaled, "noise": noise_of(224, "linf", 10.0)}
    assert {mode for mode, _ in opening.said} == set(changes)
    chosen = [place for place in opening.said if place[1] in (0, 3, 10, 32)]
    pictures = [picture_at(opening.view.clean, changes[mode], level) for mode, level in chosen]
    for place, said in zip(chosen, answers(load_model(PAGE_MODEL), pictures), strict=True):
        assert said.label == opening.said[place].label
        assert said.sure == pytest.approx(opening.said[place].sure, abs=2e-3)
    assert opening.said["noise", 10.0].label == opening.said["pattern", 0.0].label, "noise does not do it"


@pytest.mark.parametrize("entry", ["weights_sha256", "pattern_sha256"])
def test_a_view_measured_on_something_else_is_not_shown(tmp_path: Path, entry: str) -> None:
    stored = json.loads(OPENING.read_text()) | {entry: "0" * 64}
    path = tmp_path / "opening.json"
    path.write_text(json.dumps(stored))
    assert load_opening(path) is None


FIRST = (f"sample:{SAMPLE_PHOTOS[0].key}", PAGE_MODEL, f"{PAGE_MODEL}-linf10.safetensors", {}, 10)


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(lambda studio, setup, tab: apply_tab.build(studio, setup, load_opening(), tab))


def test_nothing_is_computed_for_the_first_view(page: gr.Blocks) -> None:
    view = next(event for event in page.fns.values() if event.name == "look_apply")
    assert set(map(str, view.fn(view.inputs[0].value, *FIRST))) == {str(gr.skip())}
    assert str(gr.skip()) not in map(str, view.fn(view.inputs[0].value, *FIRST[:4], 11)[:3])
    (numbers,) = (block.value for block in page.blocks.values() if getattr(block, "elem_id", "") == "numbers")
    assert "precomputed, on EfficientNet-Lite0" in str(numbers)
    assert "live, on EfficientNet-Lite0" in str(looked(page, "apply", *FIRST))


def test_the_page_is_laid_out_without_torch() -> None:
    """So that it answers at once; networks are loaded while it is read."""
    check = (
        "import sys; from uap_core.ui.page import build; from uap_core.ui.state import Studio; build(Studio());"
        "print([name for name in ('torch', 'torchvision', 'timm') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.stdout.strip() == "[]", run.stderr


def test_its_downloads_are_those_that_applying_it_gives(page: gr.Blocks) -> None:
    parts = {getattr(block, "elem_id", ""): block for block in page.blocks.values()}
    *_, picture, pattern, _numbers = looked(page, "apply", *FIRST)
    first = parts["download-png"].value, parts["download-npy"].value
    assert all(parts[name].visible for name in ("download-png", "download-npy"))
    for then, now in zip(first, (picture, pattern), strict=True):
        assert Path(then["path"]).name == Path(now["value"]).name
        assert Path(then["path"]).read_bytes() == Path(now["value"]).read_bytes()


def sent(page: gr.Blocks) -> dict:
    """What the page's script is sent for the first view."""
    (data,) = (block.value for block in page.blocks.values() if getattr(block, "elem_id", "") == "first-data")
    return json.loads(unescape(re.search('data-view="(.*)"', data)[1]))


def test_the_script_has_all_it_needs_before_torch_is_there(page: gr.Blocks) -> None:
    view = sent(page)
    assert view["complete"]
    assert (view["knows"], view["sight"], view["clean"][0]) == ("right", "a cheetah", "cheetah")
    assert len(view["says"]["pattern"]) == len(view["says"]["noise"]) == 33
    assert view["says"]["pattern"]["10"][::2] == ["brain coral", "changed"]
    assert "91 of 100" in view["lead"]
    assert "noise just as strong: on 16" in view["lead"]


def test_asked_ahead_the_words_of_all_strengths_come(page: gr.Blocks) -> None:
    handlers = handlers_of(page)
    said, data, *_ = looked(page, "apply", *CAT)
    view = json.loads(unescape(re.search('data-view="(.*)"', data)[1]))
    assert said == ""
    words = json.loads(unescape(re.search('data-view="(.*)"', handlers["ahead"](*CAT)[0])[1]))
    assert words["key"] == view["key"]
    for mode in ("pattern", "noise"):
        assert len(words["says"][mode]) == 33
        assert words["says"][mode]["10"] == view["says"][mode]["10"]
    again = json.loads(unescape(re.search('data-view="(.*)"', looked(page, "apply", *CAT)[1])[1]))
    assert again["complete"], "and are not asked for twice"


CAT = ("sample:cat", "resnet64", "resnet64-linf10.safetensors", {}, 10)


def answer(name: str, network: str = PAGE_MODEL) -> Answer:
    return Answer(load_model(network).labels.index(name), name, 0.9)


def test_a_change_to_a_close_relative_is_a_near_miss() -> None:
    card = Zoo().card(PAGE_MODEL)
    assert happened(card, answer("Egyptian cat"), answer("tabby")) == "near"
    assert happened(card, answer("Egyptian cat"), answer("brain coral")) == "changed"
    assert happened(card, answer("Egyptian cat"), answer("Egyptian cat")) == "same"
    small = Zoo().card("resnet64")
    assert happened(small, answer("lion", "resnet64"), answer("abacus", "resnet64")) == "changed"


def test_whether_the_first_answer_was_right_is_told_apart() -> None:
    card, small = Zoo().card(PAGE_MODEL), Zoo().card("resnet64")
    assert knows("sample:cat", card, answer("tiger cat")) == "right", "a person accepts any cat"
    assert knows("sample:cat", card, answer("lynx")) == "wrong"
    assert knows("sample:rocket", small, answer("abacus", "resnet64")) == "noname"
    assert knows("upload:/tmp/me.png", card, answer("lynx")) == "own"
    assert knows("upload:/tmp/me.png", card, replace(answer("lynx"), sure=0.1)) == "unsure"
