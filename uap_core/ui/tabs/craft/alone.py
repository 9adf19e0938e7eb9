"""A fold of Craft: a pattern for some classes alone, beside the chosen one and random noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.models.class_groups import groups_of
from uap_core.models.imagenet import imagenet_classes
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.runtime.run import LARGE, run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection, usual
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft.draft import plain as as_plain
from uap_core.ui.tabs.craft.pace import Pace as Clock
from uap_core.ui.tabs.craft.save import Keeping
from uap_core.ui.tabs.craft.taking import lay_out_use, wire_use
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import QUICK, chart, hide, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.crafting.class_alone import ClassAlone
    from uap_core.experiments.class_alone import SidesRow

LOOKS, IMAGES = (800, 400), 256  # image-gradients on small and on large networks; pictures to craft on and to measure on
GROUP = "group:"
GROUP_NAMES = {
    "cats": _("all cats, big and small"),
    "dogs": _("all dogs"),
    "primates": _("all monkeys and apes"),
    "birds": _("all birds"),
    "insects": _("all insects"),
    "arachnids": _("all spiders and scorpions"),
    "snakes": _("all snakes"),
    "fishes": _("all fishes"),
}
QUESTION = _(r"""
A pattern that only some pictures notice: those of the chosen classes are to be fooled, all others to keep their label. Half of
each batch $B$ is theirs ($S$): $\;\min_v \sum_{x \in S} L(x + v) + \lambda \sum_{x \in B \setminus S} -\log p_{k(x)}(x + v)$.
The network’s own answer $k(x)$ says to which side a picture belongs (CD-UAP, AAAI 2020; into a class: Benz et al., ACCV 2020).
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def known_groups(studio: Studio, network: str) -> dict[str, tuple[int, ...]]:
    """The groups of which a network knows some classes, told without torch."""
    classes = studio.card(network).classes
    wnids = [entry["wnid"] for entry in classes] if isinstance(classes, list) else imagenet_classes()[1]
    return groups_of(wnids)


def choices(studio: Studio, network: str) -> list[tuple[str, str]]:
    """(shown name, value) of groups, with how many of their classes the network knows, then of single classes."""
    sized = _("{group} ({count} classes)")
    groups = [
        (sized.format(group=_(GROUP_NAMES[key]), count=len(known)), f"{GROUP}{key}")
        for key, known in known_groups(studio, network).items()
        if len(known) > 1
    ]
    return [*groups, *((label, label) for label in studio.labels(network))]


@dataclass(frozen=True)
class Views:
    """What the fold's events answer."""

    studio: Studio

    def look(self, network: str, chosen: str | None, target: str | None) -> dict[str, Any]:
        """The choices of this network, and what was precomputed for what is chosen."""
        labels = self.studio.labels(network)
        offered = choices(self.studio, network)
        values = [value for _name, value in offered]
        chosen = chosen if chosen in values else values[0]
        target = target if target in labels else None
        lists = {"classes": gr.update(choices=offered, value=chosen), "target": gr.update(choices=labels, value=target)}
        return lists | self.stored(network, chosen, target)

    def stored(self, network: str, chosen: str | None, target: str | None) -> dict[str, Any]:
        """The precomputed chart of a group: of this network, or of the one that has such."""
        from uap_core.experiments.class_alone import SidesRow
        from uap_core.plots.several import sides_figure

        table = self.studio.precomputed(f"{QUICK_MODEL}-alone", SidesRow)
        nothing = {"said": "", "chart": hide(), "use": gr.update(visible=False)}
        if table is None or not table.rows:
            return nothing
        group = (chosen or "").removeprefix(GROUP)
        asked = [row for row in table.rows if (row.group, row.target) == (group, target or "")]
        if network != QUICK_MODEL or not asked:
            first = table.rows[0]
            asked = [row for row in table.rows if (row.group, row.target) == (first.group, first.target)]
        name, about = network_name(self.studio, QUICK_MODEL), about_classes(asked[0].group, asked[0].target)
        title = _("{network}, {classes} (precomputed)").format(network=name, classes=about)
        said = _("{conclusion} Measured on {photographs}.").format(
            conclusion=conclusion(asked), photographs=photographs(str(table.provenance["held_out"]))
        )
        return nothing | {"said": status(said), "chart": show(drawn_once(sides_figure, asked, title))}

    @of_selection
    def measure(self, chosen: Selection, classes: str | None, target: str | None) -> Iterator[dict[str, Any]]:
        """Craft for the chosen classes, and show what that does beside the chosen pattern."""
        yield {"said": progress_note(_("Opening network and images…"), 0), "use": gr.update(visible=False)}
        studio, network = self.studio, chosen.network
        if not classes:
            raise SettingError(_("Choose the class or the group to fool: type its name."))
        from uap_core.experiments.class_alone import FOR_ALL, SidesRow, class_alone
        from uap_core.plots.several import sides_figure

        beside = chosen.perturbation(studio)
        if not beside.ball.radius:
            raise SettingError(_("Crafting needs a strength above 0. Move the strength slider."))
        classifier, (craft, held_out) = studio.classifier(network), studio.some(network, IMAGES, IMAGES)
        method = self._method(network, classes, target)
        group, pace, rows, last = classes.removeprefix(GROUP), Pace(), list[SidesRow](), None
        images = _("{count} {images}").format(count=len(held_out), images=studio.live_set_name(network))
        about = about_classes(group, target or "")
        title = _("{network}, {classes}: {images} (live)").format(
            network=plain(classifier.card.name), classes=about, images=images
        )
        run = class_alone(
            classifier, method, craft, held_out, beside.ball, {FOR_ALL: beside.pattern}, group, target or "", seed=0
        )
        for found in run:
            if isinstance(found, SidesRow):
                rows.append(found)
                yield {"chart": show(sides_figure(rows, title))}
            else:
                last = found
                spent = _("{spent} of {budget} looks").format(spent=found.image_gradients, budget=method.budget)
                yield {"said": pace.note(found.share, 1, spent)}
        assert last is not None
        pattern = as_plain(self._named(last, classifier, method, craft, beside.ball, about, target))
        said = _("{conclusion} Measured live on {images}.").format(conclusion=conclusion(rows), images=images)
        yield {"said": status(said), "draft": pattern, "use": gr.update(visible=True)}

    def _method(self, network: str, classes: str, target: str | None) -> ClassAlone:
        from uap_core.crafting.class_alone import KEEP, KEEP_WITH_TARGET, ClassAlone
        from uap_core.crafting.menu import TILES
        from uap_core.models.bf16 import has_fast_bf16

        large = self.studio.card(network).input_size > LARGE
        if classes.startswith(GROUP):
            known = known_groups(self.studio, network)
            if classes.removeprefix(GROUP) not in known:
                raise SettingError(_("This network knows no class of this group. Choose another one."))
            numbers = known[classes.removeprefix(GROUP)]
        else:
            numbers = (self.studio.classifier(network).index_of(classes),)
        keep, tiles = KEEP_WITH_TARGET if target else KEEP, TILES if large else 1
        return ClassAlone(classes=numbers, keep=keep, budget=LOOKS[large], bf16=has_fast_bf16(), tiles=tiles)

    def _named(
        self, last: Any, classifier: Any, method: ClassAlone, craft: Any, ball: Any, about: str, target: str | None
    ) -> Any:
        from uap_core.attacks.criterion import Criterion
        from uap_core.experiments.provenance import with_provenance

        goal = Criterion.into(classifier.index_of(target)) if target else Criterion()
        name = _("For {classes} alone, {ball}").format(classes=about, ball=ball)
        return with_provenance(name, method, [classifier], craft, ball, goal, 0, last)


def about_classes(group: str, target: str) -> str:
    """The classes in words, and into what."""
    name = _(GROUP_NAMES[group]) if group in GROUP_NAMES else group
    return _("{classes} into {target}").format(classes=name, target=target) if target else name


def conclusion(rows: list[SidesRow]) -> str:
    """What the pattern does to either side, and the one for all beside it."""
    from uap_core.experiments.class_alone import ALONE, FOR_ALL

    mine, other = (next(row for row in rows if row.kind == kind) for kind in (ALONE, FOR_ALL))
    said = _(
        "It fools {inside:.0%} of the {count} pictures of these classes and {outside:.0%} of the {rest} others;"
        " the pattern for all fools {all_inside:.0%} and {all_outside:.0%}."
    ).format(
        inside=mine.inside.value,
        count=mine.inside.total,
        outside=mine.outside.value,
        rest=mine.outside.total,
        all_inside=other.inside.value,
        all_outside=other.outside.value,
    )
    if mine.reached is None:
        return said
    into = _("{share:.0%} of these classes become {target}.").format(share=mine.reached.value, target=mine.target)
    return f"{said} {into}"


def build(studio: Studio, setup: Setup, clock: Clock, keeping: Keeping) -> None:
    """Lay the fold out and wire it."""
    views, network = Views(studio), usual(studio).network

    def seconds(network: str) -> float:
        return clock.seconds(studio, network, LOOKS[studio.card(network).input_size > LARGE], 6 * IMAGES)

    with gr.Accordion(_("For a class alone: only cats"), open=False, elem_id="alone-fold") as fold:
        gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
        with gr.Row(equal_height=True):
            offered = choices(studio, network)[:1]  # the others, and the names of a thousand classes, come when it is opened
            classes = gr.Dropdown(
                offered, value=offered[0][1], label=_("Fool only"), scale=2, min_width=200, elem_id="alone-classes"
            )
            target = gr.Dropdown(
                [],
                value=None,
                label=_("Into this class (any other label when left empty)"),
                scale=2,
                min_width=200,
                elem_id="alone-target",
            )
        run = run_row(studio, setup, fold, "alone", _("Make one for them alone ({time})"), seconds)
        said, drawn, use = gr.HTML(elem_id="alone-status"), chart("alone-chart"), lay_out_use("alone")
        draft: Any = gr.State(None)
        places = {"said": said, "chart": drawn, "use": use, "draft": draft}

    def cleared(network: str, _pattern: str) -> dict[str, Any]:
        return views.stored(network, None, None) | {"draft": None}

    run.wire(views.measure, [*setup.inputs, classes, target], places, _("Stopped."), restore=cleared)
    shown = {"said": said, "chart": drawn, "use": use, "classes": classes, "target": target}
    keep_fresh(setup, fold, views.look, [setup.network], shown, also=[classes, target])
    seen = {"said": said, "chart": drawn, "use": use}
    for choice in (classes, target):
        on_choice(setup, choice)(filling(views.stored, seen), [setup.network, classes, target], list(seen.values()), **QUICK)
    wire_use(studio, setup, keeping, use, draft, said)
