"""The paper's Algorithm 1, image by image: its lines light up as they run, and can be walked through afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.i18n import _
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, picture_link, progress_note, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.algorithm_one import Moment

IMAGES, DELTA, PASSES = 12, 0.2, 3
SECONDS = (15.0, 150.0)
QUESTION = _(r"""
#### Algorithm 1, image by image
Moosavi-Dezfooli et al. (2017) go through the images one by one: who is fooled already is passed over; of any other image
DeepFool finds the shortest step over a boundary, which is added to $v$, and $v$ is brought back into the ball. Here with
twelve images, $\delta = 0.2$, the strength of the bar, and three passes at most; afterwards the slider goes from line to
line.
""")
LINES = (  # the algorithm, and which moments light each line
    ("v ← 0", ("start",)),
    ("while Err(X + v) ≤ 1 − δ:", ("while",)),
    ("    for each x in X:", ("choose",)),
    ("        if k(x + v) = k(x):", ("choose", "skip")),
    ("            Δv ← argmin ‖r‖₂  with  k(x + v + r) ≠ k(x)", ("smallest",)),
    ("            v ← project(v + Δv)  onto  ‖v‖ ≤ ξ", ("project",)),
    ("return v", ("return",)),
)
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Frame:
    """A moment as it is drawn: which line, what is said of it, the picture x + v and the pattern, uint8 (S,S,3)."""

    line: str
    words: str
    picture: np.ndarray | None
    pattern: np.ndarray


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    @of_selection
    def walk(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """Run the algorithm, showing each line, then hand over the slider."""
        import torch

        from uap_core.experiments.algorithm_one import algorithm_one

        yield {"said": progress_note(_("Opening network and images…"), 0), "moments": [], "slider": gr.update(visible=False)}
        classifier = self.studio.classifier(chosen.network)
        ball = chosen.perturbation(self.studio).ball
        images = self.studio.craft_and_held_out(chosen.network)[0].shuffled(torch.Generator().manual_seed(0)).prefix(IMAGES)
        frames, pace, most = list[Frame](), Pace(), PASSES * IMAGES
        done = 0
        for moment in algorithm_one(classifier, images, ball, DELTA, PASSES):
            frames.append(frame_of(moment, images))
            done += moment.line in ("skip", "project")
            note = pace.note(done, most, _("Pass {number}").format(number=1 + max(0, done - 1) // IMAGES))
            yield {"said": note, "view": html_of(frames[-1])}
        last = gr.update(visible=True, maximum=len(frames), value=len(frames))
        said = _("Done after {count} lines: go through them with the slider, or with the arrow keys once it is chosen.")
        yield {"said": status(said.format(count=len(frames))), "moments": frames, "slider": last}

    def look(self, frames: Sequence[Frame], number: Any) -> dict[str, Any]:
        """One of the lines that ran."""
        if not frames or not isinstance(number, (int, float)) or number != number:
            return {}
        return {"view": html_of(frames[min(len(frames), max(1, int(number))) - 1])}

    def empty(self, _network: str, _pattern: str) -> dict[str, Any]:
        """What stands there before a run."""
        return {"said": "", "view": blank(), "moments": [], "slider": gr.update(visible=False)}


def frame_of(moment: Moment, images: ImageSet) -> Frame:
    """What is drawn of a moment."""
    from uap_core.experiments.apply import amplified

    v = moment.v.numpy().transpose(1, 2, 0)
    picture = None
    if moment.image is not None:
        x = images.images(slice(moment.image, moment.image + 1))[0].numpy().transpose(1, 2, 0)
        picture = np.rint((x + v).clip(0, 1) * 255).astype(np.uint8)
    return Frame(moment.line, words_of(moment, len(images)), picture, amplified(v))


def words_of(moment: Moment, count: int) -> str:
    """What happens in this line, in a sentence."""
    if moment.rate is not None:
        said = _("Error of the set under v: {fooled} of {count} are fooled ({rate:.0%}), after {spent} image-gradients.")
        rate = moment.rate
        return said.format(fooled=rate.count, count=rate.total, rate=rate.value, spent=moment.image_gradients)
    forms = {
        "start": _("v begins as nothing."),
        "choose": _("Image {number} of {count}: the network still says {label}, so a step is needed."),
        "skip": _("Image {number} of {count}: the network says {label} already, so it is passed over."),
        "smallest": _("DeepFool: a step {step:.0f} long (l2, 0-255) takes image {number} to {label}."),
        "project": _("v plus the step, brought back into the ball; image {number} is now {label}."),
        "return": _("The pattern is done."),
    }
    number = (moment.image or 0) + 1
    return forms[moment.line].format(number=number, count=count, label=moment.label, step=moment.step * 255)


def html_of(frame: Frame | None) -> str:
    """The algorithm with one line lit, the picture under v, and v."""
    lines = "".join(
        f"<span{' class=lit' if frame and frame.line in moments else ''}>{escape(text)}</span>" for text, moments in LINES
    )
    pictures = ""
    if frame:
        pictures = _figure(frame.picture, _("x + v")) + _figure(frame.pattern, _("v, ten times stronger"))
    words = escape(frame.words) if frame else ""
    return f'<div class="moment"><pre>{lines}</pre>{pictures}<p role="status">{words}</p></div>'


def blank() -> str:
    """The algorithm before it runs."""
    return html_of(None)


def _figure(pixels: np.ndarray | None, name: str) -> str:
    if pixels is None:
        return "<figure></figure>"
    return f'<figure><img alt="{escape(name)}" src="{picture_link(pixels)}"><figcaption>{escape(name)}</figcaption></figure>'


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay out the view inside the fold that calls it, and wire it."""
    views = Views(studio)
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    run = run_row(studio, setup, fold, "algorithm", _("Run it line by line ({time})"), SECONDS)
    said, view = gr.HTML(elem_id="algorithm-status"), gr.HTML(blank(), elem_id="algorithm-view")
    slider = gr.Slider(1, 2, 1, step=1, label=_("Line"), visible=False, elem_id="algorithm-line")
    moments = gr.State([])
    places = {"said": said, "view": view, "slider": slider, "moments": moments}
    run.wire(views.walk, setup.inputs, places, _("Stopped."), restore=views.empty)
    shown = {"view": view}
    slider.input(filling(views.look, shown), [moments, slider], view, trigger_mode="always_last", **QUICK)
