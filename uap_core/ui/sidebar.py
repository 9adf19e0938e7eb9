"""The bar: photograph, network, pattern, strength. Chosen once, used by every tab, and always in view."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from uap_core.i18n import _
from uap_core.ui.gallery import dream_choices, dream_grid, dream_thumbnails, photo_choices, picture_square, thumbnails
from uap_core.ui.panel_notes import about_network, about_pattern, about_photo
from uap_core.ui.selection import LARGEST_LEVEL, largest_level, own_level, usual
from uap_core.ui.session_patterns import READING_LABELS, READINGS
from uap_core.ui.state import Studio
from uap_core.ui.uploads import uploaded
from uap_core.ui.widgets import picture_link, status

STRENGTHS = 32  # steps of the slider
OWN = "upload"  # what the page calls the visitor's own picture
PICK = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-photo]");
  if (button) trigger("click", { photo: button.dataset.photo });
});"""


@dataclass(frozen=True)
class Setup:
    """The components that other tabs read. ``photo`` and ``own`` live in the visitor's session.

    A tab that wants another perturbation chosen sets ``asked`` to its key and a number that it never used before, and
    ``wanted`` likewise for another network, and ``staged`` for a whole Scene. After each choice refresh.js presses the buttons
    of ``turns`` that have the open tab's id, those of its open folds, and a moment later the ones called "later".
    """

    photo: gr.State
    own: gr.State
    network: gr.Dropdown
    pattern: gr.Dropdown
    epsilon: gr.Slider
    asked: gr.State
    wanted: gr.State
    staged: gr.State
    unseen: gr.Column
    turns: dict[str, list[gr.Button]] = field(default_factory=dict)

    def turn(self, name: str) -> gr.Button:
        """A button that nobody sees, pressed when it is the turn of the tab ``name``, or of what may come "later".

        It is a new one for each who listens: of a button with two listeners, each of which is asked once more where it was
        pressed meanwhile ("always_last"), Gradio's page asks both for either, and so without end.
        """
        mine = self.turns.setdefault(name, [])
        with self.unseen:  # not in the tab: what stands there is built when it is opened
            mine.append(gr.Button("", elem_id=f"turn-{name}--{len(mine)}" if mine else f"turn-{name}"))
        return mine[-1]

    def turn_of(self, place: gr.Tab | gr.Accordion) -> gr.Button:
        """A button of a tab, or of a fold, which is pressed only while that is unfolded; a new one for each who listens."""
        return self.turn(str(place.id if isinstance(place, gr.Tab) else place.elem_id))

    @property
    def inputs(self) -> list[Any]:
        """What every handler takes first: photo, network, pattern, own, epsilon."""
        return [self.photo, self.network, self.pattern, self.own, self.epsilon]


@dataclass(frozen=True)
class Bar:
    """The bar's components beside those of ``Setup``. ``said`` is about the last choice, ``level_said`` about the strength,
    ``fitted`` what lists and notes were last set for, ``which`` a file's arrays, ``mine`` the path of the last own picture."""

    setup: Setup
    said: gr.HTML
    level_said: gr.HTML
    strip: gr.HTML
    now: gr.HTML
    your_photo: gr.UploadButton
    upload: gr.Image
    dreams: gr.Gallery
    photo_note: gr.HTML
    network_note: gr.HTML
    pattern_note: gr.HTML
    pattern_file: gr.File
    reading_box: gr.Column
    reading: list[gr.Radio]
    which: gr.Dropdown
    fitted: gr.State
    mine: gr.State


def build(studio: Studio, demo: gr.Blocks) -> Bar:
    """Lay out the bar; ``choosing.wire`` lets it do something."""
    first = usual(studio)
    photo, own = gr.State(first.photo), gr.State({})
    asked, wanted, staged = gr.State(("", 0)), gr.State(("", 0)), gr.State((None, 0))
    fitted, mine = gr.State((first.network, first.pattern)), gr.State("")
    with gr.Column(elem_id="bar"):
        said, level_said = gr.HTML(elem_id="bar-said"), gr.HTML(elem_id="epsilon-note")
        with gr.Row(elem_id="strip-row"):
            strip = gr.HTML(strip_of(), js_on_load=PICK, elem_id="strip")
            your_photo = gr.UploadButton(_("+ your photo"), size="sm", scale=0, min_width=0, elem_id="your-photo")
        with gr.Row(elem_id="bar-controls"):
            now = gr.HTML(chosen_photo(first.photo), elem_id="now-photo")
            gr.HTML(_modes(), elem_id="modes")
            epsilon = gr.Slider(
                0,
                LARGEST_LEVEL,
                value=first.epsilon,
                step=1,
                label=_("Strength, of 255"),
                buttons=[],  # Gradio's would go back to 10, whatever the pattern
                elem_id="epsilon",
            )
            gr.HTML(_buttons(), elem_id="bar-buttons")
            network = gr.Dropdown(studio.networks(), value=first.network, label=_("Network"), elem_id="network")
            pattern = gr.Dropdown(
                studio.patterns(first.network, {}), value=first.pattern, label=_("Pattern"), elem_id="pattern"
            )
            gr.HTML(_more(), elem_id="bar-more")
        with gr.Column(elem_id="choices"):
            photo_note = gr.HTML(about_photo(first.photo, studio, first.network), elem_id="photo-note")
            network_note = gr.HTML(about_network(studio, first.network), elem_id="network-note")
            pattern_note = gr.HTML(about_pattern(first.pattern, first.network, {}, studio), elem_id="pattern-note")
            with gr.Row(equal_height=False):
                upload, dreams = _pictures()
                pattern_file, reading_box, reading, which = _pattern_file()
    with gr.Column(elem_id="turns") as unseen:
        pass
    setup = Setup(photo, own, network, pattern, epsilon, asked, wanted, staged, unseen)
    notes = (photo_note, network_note, pattern_note)
    return Bar(
        setup,
        said,
        level_said,
        strip,
        now,
        your_photo,
        upload,
        dreams,
        *notes,
        pattern_file,
        reading_box,
        reading,
        which,
        fitted,
        mine,
    )


def _pictures() -> tuple[gr.Image, gr.Gallery]:
    with gr.Column(min_width=240):
        gr.HTML(status(_("Your own picture: upload it, paste it, take it with the camera, or drop it anywhere on the page.")))
        upload = gr.Image(
            show_label=False,
            format="png",
            sources=["upload", "webcam", "clipboard"],
            height=150,
            buttons=[],
            elem_id="upload",
        )
    with gr.Column(min_width=240, visible=bool(dream_choices())):
        gr.HTML(status(_("Class impressions: pictures that a network made up, which it is sure of.")))
        dreams = dream_grid()
    return upload, dreams


def _pattern_file() -> tuple[gr.File, gr.Column, list[gr.Radio], gr.Dropdown]:
    with gr.Column(min_width=240, elem_id="own-pattern"):
        gr.HTML(status(_("A pattern of your own or of anybody: .npy, .npz, .mat, .pth or .safetensors.")))
        pattern_file = gr.File(show_label=False, height=110, elem_id="pattern-file")
        which = gr.Dropdown([], label=_("Which array of the file is the pattern?"), visible=False, elem_id="which-array")
        with gr.Column(visible=False, elem_id="reading") as reading_box:
            gr.HTML(status(_("We guessed the format. Wrong? Change it here.")))
            reading = [
                gr.Radio(options, label=READING_LABELS[name], show_label=False, container=False, elem_id=f"reading-{name}")
                for name, options in READINGS.items()
            ]
    return pattern_file, reading_box, reading, which


def strip_of(mine: str = "") -> str:
    """A row of photographs to choose from, one more at random, and before them the visitor's own, an uploaded file."""
    offered = [(pixels, caption, key) for (pixels, caption), (_c, key) in zip(thumbnails(), photo_choices(), strict=True)]
    if mine:
        offered.insert(0, (_own_square(mine), _("your picture"), OWN))
    tiles = "".join(
        f'<button type="button" data-photo="{key}" aria-pressed="false" aria-label="{escape(caption)}" '
        f'title="{escape(caption)}"><img src="{picture_link(pixels)}" alt=""></button>'
        for pixels, caption, key in offered
    )
    another = _("↻ another")
    return f'{tiles}<button type="button" class="word" data-bar="another">{escape(another)}</button>'


def _own_square(path: str) -> np.ndarray:
    return picture_square(uploaded(path), 128, 128, "bilinear")


def _modes() -> str:
    """What is added to the photograph."""
    none, noise, pattern = (_("nothing"), _("nothing")), (_("random noise"), _("noise")), (_("the pattern"), _("pattern"))
    radios = "".join(
        f'<label><input type="radio" name="mode" value="{key}"{" checked" * (key == "pattern")}>'
        f'<span><i class="wide">{escape(word)}</i><i class="narrow">{escape(short)}</i></span></label>'
        for key, (word, short) in {"nothing": none, "noise": noise, "pattern": pattern}.items()
    )
    what_is_added = _("What is added")
    return f'<fieldset><legend class="unseen">{escape(what_is_added)}</legend>{radios}</fieldset>'


def _buttons() -> str:
    named = (
        ("play", _("▶ play"), _("Let the strength grow from nothing")),
        ("slide", _("PNG"), _("Save this view as one picture for a slide")),
    )
    return "".join(
        f'<button type="button" data-bar="{key}" title="{escape(title)}">{escape(word)}</button>' for key, word, title in named
    )


def _more() -> str:
    more_word = _("more")
    return f'<button type="button" data-bar="more" aria-expanded="false" aria-controls="choices">{escape(more_word)}</button>'


def chosen_photo(photo: str) -> str:
    """The chosen photograph, small; a click leads to the tab that shows it."""
    name = photo.partition(":")[2]
    found = [pixels for (pixels, _caption), (_c, key) in zip(thumbnails(), photo_choices(), strict=True) if key == photo]
    if photo.startswith("dream:"):
        found = [pixels for i, (pixels, _caption) in enumerate(dream_thumbnails()) if str(i) == name]
    if photo.startswith("upload:"):
        found = [_own_square(name)]
    image = f'<img src="{picture_link(found[0])}" alt="">' if found else ""
    label = escape(_("The chosen photograph: see it"))
    shown = photo if not photo.startswith("upload:") else OWN
    return f'<button type="button" data-go="apply" data-chosen="{escape(shown)}" aria-label="{label}">{image}</button>'


def slider_for(perturbation: Any, level: float | None = None) -> Any:
    """The slider for a pattern, at ``level`` or at the epsilon that it was made for (255ths)."""
    ball = perturbation.ball
    value, top = own_level(ball) if level is None else level, largest_level(ball)
    label = _("Strength, of 255") if ball.p == "linf" else _("Strength (l2 of the pattern)")
    return gr.update(maximum=top, step=round(top / STRENGTHS, 4), value=value, label=label)
