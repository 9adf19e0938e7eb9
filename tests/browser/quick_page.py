"""The page on the quick network: what most browser tests look at."""

from __future__ import annotations

from typing import Any

USUAL = {"photo": "lion", "network": "resnet64", "pattern": "resnet64-linf10", "eps": "10"}  # what its address says then


def open_on_the_quick_network(page: Any, server: str) -> None:
    """The page, filled, on the network whose answers take milliseconds and whose tables ship."""
    page.goto(f"{server}/?network=resnet64")
    page.locator("#numbers", has_text="live, on ResNet-64").wait_for()
    page.locator("#first-view .first[data-network^='ResNet-64']").wait_for()


IDS = {
    "Training images": "samples",
    "Map and words": "words",
    "From learning to attacking": "learning",
    "Small networks": "small",
    "Two networks": "games",
    "Patterns on demand": "generator",
    "Beyond pictures": "geometry",
}
LAB = ("Library", "Networks", *(name for name in IDS if name != "Training images"))


def open_tab(page: Any, name: str) -> None:
    """A click on a tab, or on two where it lies in the Lab; on a phone the list of tabs has it."""

    def click(word: str) -> None:
        tab = page.get_by_role("tab", name=word, exact=True)
        if tab.is_visible():
            tab.click()
        else:  # in Gradio's list of tabs that do not fit; the page's own ways lead there, too
            page.evaluate("id => document.querySelector(`#go-${id}`).click()", IDS.get(word, word.lower()))

    if name in LAB:
        click("Lab")
    click(name)
