"""The tab Craft: a visitor crafts one universal pattern, watches it come into being, gives it a name and keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import ANY, GOALS, TARGET
from uap_core.crafting.menu import MENU
from uap_core.errors import UapError
from uap_core.experiments.apply import GAIN, amplified
from uap_core.experiments.first_view import Opening
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.library import library
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.selection import usual
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.craft import save as keeping
from uap_core.ui.tabs.craft.run import LEAST_COST, MOST_COST, Frame, Sight, frames, is_judged, judged_when_stopped, order
from uap_core.ui.tabs.craft.view import before_and_now, numbers, pattern_picture, sizes
from uap_core.ui.titles import precomputed_on
from uap_core.ui.widgets import QUICK, chart, guarded, hide, picture_file, problem, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit

EXPLAIN = _(r"""
Wanted is one $v$ with $\|v\|_p \le \varepsilon$ that changes the answer on as many images as possible,
$P[\,k(x+v) \ne k(x)\,] \ge 1 - \delta$. A rate has no gradient, so each method descends on a loss that has one: a few
images $B$ of the craft set at a time, $v \leftarrow \Pi_\varepsilon(v - \eta\, d)$, with a direction $d$ made of
$\nabla_v \tfrac1{|B|} \sum_{x \in B} L(\mathrm{clip}(x+v),\, k(x))$, while $\Pi_\varepsilon$ brings $v$ back into the
ball. The methods differ in $L$ and in $d$; DeepFool adds shortest steps over a boundary instead, SV-UAP looks at a hidden
layer. With a target $t$ the loss pulls towards $k(x+v) = t$. An *image-gradient* is one forward and one backward pass of one
image: the unit of cost.

The curve is measured on the same few held-out images all the time, which crafting never sees; its band is the 95 % Wilson
interval. At the end more images are asked. The same choices and seed give the same pattern on the same machine.
""")
IMAGES, COST = 200, 800  # chosen at first


def build(studio: Studio, setup: Setup, opening: Opening | None, tab: gr.Tab) -> None:
    """Lay out the tab, filled with the opening view, and wire it. Nothing more is computed before ``tab`` is chosen."""
    opens_with = usual(studio)
    first, ready_made = opens_with.network, opens_with.pattern
    with gr.Row(equal_height=True):
        listed = [(_(item.name), key) for key, item in MENU.items()]
        method = gr.Dropdown(listed, label=_("Method"), scale=2, min_width=240, elem_id="craft-method")
        goal = gr.Radio(
            [(_(GOALS[goal]), goal) for goal in (ANY, TARGET)],
            value=ANY,
            label=_("Every image shall get"),
            scale=2,
            min_width=300,
            elem_id="craft-goal",
        )
        target = gr.Dropdown(
            studio.labels(first),
            value=None,
            label=_("Class to reach: type its name"),
            scale=2,
            min_width=220,
            visible=False,
            elem_id="craft-target",
        )
    method_note = gr.HTML(_about_method("default"), elem_id="craft-method-note")
    with gr.Row(equal_height=True):
        images = gr.Slider(
            1,
            IMAGES,
            value=IMAGES,
            step=1,
            label=_("Images to craft on"),
            info=studio.live_set_name(first),
            elem_id="craft-images",
        )
        cost = gr.Slider(
            LEAST_COST,
            MOST_COST,
            value=COST,
            step=100,
            label=_("Cost, in image-gradients"),
            info=_("at most; seconds grow with it"),
            elem_id="craft-cost",
        )
        seed = gr.Number(
            0, precision=0, label=_("Seed"), info=_("the same one repeats a run"), min_width=140, elem_id="craft-seed"
        )
    with gr.Row():
        run = gr.Button(_("Craft"), variant="primary", elem_id="craft-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="craft-stop")
    offer_where_right(studio, setup, tab, [run], "craft-live-note")
    state = gr.HTML(status(_invitation(ready_made)), elem_id="craft-status")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            gr.HTML(_("The pattern, {gain} times stronger, around mid-grey").format(gain=GAIN))
            picture = _picture(
                picture_file(amplified(opening.change)) if opening else None, _("The pattern, amplified"), "craft-pattern"
            )
        with gr.Column(min_width=300):
            gr.HTML(_("The chosen photograph under it"))
            photograph = _picture(
                picture_file(opening.view.perturbed) if opening else None,
                _("The photograph under the pattern"),
                "craft-photograph",
            )
    labels = gr.HTML(before_and_now(opening.view, studio.card(opening.network).name) if opening else "", elem_id="craft-labels")
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=300):
            figure = chart("craft-chart")
        with gr.Column(scale=5, min_width=300):
            table = gr.HTML(_opening_numbers(ready_made, opening), elem_id="craft-numbers")
    draft, looked_at, sight = gr.State(None), gr.State(""), gr.State(Sight(opens_with.photo))
    kept = keeping.build(studio, setup, draft)
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def regard(
        photo: str,
        network: str,
        pattern: str,
        own: dict[str, Pattern],
        epsilon: float,
        draft_now: Pattern | None,
        images_now: float,
        target_now: str | None,
        before: str,
        sight_now: Sight,
    ) -> tuple[Any, ...]:
        """What stands here while nothing runs: what was crafted last, or else the pattern chosen on the left."""
        from uap_core.experiments.apply import exhibit

        sight_now.photo = photo  # a run that is under way reads it
        note = status(_invitation(pattern))
        choices: tuple[Any, Any] = gr.skip(), gr.skip()
        if network != before:
            try:
                room = _room(studio, network, images_now) if studio.live_source(network) else gr.skip()
                choices = room, _classes(studio, network, target_now)
            except UapError as error:  # the pattern can be looked at all the same
                note = problem(str(error))
        if draft_now is not None:
            view = _under(studio, photo, draft_now)
            skip, said = gr.skip(), before_and_now(view, _maker(studio, draft_now))
            return skip, skip, picture_file(view.perturbed), said, skip, skip, *choices, network
        perturbation = chosen(studio, network, pattern, own, epsilon)
        view = exhibit(studio.classifier(network), studio.image(photo, network), perturbation)
        values = perturbation.pattern.numpy()
        return (
            note,
            pattern_picture(values),
            picture_file(view.perturbed),
            before_and_now(view, studio.card(network).name),
            numbers(perturbation.name, perturbation.provenance, *sizes(values)),
            gr.skip() if network == before else _stored(studio, network),
            *choices,
            network,
        )

    def after(*now: Any) -> tuple[Any, ...]:
        """Once a run is over: the photograph on the left may be another one by now. What was said of the run stays."""
        return gr.skip(), *regard(*now)[1:]

    def craft(
        sight_now: Sight,
        network: str,
        pattern: str,
        own: dict[str, Pattern],
        epsilon: float,
        images_now: float,
        method_now: str,
        cost_now: float,
        goal_now: str,
        target_now: str | None,
        seed_now: float,
    ) -> Iterator[tuple[Any, ...]]:
        yield progress_note(_("Opening network and images…"), 0), *(gr.skip(),) * 6, *(gr.update(interactive=False),) * 3
        ball = chosen(studio, network, pattern, own, epsilon).ball
        wanted = order(network, ball, images_now, method_now, cost_now, goal_now, target_now, seed_now)
        for frame in frames(studio, wanted, sight_now):
            yield *_shown(frame, studio.card(network).name), *(gr.skip(),) * 3

    def settle(photo: str, draft_now: Pattern | None) -> tuple[Any, ...]:
        """Of a run that was stopped: what the page shows and what is kept are the same, measured pattern."""
        if draft_now is None or is_judged(draft_now):
            return (gr.skip(),) * 6
        draft_now, said = judged_when_stopped(studio, draft_now)
        made = draft_now.as_perturbation()
        view = _under(studio, photo, draft_now)
        table_now = numbers(made.name, made.provenance, *sizes(draft_now.values))
        pictures = pattern_picture(draft_now.values), picture_file(view.perturbed)
        return status(said), *pictures, before_and_now(view, _maker(studio, draft_now)), table_now, draft_now

    shown = [picture, photograph, labels, table]
    choices = [images, method, cost, goal, target, seed]
    filled = [state, *shown, figure, draft, *kept.outputs[1:]]
    inputs = [sight, *setup.inputs[1:], *choices]
    running = run_until_stopped(run, stop, studio.heavy(10, 0)(craft), inputs, filled, _("Stopped."))
    settled = running.then(guarded(6, 0)(settle), [setup.photo, draft], [state, *shown, draft], **QUICK)
    beside = [draft, images, target, looked_at, sight]
    seen = [state, *shown, figure, images, target, looked_at]
    settled.then(kept.ready, draft, kept.outputs, **QUICK)
    settled.then(guarded(len(seen), 0)(after), [*setup.inputs, *beside], seen, **QUICK)
    keep_fresh(setup, tab, regard, setup.inputs, seen, also=beside)
    method.change(_about_method, method, method_note, **QUICK)
    goal.change(lambda now: gr.update(visible=now == TARGET), goal, target, **QUICK)


def _shown(frame: Frame, network: str) -> tuple[Any, ...]:
    """Sentence, pattern, photograph, labels, numbers, chart and draft of one moment."""
    made = frame.pattern
    name, provenance = (made.name, made.provenance) if made else (_("none yet"), {})
    return (
        frame.note,
        pattern_picture(frame.values),
        picture_file(frame.view.perturbed),
        before_and_now(frame.view, network),
        numbers(name, provenance, *sizes(frame.values), *frame.measured),
        gr.skip() if frame.figure is None else show(frame.figure),
        gr.skip() if made is None else made,
    )


def _under(studio: Studio, photo: str, draft: Pattern) -> Exhibit:
    """The photograph under what was crafted, as the network that it was crafted on sees it."""
    from uap_core.experiments.apply import exhibit

    maker = draft.provenance["network"]
    return exhibit(studio.classifier(maker), studio.image(photo, maker), draft.as_perturbation())


def _maker(studio: Studio, draft: Pattern) -> str:
    """The name of the network that it was crafted on."""
    return studio.card(draft.provenance["network"]).name


def _about_method(key: str) -> str:
    return status(f"{_(MENU[key].line)} ({_(MENU[key].source)})")


def _picture(path: str | None, label: str, elem_id: str) -> gr.Image:
    return gr.Image(
        path,
        format="png",
        label=label,
        alt_text=label,
        show_label=False,
        interactive=False,
        buttons=["fullscreen"],
        height=330,
        elem_id=elem_id,
        elem_classes="pixels",
    )


def _invitation(pattern: str) -> str:
    """What is shown before anything was crafted."""
    if pattern == RANDOM_SIGNS:
        return _("Shown: random signs, which nobody crafted. Craft a pattern and watch it become better than that.")
    if pattern.startswith("own:"):
        return _("Shown: your pattern, as chosen on the left. Craft another one and watch it come into being.")
    return _(
        "Shown: a ready-made pattern, precomputed and chosen on the left. Craft one yourself and watch it come into being."
    )


def _opening_numbers(pattern: str, opening: Opening | None) -> str:
    """The numbers of the first view, from the library's header alone."""
    entry = next((entry for entry in library() if entry.key == pattern), None)
    if entry is None or opening is None:
        return ""
    return numbers(entry.name, entry.provenance, *sizes(opening.change))


def _stored(studio: Studio, network: str) -> Any:
    """How fast each method finds a pattern, precomputed, until there is a curve of one's own."""
    from uap_core.experiments.convergence import ConvergenceRow
    from uap_core.plots.convergence import convergence_figure

    # Few networks have such curves; the title says whose they are.
    for key in (network, QUICK_MODEL):
        table = studio.precomputed(f"{key}-convergence", ConvergenceRow)
        if table and table.rows:
            title = precomputed_on(studio, key, table.rows[0].held_out_rate.total)
            return show(drawn_once(convergence_figure, table.rows, title))
    return hide()


def _room(studio: Studio, network: str, now: float) -> Any:
    """The slider of images, up to what there is. Raises DatasetError where there are none."""
    most = len(studio.craft_and_held_out(network)[0])
    info = _("of {count} {images}").format(count=most, images=studio.live_set_name(network))
    return gr.update(maximum=most, value=min(now, most) if isinstance(now, (int, float)) else most, info=info)


def _classes(studio: Studio, network: str, now: str | None) -> Any:
    labels = studio.labels(network)
    return gr.update(choices=labels, value=now if now in labels else None)
