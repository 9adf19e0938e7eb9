"""A visitor's pattern file: opened, its array named where it holds several, read in another way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.perturbations.importers import SeveralArraysError
from uap_core.ui.panel_notes import story_of
from uap_core.ui.session_patterns import add_own, array_choices, gone_sentence, read_pattern
from uap_core.ui.sidebar import Bar, slider_for
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.uploads import path_of
from uap_core.ui.widgets import problem, status

Sent = dict[str, Any] | None  # a file, as the page sends it


def open_pattern(studio: Studio, bar: Bar, file: Sent, network: str, own: dict[str, Pattern]) -> dict[Any, Any]:
    """The pattern of a file that was just uploaded."""
    return open_array(studio, bar, file, network, own, "")


def open_array(
    studio: Studio, bar: Bar, file: Sent, network: str, own: dict[str, Pattern], array: str | None
) -> dict[Any, Any]:
    """The pattern of a file, or of its ``array`` where it holds several; where that must be said, a menu of them."""
    path = path_of(file)
    if path is None:
        return {bar.which: gr.update(visible=False)}
    nowhere = {bar.which: gr.update(visible=False), bar.reading_box: gr.update(visible=False)}
    try:
        found = read_pattern(Path(path), studio.card(network).input_size, array=array or "")
    except SeveralArraysError as error:
        menu = gr.update(choices=list(array_choices(error.held)), value=None, visible=True)
        asked = _("This file holds {count} arrays that may be the pattern. Choose one under “more”, below the file.")
        return {**nowhere, bar.which: menu, bar.said: problem(asked.format(count=len(error.held)))}
    except PerturbationError as error:
        return {**({} if array else nowhere), bar.said: problem(str(error))}
    shown = {part: gr.update(value=value) for part, value in zip(bar.reading, found.how, strict=True)} if found.how else {}
    return {
        **_opened(studio, bar, found.pattern, found.how, network, own),
        bar.which: gr.update(choices=list(found.arrays), value=found.array or None, visible=bool(found.arrays)),
        bar.reading_box: gr.update(visible=bool(found.how)),
        **shown,
    }


def read_again(
    studio: Studio, bar: Bar, file: Sent, network: str, own: dict[str, Pattern], array: str | None, *how: str
) -> dict[Any, Any]:
    """The same file in another reading, ``how`` in the words of READINGS."""
    path = path_of(file)
    if path is None:
        return {bar.said: status(_("Open the file again to read it in another way."))}
    found = read_pattern(Path(path), studio.card(network).input_size, how, array or "")
    return _opened(studio, bar, found.pattern, found.how, network, own)


def _opened(
    studio: Studio, bar: Bar, found: Pattern, how: Sequence[str], network: str, own: dict[str, Pattern]
) -> dict[Any, Any]:
    """It joins the visitor's own, in place of one of its name; that is said unless it came from the same file."""
    sentence = _("Opened {name}: {reading}.")
    if found.name in own and own[found.name].file != found.file:
        sentence = _("Opened {name} in place of the one of that name: {reading}.")
    before, own = own, add_own(own, found)
    key = f"own:{found.name}"
    opened = studio.perturbation(key, network, own)
    said = sentence.format(name=opened.name, reading=", ".join([str(opened.ball), *how[:2]]))
    parts = said + gone_sentence(before, own), story_of(key, network, own, studio)
    note = status(" ".join(filter(None, parts)))
    return {
        bar.setup.own: own,
        bar.setup.pattern: gr.update(choices=studio.patterns(network, own), value=key),
        bar.setup.epsilon: slider_for(opened),
        bar.pattern_note: note,
        bar.fitted: (network, key),
        bar.said: note,
    }
