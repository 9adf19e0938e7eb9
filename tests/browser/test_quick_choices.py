"""Whatever is chosen, and however quickly: once the page is calm, all that it shows is true of what is chosen."""

from __future__ import annotations

import random
import time

import pytest
from first_view import after_label, set_epsilon
from test_flow import named

from uap_core.experiments.apply import Exhibit
from uap_core.experiments.strengths import exhibit_of, picture_at
from uap_core.ui.around.links import read
from uap_core.ui.selection import Scene, Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.apply.view import looked_at

PATIENCE = 20.0  # seconds until the page must have come to rest
TABS = ("Apply", "Craft", "Epsilon", "Compare")


def choose_anything(page, draw: random.Random) -> None:
    """One choice, after which nobody waits."""

    def photograph() -> None:
        page.get_by_role("tab", name="Apply", exact=True).click()
        page.locator("#strip [data-photo]").nth(draw.randrange(9)).click()

    def from_list(name: str) -> None:
        field = page.locator(f"#{name} input")
        field.click()
        options = page.locator(f"#{field.get_attribute('aria-controls')} [role=option]")
        options.first.wait_for()
        options.nth(draw.randrange(min(7, options.count()))).click()

    def by_arrows() -> None:
        page.locator("#epsilon input[type=range]").focus()
        for _ in range(draw.randrange(1, 6)):
            page.keyboard.press(draw.choice(("ArrowLeft", "ArrowRight")))

    def by_tab_key() -> None:
        page.locator("#network input").focus()
        for _ in range(draw.randrange(1, 8)):
            page.keyboard.press(draw.choice(("Tab", "Tab", "Shift+Tab")))

    draw.choice(
        (
            photograph,
            lambda: from_list("network"),
            lambda: from_list("pattern"),
            lambda: set_epsilon(page, draw.choice((0, 4, 6.5, 16))),
            by_arrows,
            by_tab_key,
            lambda: page.get_by_role("tab", name=draw.choice(TABS), exact=True).click(),
        )
    )()


def truth(studio: Studio, scene: Scene) -> Exhibit:
    now = looked_at(studio, Selection(scene.photo, scene.network, scene.pattern, {}, scene.epsilon))
    picture = picture_at(now.photo, now.change, scene.epsilon)
    return exhibit_of(studio.classifier(scene.network), now.photo, picture)


def contradictions(page, studio: Studio) -> list[str]:
    """What the page shows otherwise than the core says of what is chosen."""
    scene, lost = read(named(page), studio)
    patterns, networks = dict(studio.patterns(scene.network, {})), dict(studio.networks())
    expected = truth(studio, scene)
    size = f"{expected.psnr:.1f} dB" if expected.linf else "no change"
    agree = {
        f"the address names what is not there: {lost}": not lost,
        f"epsilon is {scene.epsilon}": float(page.locator("#epsilon input[type=number]").input_value()) == scene.epsilon,
        f"the network is {scene.network}": networks.get(page.locator("#network input").input_value()) == scene.network,
        f"the pattern is {scene.pattern}": patterns.get(page.locator("#pattern input").input_value()) == scene.pattern,
        f"the label is {expected.after[0][0]}": after_label(page) == expected.after[0][0],
        f"the change is {size}": size in page.locator("#numbers").inner_text(),
    }
    return [word for word, right in agree.items() if not right]


@pytest.mark.parametrize("seed", range(2))
def test_quick_choices_end_in_one_truth(page, seed: int) -> None:
    draw, studio = random.Random(seed), Studio()
    for _ in range(3):
        for _ in range(draw.randrange(2, 7)):
            choose_anything(page, draw)
            page.wait_for_timeout(draw.choice((0, 0, 60, 250)))
        page.get_by_role("tab", name="Apply", exact=True).click()
        page.wait_for_timeout(700)
        since = time.monotonic()
        while found := contradictions(page, studio):
            assert time.monotonic() - since < PATIENCE, found
            page.wait_for_timeout(500)
