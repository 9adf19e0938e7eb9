"""What a visitor does and sees in the first view: a strength typed in, words waited for, pictures read to the last level."""

from __future__ import annotations

import io
import time
from base64 import b64decode

import numpy as np
from PIL import Image

from uap_core.experiments.strengths import Change, change_of
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import square
from uap_core.io.paths import PERTURBATIONS
from uap_core.perturbations.library import read_levels

SIZE, SHOWN = 64, 448  # what the quick network takes, and what is shown of it


def set_epsilon(page, level: float) -> None:
    page.locator("#epsilon input[type=number]").fill(f"{level:g}")
    page.keyboard.press("Enter")


def sentence(page) -> str:
    return page.locator("#first-view .sentence").inner_text()


def downloaded_pattern(page) -> np.ndarray:
    """What the button offers now."""
    with page.expect_download() as download:
        page.locator("#download-npy").click()
    return np.load(download.value.path())


def run_anew(page, word: str) -> None:
    """Press the button of a view until its run begins: right after a stop the page may pass a click by."""
    since = time.monotonic()
    while True:
        page.locator(f"#{word}-run").click()
        page.wait_for_timeout(1500)
        if "Stopped" not in page.locator(f"#{word}-status").inner_text():
            return
        assert time.monotonic() - since < 30, "the run does not begin"


def wait_for(page, selector: str, pattern: str, timeout: int = 60_000) -> str:
    """Wait until the text of ``selector`` matches; return it."""
    page.wait_for_function(
        "([selector, pattern]) => new RegExp(pattern).test(document.querySelector(selector)?.innerText || '')",
        arg=[selector, pattern],
        timeout=timeout,
        polling=100,  # at each frame it would keep a processor busy with layout, which the app needs
    )
    return page.locator(selector).inner_text()


def after_label(page) -> str:
    return page.locator("#first-view .now .word").inner_text()


PIXELS = """async selector => {
  const place = document.querySelector(selector), side = place.naturalWidth || place.width;
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d").drawImage(place, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""
CLEAN, NOW = "#first-view .was img", "#first-view .now .frame > canvas"


def shown(page, selector: str) -> np.ndarray:
    """A picture of the first view as it stands on the screen, uint8 (S,S,3)."""
    return np.asarray(Image.open(io.BytesIO(b64decode(page.evaluate(PIXELS, selector)))).convert("RGB"))


def wait_for_photograph(page, expected: np.ndarray, place: str = CLEAN) -> None:
    """Until ``expected`` (S,S,3) is the picture that is shown at ``place``."""
    for _ in range(60):
        now = shown(page, place)
        if now.shape == expected.shape and (now == expected).all():
            return
        page.wait_for_timeout(500)
    raise AssertionError("another picture is shown")


def photograph(key: str) -> np.ndarray:
    chosen = next(photo for photo in SAMPLE_PHOTOS if photo.key == key)
    return np.asarray(square(chosen.open(), SHOWN, SHOWN))


def lion() -> np.ndarray:
    return photograph("lion")


def change() -> Change:
    return change_of(read_levels(PERTURBATIONS / "resnet64-linf10.safetensors"), "linf", 10.0)
