"""What stands in the Craft tab, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.attacks.menu import ANY, TARGET
from uap_core.crafting.menu import MENU
from uap_core.experiments.apply import GAIN, amplified
from uap_core.experiments.first_view import Opening
from uap_core.i18n import _
from uap_core.perturbations.library import library
from uap_core.ui.html.lesson import go_line, lesson, next_line
from uap_core.ui.html.words import plain
from uap_core.ui.selection import usual
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft import save
from uap_core.ui.tabs.craft.order import LEAST_COST, MOST_COST, STOPS, check_method, size_for
from uap_core.ui.tabs.craft.stored import answer
from uap_core.ui.tabs.craft.view import before_and_now, numbers, sizes
from uap_core.ui.widgets import awaited, chart, picture_file, status

QUESTION = _("Make one")
MAKE = _("Make one")
EXPLAIN = _(r"""
Wanted is one $v$ with $\|v\|_p \le \varepsilon$ that changes the answer on as many images as possible,
$P[\,k(x+v) \ne k(x)\,] \ge 1 - \delta$. A rate has no gradient, so each method descends on a loss that has one: a few
images $B$ of the craft set at a time, $v \leftarrow \Pi_\varepsilon(v - \eta\, d)$, with a direction $d$ made of
$\nabla_v \tfrac1{|B|} \sum_{x \in B} L(\mathrm{clip}(x+v),\, k(x))$, while $\Pi_\varepsilon$ brings $v$ back into the
ball. The methods differ in $L$ and in $d$; DeepFool adds shortest steps over a boundary instead, SV-UAP looks at a hidden
layer. With a target $t$ the loss pulls towards $k(x+v) = t$. A *look at a picture*, or image-gradient, is one forward and
one backward pass of one image: the unit of cost. For pictures of 224 pixels this project’s method repeats one tile, four
across and four down: from few looks that fools more.

The red curve is measured on the same few images all the time, which crafting never sees, the blue one on as many of those that
it does; bands are 95 % Wilson intervals. At the end more images are asked. Where a share to stop at, $1 - \delta$, is chosen,
the run ends at the first point of the blue curve that reaches it. The same choices and seed give the same pattern on the same
machine.
""")
FORMULAS: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Parts:
    """The tab's components, but for those of ``save``."""

    lesson: gr.HTML
    gap: gr.HTML
    run: gr.Button
    quick: gr.Button
    stop: gr.Button
    goal: gr.Radio
    target: gr.Dropdown
    until: gr.Radio
    state: gr.HTML
    picture: gr.Image
    photograph: gr.Image
    labels: gr.HTML
    figure: gr.Plot
    method: gr.Dropdown
    method_note: gr.HTML
    images: gr.Slider
    cost: gr.Slider
    seed: gr.Number
    table: gr.HTML
    methods: gr.Plot
    seen: gr.HTML
    data_free_said: gr.HTML
    data_free: gr.Plot

    @property
    def choices(self) -> list[Any]:
        """What an order is made of."""
        return [self.images, self.method, self.cost, self.goal, self.target, self.seed, self.until]


def lay_out_head(studio: Studio) -> dict[str, Any]:
    """The question with its answer, the button, what a visitor may want, and the sentence about a run."""
    network = usual(studio).network
    found: dict[str, Any] = {"lesson": gr.HTML(lesson(QUESTION, answer(studio, network)), elem_id="craft-lesson")}
    found["gap"] = gr.HTML(elem_id="craft-live-note")
    with gr.Row(elem_id="craft-controls", equal_height=True):
        found["run"] = gr.Button(MAKE, variant="primary", scale=0, min_width=230, elem_id="craft-run")
        found["quick"] = gr.Button("", variant="primary", scale=0, min_width=230, visible=False, elem_id="craft-quick")
        found["stop"] = gr.Button(_("Stop"), variant="stop", scale=0, min_width=90, visible=False, elem_id="craft-stop")
        found["goal"] = gr.Radio(
            [(_("into any label"), ANY), (_("into one class"), TARGET)],
            value=ANY,
            label=_("Turn every picture"),
            show_label=False,
            container=False,
            scale=0,
            min_width=250,
            elem_id="craft-goal",
            elem_classes="chips",
        )
        found["target"] = gr.Dropdown(
            [],  # a thousand names, which come when one is to be chosen
            value=None,
            label=_("Class to reach: type its name"),
            show_label=False,
            container=False,
            scale=1,
            min_width=170,
            visible=False,
            elem_id="craft-target",
        )
        found["until"] = gr.Radio(
            [(_("stop at {share:.0%}").format(share=stop) if stop else _("use all looks"), stop) for stop in STOPS],
            value=STOPS[1],
            label=_("Share of the pictures it is made from at which to stop"),
            show_label=False,
            container=False,
            scale=0,
            min_width=330,
            elem_id="craft-until",
            elem_classes="chips",
        )
    found["state"] = gr.HTML(awaited(), elem_id="craft-status")
    return found


def lay_out_show(studio: Studio, opening: Opening | None) -> tuple[dict[str, Any], save.Keeping]:
    """The pattern, the photograph under it with the network's word, and the curve, beside each other; below the curve what
    becomes of the result."""
    found: dict[str, Any] = {}
    with gr.Row(elem_id="craft-show", equal_height=False):
        with gr.Column(scale=3, min_width=230):
            the_pattern_times = _("The pattern, {gain} times stronger")
            gr.HTML(f"<p>{the_pattern_times.format(gain=GAIN)}</p>", elem_classes="over")
            path = picture_file(amplified(opening.change)) if opening else None
            found["picture"] = _picture(path, _("The pattern, amplified"), "craft-pattern")
        with gr.Column(scale=3, min_width=230):
            your_photograph_with = _("Your photograph with it")
            gr.HTML(f"<p>{your_photograph_with}</p>", elem_classes="over")
            path = picture_file(opening.view.perturbed) if opening else None
            found["photograph"] = _picture(path, _("The photograph under the pattern"), "craft-photograph")
            said = before_and_now(opening.view, plain(studio.card(opening.network).name)) if opening else ""
            found["labels"] = gr.HTML(said, elem_id="craft-labels")
        with gr.Column(scale=5, min_width=300):
            found["figure"] = chart("craft-chart")
            keeping = save.lay_out()
    found["seen"] = gr.HTML(elem_id="craft-live-pictures")
    return found, keeping


def lay_out_more(studio: Studio) -> dict[str, Any]:
    """Method, effort and seed, closed."""
    network = usual(studio).network
    size = size_for(studio.card(network).input_size)
    found: dict[str, Any] = {}
    with gr.Accordion(_("More: method, effort, seed"), open=False, elem_id="craft-more"):
        with gr.Row(equal_height=True):
            listed = [(listed_name(key), key) for key in MENU]
            found["method"] = gr.Dropdown(listed, label=_("Method"), scale=2, min_width=200, elem_id="craft-method")
            found["images"] = gr.Slider(
                1,
                size.images,
                value=size.images,
                step=1,
                label=_("Images to make it from"),
                info=studio.live_set_name(network),
                scale=2,
                elem_id="craft-images",
            )
            found["cost"] = gr.Slider(
                LEAST_COST,
                MOST_COST,
                value=size.budget,
                step=100,
                label=_("Effort: looks, at most"),
                info=_("each is at one picture (an image-gradient): 100 pictures seen 4 times are 400"),
                scale=2,
                elem_id="craft-cost",
            )
            found["seed"] = gr.Number(
                0, precision=0, label=_("Seed"), info=_("the same one repeats a run"), min_width=120, elem_id="craft-seed"
            )
        found["method_note"] = gr.HTML(about_method("default"), elem_id="craft-method-note")
    return found


def lay_out_details(pattern: str, opening: Opening | None) -> dict[str, Any]:
    """The numbers of the pattern, all methods beside each other, and the formulas: inside the fold for researchers."""
    found: dict[str, Any] = {"table": gr.HTML(_opening_numbers(pattern, opening), elem_id="craft-numbers")}
    found["methods"] = chart("craft-methods")
    found["data_free_said"] = gr.HTML(elem_id="craft-data-free-said")
    found["data_free"] = chart("craft-data-free")
    gr.Markdown(EXPLAIN, latex_delimiters=FORMULAS, elem_classes="explain")
    return found


def lay_out_end() -> None:
    """The way to the next tab."""
    gr.HTML(next_line("transfer", _("Who else falls?")))


def listed_name(key: str) -> str:
    """A method's name, and whether it needs no pictures."""
    name = _(MENU[key].name)
    return name if MENU[key].needs_images else _("{method}: no pictures").format(method=name)


def about_method(key: str) -> str:
    """The idea of a method, whose it is, what becomes of pictures where it needs none; of a generator, where more are seen.
    Raises SettingError where there is no such method."""
    check_method(key)
    said = f"{_(MENU[key].line)} ({_(MENU[key].source)})"
    more = go_line("generator", _("Trained ones, with as many patterns as you like")) if key == "generator" else ""
    return status(said if MENU[key].needs_images else f"{said} {ONLY_MEASURED}") + more


ONLY_MEASURED = _("No picture is used to make it; where some are here, they measure what it does.")


def _picture(path: str | None, label: str, elem_id: str) -> gr.Image:
    return gr.Image(
        path,
        format="png",
        label=label,
        alt_text=label,
        show_label=False,
        interactive=False,
        buttons=["fullscreen"],
        elem_id=elem_id,
        elem_classes="pixels",
    )


def _opening_numbers(pattern: str, opening: Opening | None) -> str:
    """The numbers of the first view, from the library's header alone."""
    entry = next((entry for entry in library() if entry.key == pattern), None)
    if entry is None or opening is None:
        return ""
    return numbers(entry.name, entry.provenance, *sizes(opening.change))
