"""The page for everybody: axe-core's rules on every tab, light and dark; a phone; the keyboard alone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from first_view import wait_for
from quick_page import open_tab as go_to

from uap_core.images.photographs import SAMPLE_PHOTOS

# Each tab, and what stands there once it is filled.
TABS = {
    "Apply": "#numbers td",
    "Craft": "#craft-labels .verdict",
    "Epsilon": "#sweep-chart figure",
    "Training images": "#curve-stored figure",
    "Compare": ".bouts tr:nth-child(4)",
    "Transfer": "#transfer-matrix .rate",
    "Why": "#labels-flow .flow",
    "Defences": "#defences-bars .help:nth-of-type(4)",
    "Library": ".patterns button:nth-child(20)",
    "Networks": ".listing tr:nth-child(18)",
    "Map and words": "#map [data-go=why]",
}
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
FOCUS = """() => {
  const here = document.activeElement, style = getComputedStyle(here);
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return [here.outerHTML.slice(0, 160), seen];
}"""
PHONE = {"width": 390, "height": 844}


# And what stands there once what is folded away for researchers is open.
FOLDED = {
    "Transfer": "#halves-stored .rate",
    "Why": "#directions-chart figure",
    "Defences": "#defences-table tr:nth-child(7)",
    "Library": "#library-samples figure",
    "Networks": "#networks-memory .note",
}


def open_tab(page, name: str, unfold: bool = False) -> None:
    go_to(page, name)
    page.locator(TABS[name]).first.wait_for()
    if unfold and name in FOLDED:
        page.locator(f"#{name.lower()}-more > button").click()
        page.locator(FOLDED[name]).first.wait_for()


def violations(page, rules: dict, where: str = "html") -> list[str]:
    """What axe finds within ``where``, a line each."""
    found = Axe().run(page, where, {"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary'].splitlines()[-1]}"
        for violation in found
        for node in violation["nodes"]
    ]


def test_every_tab_keeps_the_rules_light_and_dark_and_fits_a_phone(page) -> None:
    """One walk, since filling the tabs takes longest. In dark mode only colours differ."""
    broken: dict[str, list[str]] = {}
    page.add_style_tag(content="* { transition: none !important; }")  # else axe sees colours on their way to dark
    for name in TABS:
        open_tab(page, name, unfold=True)
        where = "html" if name == "Apply" else f"[role=tabpanel]:has({TABS[name]})"
        found = violations(page, WCAG, where)
        page.evaluate("document.body.classList.add('dark')")
        found += [f"dark: {line}" for line in violations(page, CONTRAST, where)]
        page.evaluate("document.body.classList.remove('dark')")
        page.set_viewport_size(PHONE)
        page.wait_for_timeout(100)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"on a phone the page is {beyond} pixels too wide"] * (beyond > 0)
        page.set_viewport_size({"width": 1400, "height": 1000})
        broken |= {name: found} if found else {}
    assert broken == {}


@pytest.mark.goes_on
def test_charts_and_the_page_say_what_they_are(page) -> None:
    open_tab(page, "Epsilon")
    words = page.locator("#sweep-chart svg.wide").get_attribute("aria-label")
    assert words.startswith("ResNet-64")
    assert re.search(r"fooling rate against strength ε \(of 255\)\. .*: from 0% to \d+%\.", words)
    assert page.get_by_role("application", name="Chart: the arrow keys go from value to value. ResNet-64").is_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == "Universal adversarial perturbations"
    assert page.locator("main").count() == 1
    assert page.locator("#sweep-status").get_attribute("aria-live") == "polite"


def tab_to(page, selector: str, key: str = "Tab") -> None:
    """Press ``key`` until the keyboard is on ``selector``; each stop on the way must be visible."""
    for _ in range(120):
        page.keyboard.press(key)
        html, seen = page.evaluate(FOCUS)
        assert seen or html.startswith("<body"), html
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_the_keyboard_alone_chooses_crafts_and_stops(page) -> None:
    tab_to(page, f"#strip [data-photo='sample:{SAMPLE_PHOTOS[1].key}']")
    page.keyboard.press("Enter")
    wait_for(page, "#first-view .sentence", SAMPLE_PHOTOS[1].sight)
    tab_to(page, "#epsilon input[type=range]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    wait_for(page, "#numbers", "12/255")
    # Lists that are only passed on the way choose nothing. Gradio asks the server all the same, which may take its time.
    tab_to(page, "#network input", "Shift+Tab")
    tab_to(page, "#epsilon input[type=range]")
    page.wait_for_timeout(1_000)
    assert page.locator("#epsilon input[type=range]").input_value() == "12"
    assert "12/255" in page.locator("#numbers").inner_text()
    tab_to(page, "[role=tab][data-tab-id=craft]")
    page.keyboard.press("Enter")
    page.locator("#craft-run").wait_for()
    tab_to(page, "#craft-run")
    assert page.locator("[role=option]:visible").count() == 0, "no list stays open that the keyboard came by"
    page.keyboard.press("Enter")
    wait_for(page, "#craft-status", r"\d+ of \d+ looks")
    tab_to(page, "#craft-stop")
    page.keyboard.press("Enter")
    wait_for(page, "#craft-status", "Stopped")


@pytest.mark.goes_on
def test_buttons_can_be_read_under_the_pointer(page) -> None:
    open_tab(page, "Epsilon")
    page.add_style_tag(content="* { transition: none !important; }")
    for button in ("#sweep-run", "#sweep-chart [data-save=png]", ".next [data-go=samples]", "#copy-link"):
        page.locator(button).hover()
        for theme in ("light", "dark"):
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
            assert violations(page, CONTRAST, button) == [], theme
    page.evaluate("document.body.classList.remove('dark')")


def test_dark_is_dark(unopened, server: str) -> None:
    page = unopened
    page.goto(f"{server}/?__theme=dark")
    page.locator("#download-png").wait_for()
    for place in ("body", "#bar"):
        colour = page.locator(place).evaluate("element => getComputedStyle(element).backgroundColor")
        assert max(map(int, re.findall(r"\d+", colour)[:3])) < 64, (place, colour)
    page.locator("#first-view .now[data-kind=changed]").wait_for()
    fooled = page.locator("#first-view .now .word").evaluate("element => getComputedStyle(element).color")
    named = page.evaluate("getComputedStyle(document.body).getPropertyValue('--now-text')").strip().lstrip("#")
    assert fooled == f"rgb({', '.join(str(int(named[place : place + 2], 16)) for place in (0, 2, 4))})"
    for button in ("#first-view .tools button:has(.long)", "#modes label:has(input:checked) > span"):  # the words in it, too
        colours = page.locator(button).evaluate("one => [one, one.firstElementChild].map(each => getComputedStyle(each).color)")
        assert colours[0] == colours[1], button
