"""Links: the address names what is chosen and follows it, and opening it brings the same view back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.ui.gallery import dream_choices, photo_choices
from uap_core.ui.selection import Scene, ball_of, largest_level, own_level, usual
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, guarded, status

if TYPE_CHECKING:
    from uap_core.ui.sidebar import Setup

# Parameters in their order, with the word for each; ``tab`` stands beside them, and so does presenter.js's ``present``.
NAMES = {"photo": _("photograph"), "network": _("network"), "pattern": _("pattern"), "eps": _("strength")}
SUFFIX = ".safetensors"
LEVEL = re.compile(r"[0-9]{1,5}(\.[0-9]{1,4})?")
CSS = """
#link-notes { position: fixed; right: 1rem; top: 3.6rem; z-index: 50; width: auto; display: grid; pointer-events: none;
  background: var(--background-fill-primary); } #link-notes > * { grid-area: 1 / 1; }
#link-said { font-size: var(--type-note); }
#link-notes:has(#link-said:not(:empty)) #link-note { visibility: hidden; }
#link-note .note { padding: .1rem .6rem; border-left-color: var(--warn-line); }
"""


def write(scene: Scene, studio: Studio) -> str:
    """The scene as a query, "photo=lion&network=resnet64&pattern=resnet64-linf10&eps=10"; empty for the usual one.

    What is a visitor's own is left out, and the epsilon of a pattern of their own with it.
    """
    if scene == usual(studio):
        return ""
    words = {"photo": photo_word(scene.photo), "network": scene.network}
    if scene.pattern in _ready(studio, scene.network):
        words["pattern"] = scene.pattern.removesuffix(SUFFIX)
        if isinstance(scene.epsilon, (int, float)) and 0 <= scene.epsilon <= largest_level(ball_of(scene.pattern)):
            words["eps"] = f"{round(scene.epsilon, 4):.10g}"
    return urlencode({name: word for name, word in words.items() if word})


def read(parameters: Mapping[str, str], studio: Studio) -> tuple[Scene, list[str]]:
    """The scene that ``parameters`` name, and the words for those that could not be followed.

    Whatever is missing, unknown or out of range becomes what the rest brings with it.
    """
    unknown = []
    network = parameters.get("network", "")
    if network not in [key for _, key in studio.networks()]:
        unknown += ["network"] * ("network" in parameters)
        network = ""
    scene = usual(studio, network)
    if "photo" in parameters:
        photos = {photo_word(photo): photo for _, photo in photo_choices() + dream_choices()}
        found = photos.get(parameters["photo"])
        unknown += ["photo"] * (found is None)
        scene = replace(scene, photo=found or scene.photo)
    if "pattern" in parameters:
        key = next((key for key in _ready(studio, scene.network) if key.removesuffix(SUFFIX) == parameters["pattern"]), None)
        unknown += ["pattern"] * (key is None)
        scene = replace(scene, pattern=key, epsilon=own_level(ball_of(key))) if key else scene
    if "eps" in parameters:
        level = float(parameters["eps"]) if LEVEL.fullmatch(parameters["eps"]) else -1.0
        fits = 0 <= level <= largest_level(ball_of(scene.pattern))
        unknown += ["eps"] * (not fits)
        scene = replace(scene, epsilon=level) if fits else scene
    return scene, [word for name, word in NAMES.items() if name in unknown]


def photo_word(photo: str) -> str:
    """How a link calls a photograph: "lion" for "sample:lion", "dream4" for the fourth dream; empty for an upload."""
    kind, _, name = photo.partition(":")
    if kind == "dream":
        return f"dream{int(name) + 1}"
    return name if kind == "sample" else ""


def build_button() -> None:
    """Copies the address as it stands."""
    copy = gr.Button(_("Copy link"), size="sm", scale=0, min_width=0, elem_id="copy-link")
    copy.click(None, None, None, js="() => uapLinks.copy()")


def build_note() -> gr.HTML:
    """Room for a sentence about links, and for what links.js says."""
    with gr.Row(elem_id="link-notes"):
        note = gr.HTML(elem_id="link-note")
        gr.HTML('<div id="link-said" role="status"></div>')
    return note


def wire(studio: Studio, setup: Setup, demo: gr.Blocks, tabs: gr.Tabs, inner: gr.Tabs, note: gr.HTML) -> None:
    """Open the tab that the address names, then let the address follow every choice."""
    nested = [tab for tab in inner.children if isinstance(tab, gr.Tab)]
    rooms = [tab for tab in tabs.children if isinstance(tab, gr.Tab)] + nested
    known, within = [tab.id for tab in rooms], [tab.id for tab in nested]
    query, opened_tab = gr.Textbox(visible=False), gr.Textbox(visible=False)

    def open_tab(request: gr.Request) -> tuple[Any, Any, str, str]:
        lost = read(request.query_params, studio)[1] if any(name in request.query_params for name in NAMES) else []
        wanted = request.query_params.get("tab", known[0])
        lost += ["tab"] * (wanted not in known)
        word = wanted if wanted in known[1:] else ""
        room = gr.update(selected=wanted) if word in within else gr.skip()
        return gr.update(selected="lab" if word in within else word) if word else gr.skip(), room, _lost(lost), word

    def follow(photo: str, network: str, pattern: str, epsilon: float, before: Scene | None) -> tuple[str, Any, Scene]:
        """The address, and a sentence: that about a link stays until something else is chosen; one for the copy is hidden."""
        scene = Scene(photo, network, pattern, epsilon)
        note = gr.skip() if before in (None, scene) else _private(photo, pattern)
        return write(scene, studio), note, scene

    found = demo.load(open_tab, None, [tabs, inner, note, opened_tab], **QUICK)
    found.then(None, opened_tab, None, js="tab => uapLinks.begin(tab)")
    followed = gr.State(None)
    chosen = [setup.photo, setup.network, setup.pattern, setup.epsilon, followed]
    following = setup.turn("later").click(
        guarded(3, 1)(follow), chosen, [query, note, followed], trigger_mode="always_last", **QUICK
    )
    following.then(None, query, None, js="query => uapLinks.follow(query)")
    for tab in rooms:
        word = "" if tab.id == known[0] else tab.id
        tab.select(None, None, None, js=f"() => {{ uapLinks.openTab('{word}'); uapTurns.show('{tab.id}'); }}")


def _ready(studio: Studio, network: str) -> list[str]:
    return [key for _, key in studio.patterns(network, {})]


def _lost(words: list[str]) -> str:
    if not words:
        return ""
    listed = _and([", ".join(words[:-1]), words[-1]] if words[1:] else words)
    return status(_("The link's {words} could not be followed here: the usual choice is shown instead.").format(words=listed))


def _private(photo: str, pattern: str) -> str:
    own = [_("picture")] * photo.startswith("upload:") + [_("pattern")] * pattern.startswith("own:")
    if not own:
        return ""
    said = ngettext(
        "Your own {what} stays with you: the link leaves out what is yours.",
        "Your own {what} stay with you: the link leaves out what is yours.",
        len(own),
    )
    return f"<span data-private hidden>{escape(said.format(what=_and(own)))}</span>"


def _and(words: list[str]) -> str:
    """One or two."""
    return _("{first} and {second}").format(first=words[0], second=words[1]) if words[1:] else words[0]
