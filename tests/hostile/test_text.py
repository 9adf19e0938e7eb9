"""HTML in anybody's names is text on the page, and nothing in it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, noise
from running import PWN, Running
from safetensors.numpy import save_file

TABS = ("Epsilon", "Why", "Defences", "Lab", "Library", "Networks")


@pytest.fixture
def page(browser, app: Running) -> Iterator:
    """The page of the app with a network whose names are HTML."""
    context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(app.address)
    page.locator("#download-png").wait_for()
    yield page
    context.close()


def wait_for(page, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => (document.querySelector(selector)?.innerText || '').includes(text)", arg=[selector, text]
    )


@pytest.mark.browser
def test_html_in_names_is_shown_as_text(page, tmp_path: Path) -> None:
    page.locator("#network input").click()
    page.get_by_role("option", name=f"name{PWN}").click()
    wait_for(page, "#network-note", PWN)
    wait_for(page, "#first-view .now .word", PWN)  # names of classes
    wait_for(page, "#after", PWN)

    page.locator("#strip-row input[type=file], input#your-photo").first.set_input_files(
        {"name": f"{PWN}.png", "mimeType": "image/png", "buffer": encoded(noise())}
    )
    wait_for(page, "#photo-note", "Your picture")

    page.locator("[data-bar=more]").click()
    pattern = np.full((3, 64, 64), 8 / 255, dtype=np.float32)
    header = {"p": "linf", "radius": repr(8 / 255), "name": f"own{PWN}"}
    stated = {
        "network": f"key{PWN}",
        "craft_set": PWN,
        "held_out": {"fooling_rate": 0.5, "set": PWN},
        "method": PWN,
        "time": PWN,
    }
    save_file({"pattern": pattern}, tmp_path / "own.safetensors", {**header, "provenance": json.dumps(stated)})
    page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / "own.safetensors")
    wait_for(page, "#pattern-note", f"own{PWN}")
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)

    for tab in TABS:
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(300)
        assert page.evaluate("window.pwned") is None, tab
    wait_for(page, ".listing", f"name{PWN}")
    page.locator(".listing button", has_text=f"name{PWN}").first.click()
    wait_for(page, "#networks-details", PWN)
    page.get_by_role("tab", name="Compare", exact=True).click()
    wait_for(page, "#contenders", PWN)
    page.get_by_role("tab", name="Transfer", exact=True).click()
    wait_for(page, "#transfer-cards", f"name{PWN}")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x]").count() == 0
