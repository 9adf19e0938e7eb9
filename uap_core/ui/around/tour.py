"""The guided tour: six steps that set the page's own controls and say what is to be seen there.

Every figure is measured for the step or read from a shipped table, by the functions that fill the page, so that sentence and
page cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import DatasetError
from uap_core.i18n import _
from uap_core.io.paths import RESULTS
from uap_core.io.results import Table, mean_rate
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.selection import Scene, usual
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, guarded

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit
    from uap_core.ui.sidebar import Setup

SMALL_LEVEL = 2  # 255ths; where the universal pattern still fails and an attack made for the picture does not
NEARLY = 0.02


@dataclass(frozen=True)
class Cast:
    """Who plays with a network: ``photo`` beside the first, ``network`` beside the usual one, ``single`` is a photograph that
    withstands the small pattern and not FGSM; ``matrix`` is the table of who fools whom."""

    photo: str
    network: str
    single: str
    matrix: str


CASTS = {  # by the pixels that the usual network takes
    224: Cast("sample:rocket", "squeezenet1_1_caffe", "sample:lion", "imagenet-matrix"),
    64: Cast("sample:cat", "separable64", "sample:lion", "embedded-matrix"),
}


@dataclass(frozen=True)
class Stop:
    """One place of the tour: ``changes`` to the usual scene, ``shows`` are ids of what is outlined, the first scrolled to.

    ``table`` ends the name of the table that is told: where the usual network has none, the quick network stands in for it.
    """

    step: int
    title: str
    tab: str
    shows: tuple[str, ...]
    say: Callable[[Studio, Scene], str]
    changes: Callable[[Cast], dict[str, Any]] = lambda cast: {}
    table: str = ""

    def scene(self, studio: Studio) -> Scene:
        """What is set here."""
        first = usual(studio)
        if self.table and not (RESULTS / f"{first.network}-{self.table}.json").is_file():
            first = usual(studio, QUICK_MODEL)
        return replace(first, **self.changes(CASTS[studio.card(first.network).input_size]))


def the_photograph(studio: Studio, scene: Scene) -> str:
    """What the network says before anything is added."""
    label, sure = _exhibit(studio, scene).before[0]
    return _(
        "{network} says <b>{label}</b>, {sure:.0%} sure. Nothing is added yet: epsilon is 0."
        " Other photographs are in the panel of choices."
    ).format(network=_name(studio, scene), label=escape(label), sure=sure)


def the_pattern(studio: Studio, scene: Scene) -> str:
    """The pattern is added."""
    view = _exhibit(studio, scene)
    return _(
        "A fixed pattern is added, which moves no colour value by more than {level:g} of 255 levels: now the network"
        " says {answer}, {sure:.0%} sure. Drag the divider, or lower epsilon until the answer returns."
    ).format(level=scene.epsilon, answer=_now(view), sure=view.after[0][1])


def another_photograph(studio: Studio, scene: Scene) -> str:
    """The same pattern elsewhere, and how often that works."""
    stated = studio.perturbation(scene.pattern, scene.network, {}).provenance["held_out"]
    return _(
        "The very same pattern, which was found on other pictures: {outcome}."
        " Of {images} it fools {rate:.1%}, random signs of its size {signs:.1%}."
    ).format(
        outcome=_was_and_is(_exhibit(studio, scene)),
        images=stated["set"],
        rate=stated["fooling_rate"],
        signs=stated["random_signs"],
    )


def another_network(studio: Studio, scene: Scene) -> str:
    """The same pattern on a network that had no part in it."""
    from uap_core.experiments.origins import MatrixRow

    table = _shipped(studio, CASTS[studio.card(scene.network).input_size].matrix, MatrixRow)
    said = _("{network} had no part in making the pattern: {outcome}.").format(
        network=_name(studio, scene), outcome=_was_and_is(_exhibit(studio, scene))
    )
    here = (scene.pattern, scene.network)
    rates = [row.fooling_rate for row in table.rows if (row.perturbation, row.network) == here]
    often = _("It is fooled on {rate:.1%} of {count} held-out images; the tab Transfer has all networks.")
    return " ".join([said, *(often.format(rate=rate.value, count=rate.total) for rate in rates)])


def how_strong(studio: Studio, scene: Scene) -> str:
    """The precomputed sweep over epsilon."""
    from uap_core.experiments.epsilon_sweep import RANDOM, UNIVERSAL, SweepRow

    table = _shipped(studio, f"{scene.network}-sweep", SweepRow)
    rates = {(row.attack, round(row.epsilon * 255)): row.fooling_rate.value for row in table.rows}
    total = table.rows[0].fooling_rate.total
    full = round(scene.epsilon)
    half = next(level for attack, level in sorted(rates) if attack == UNIVERSAL and rates[attack, level] >= 0.5)
    return _(
        "Of {count} held-out images the pattern fools {half_rate:.1%} at {half}/255 and"
        " {rate:.1%} at {level}/255, where random signs reach {signs:.1%}."
        " The second chart follows your photograph."
    ).format(
        count=total,
        half_rate=rates[UNIVERSAL, half],
        half=half,
        rate=rates[UNIVERSAL, full],
        level=full,
        signs=rates[RANDOM, full],
    )


def how_many(studio: Studio, scene: Scene) -> str:
    """The precomputed curve over the number of craft images."""
    from uap_core.experiments.sample_curve import SampleRow

    table = _shipped(studio, f"{scene.network}-curve-real", SampleRow)
    sizes = sorted({row.images for row in table.rows})
    rates = {size: mean_rate(row.held_out_rate for row in table.rows if row.images == size) for size in sizes}
    most, total = sizes[-1], table.rows[0].held_out_rate.total
    few = next(size for size in sizes if rates[size] >= rates[most] - NEARLY)
    return _(
        "A pattern found on {few} photographs fools {few_rate:.1%} of {count} others; {most} photographs"
        " bring it to {most_rate:.1%}, a single one already to {one_rate:.1%}. Below you can craft one yourself."
    ).format(few=few, few_rate=rates[few], count=total, most=most, most_rate=rates[most], one_rate=rates[sizes[0]])


def made_for_one(studio: Studio, scene: Scene) -> str:
    """The universal pattern beside one step of FGSM, both small."""
    from uap_core.experiments.compare import compare
    from uap_core.ui.sidebar import chosen

    perturbation = chosen(studio, scene.network, scene.pattern, {}, scene.epsilon)
    classifier, image = studio.classifier(scene.network), studio.image(scene.photo, scene.network)
    universal, fgsm = (row for row in compare(classifier, image, perturbation, ["universal", "fgsm"]) if row.done)
    return _(
        "At {level:g}/255 the universal pattern leaves the answer at <b>{label}</b>; FGSM, one step"
        " made for this picture alone, gets <b>{fgsm_label}</b>. The button above the table tries attacks that need"
        " still less."
    ).format(level=scene.epsilon, label=escape(universal.label), fgsm_label=escape(fgsm.label))


STOPS = (
    Stop(1, _("A photograph."), "apply", ("before", "before-after"), the_photograph, lambda cast: {"epsilon": 0.0}),
    Stop(2, _("A pattern is added."), "apply", ("verdict", "before-after"), the_pattern),
    Stop(3, _("Another photograph."), "apply", ("verdict", "gallery"), another_photograph, lambda cast: {"photo": cast.photo}),
    Stop(
        4,
        _("Another network."),
        "apply",
        ("verdict", "network"),
        another_network,
        lambda cast: {"photo": cast.photo, "network": cast.network},
    ),
    Stop(5, _("How strong must it be?"), "epsilon", ("sweep-chart",), how_strong, table="sweep"),
    Stop(5, _("How many pictures does it take?"), "samples", ("curve-stored",), how_many, table="curve-real"),
    Stop(
        6,
        _("Made for one picture."),
        "compare",
        ("contenders",),
        made_for_one,
        lambda cast: {"photo": cast.single, "epsilon": float(SMALL_LEVEL)},
    ),
)
_OUTLINED = ",\n".join(
    f'body:has(#tour [data-stop="{place}"]) :is({", ".join(f"#{name}" for name in stop.shows)})'
    for place, stop in enumerate(STOPS, 1)
)
CSS = f"""
.gradio-container {{ overflow: clip !important; }}
#tour {{ position: sticky; top: 0; z-index: 60; align-items: center; gap: .5rem; background: var(--background-fill-primary); }}
#tour:has([data-stop]) {{ border: 2px solid var(--guide); border-radius: var(--round); padding: .45rem .6rem .45rem .9rem;
  box-shadow: var(--lifted); }}
#tour:not(:has(#tour-says p)) {{ height: 0; margin-bottom: calc(-1 * var(--layout-gap)); overflow: hidden; }}
#tour:not(:has(#tour-says p)) button {{ display: none; }}
#tour-says {{ flex: 1 1 20rem; min-width: 0; }}
#tour-says p {{ margin: 0; font-size: var(--type-text); line-height: 1.4; color: var(--body-text-color); }}
{_OUTLINED} {{ outline: 3px solid var(--guide); outline-offset: 3px; border-radius: var(--round); overflow: visible; }}
"""


@dataclass(frozen=True)
class Bar:
    """The tour's components; ``at`` is the visitor's place in STOPS, from 1, and 0 for nobody's."""

    at: gr.State
    says: gr.HTML
    back: gr.Button
    forward: gr.Button
    leave: gr.Button


def build() -> Bar:
    """The bar, of no height until the tour begins."""
    with gr.Row(elem_id="tour"):
        says = gr.HTML(elem_id="tour-says")
        back = gr.Button(_("Back"), size="sm", scale=0, min_width=70, elem_id="tour-back")
        forward = gr.Button(_("Next"), variant="primary", size="sm", scale=0, min_width=70, elem_id="tour-next")
        leave = gr.Button(_("Leave"), size="sm", scale=0, min_width=70, elem_id="tour-leave")
    return Bar(gr.State(0), says, back, forward, leave)


def wire(studio: Studio, setup: Setup, demo: gr.Blocks, tabs: gr.Tabs, start: gr.Button, bar: Bar) -> None:
    """Each step stages its scene and opens its tab; whoever leaves keeps what is set."""

    def visit(place: int, staged: tuple[Any, int]) -> tuple[Any, ...]:
        if place > len(STOPS):
            return leave()
        stop = STOPS[place - 1]
        scene = stop.scene(studio)
        return (
            _sentence(place, stop.say(studio, scene)),
            place,
            gr.update(interactive=place > 1),
            gr.update(value=_("Done") if place == len(STOPS) else _("Next")),
            (scene, staged[1] + 1),
            gr.update(selected=stop.tab),
        )

    def leave() -> tuple[Any, ...]:
        return "", 0, *(gr.skip(),) * 4

    outputs = [bar.says, bar.at, bar.back, bar.forward, setup.staged, tabs]
    moves = (
        (start, lambda at, staged: visit(1, staged)),
        (bar.back, lambda at, staged: visit(max(1, at - 1), staged)),
        (bar.forward, lambda at, staged: visit(at + 1, staged)),
        (bar.leave, lambda at, staged: leave()),
    )
    for button, move in moves:
        button.click(guarded(len(outputs), 0)(move), [bar.at, setup.staged], outputs, **QUICK)
    demo.load(None, None, None, js="() => uapTour.prepare()")


def _sentence(place: int, text: str) -> str:
    stop = STOPS[place - 1]
    half = stop.step == STOPS[place - 2].step
    head = (_("Step {step} of {count}, second half") if half else _("Step {step} of {count}")).format(
        step=stop.step, count=STOPS[-1].step
    )
    return f'<p data-stop="{place}" data-shows="#{stop.shows[0]}"><b>{head}: {escape(stop.title)}</b> {text}</p>'


def _exhibit(studio: Studio, scene: Scene) -> Exhibit:
    from uap_core.experiments.apply import exhibit
    from uap_core.ui.sidebar import chosen

    perturbation = chosen(studio, scene.network, scene.pattern, {}, scene.epsilon)
    return exhibit(studio.classifier(scene.network), studio.image(scene.photo, scene.network), perturbation)


def _now(view: Exhibit) -> str:
    return ("{label}" if view.fooled else _("still {label}")).format(label=f"<b>{escape(view.after[0][0])}</b>")


def _was_and_is(view: Exhibit) -> str:
    was = f"<b>{escape(view.before[0][0])}</b>"
    if view.fooled:
        return _("{before} became {after}").format(before=was, after=f"<b>{escape(view.after[0][0])}</b>")
    return _("{before} withstands it here").format(before=was)


def _name(studio: Studio, scene: Scene) -> str:
    return studio.card(scene.network).name


def _shipped(studio: Studio, name: str, row_type: type) -> Table:
    table: Table | None = studio.precomputed(name, row_type)
    if table is None:
        raise DatasetError(_("The table {table} is not there. Go on to the next step.").format(table=name))
    return table
