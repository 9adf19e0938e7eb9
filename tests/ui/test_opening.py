from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments.apply import exhibit
from uap_core.experiments.first_view import OPENING, load_opening
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import preprocess
from uap_core.io.paths import PERTURBATIONS
from uap_core.models.zoo import PAGE_MODEL, load_model
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.ui.tabs import apply as apply_tab

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_view_is_what_the_network_says_now() -> None:
    classifier = load_model(PAGE_MODEL)
    opening = load_opening()
    assert opening is not None
    stored = json.loads(OPENING.read_text())
    photo = next(photo for photo in SAMPLE_PHOTOS if photo.key == stored["photo"])
    image = preprocess(photo.open(), classifier.card.resize_size, classifier.size, classifier.card.interpolation)
    live = exhibit(classifier, image, load_perturbation(PERTURBATIONS / stored["pattern"]))
    assert (opening.view.clean == live.clean).all()
    assert (opening.view.perturbed == live.perturbed).all()
    for shown, computed in ((opening.view.before, live.before), (opening.view.after, live.after)):
        assert [label for label, _ in shown] == [label for label, _ in computed]
        assert np.allclose([p for _, p in shown], [p for _, p in computed], atol=1e-3)
    assert opening.view.psnr == pytest.approx(live.psnr)
    assert opening.view.ssim == pytest.approx(live.ssim)
    assert live.fooled  # the page opens with a success
    assert live.before[0][1] >= 0.9  # of a network that was sure


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
    assert str(gr.skip()) not in map(str, view.fn(view.inputs[0].value, *FIRST[:4], 11)[:2])
    (numbers,) = (block.value for block in page.blocks.values() if getattr(block, "elem_id", "") == "numbers")
    assert "precomputed, on EfficientNet-Lite0" in str(numbers)
    assert "live, on EfficientNet-Lite0" in str(handlers_of(page)["apply"](*FIRST))


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
    *_, picture, pattern = handlers_of(page)["apply"](*FIRST)
    first = parts["download-png"].value, parts["download-npy"].value
    assert all(parts[name].visible for name in ("download-png", "download-npy"))
    for then, now in zip(first, (picture, pattern), strict=True):
        assert Path(then["path"]).name == Path(now["value"]).name
        assert Path(then["path"]).read_bytes() == Path(now["value"]).read_bytes()
