"""The tab Craft: a visitor makes one universal pattern, watches it come into being, uses it and keeps it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from uap_core.experiments.first_view import Opening
from uap_core.i18n import _
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.named_outputs import filling, given
from uap_core.ui.runtime.run import Run
from uap_core.ui.selection import usual
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft import algorithm, alone, handlers, save, several
from uap_core.ui.tabs.craft.pace import Pace
from uap_core.ui.tabs.craft.parts import (
    Parts,
    about_method,
    lay_out_details,
    lay_out_end,
    lay_out_head,
    lay_out_more,
    lay_out_show,
)
from uap_core.ui.tabs.craft.run import Sight
from uap_core.ui.widgets import QUICK, guarded


def build(studio: Studio, setup: Setup, opening: Opening | None, tab: gr.Tab) -> None:
    """Lay out the tab, filled with the opening view, and wire it. Nothing more is computed before ``tab`` is chosen."""
    laid = lay_out_head(studio)
    shown, keeping = lay_out_show(studio, opening)
    laid |= shown | lay_out_more(studio)
    pace = Pace()
    alone.build(studio, setup, pace, keeping)
    several.build(studio, setup, pace, keeping)
    with gr.Accordion(_("For researchers"), open=False, elem_id="craft-details") as fold:
        files = save.lay_out_files()
        laid |= lay_out_details(usual(studio).pattern, opening)
        algorithm.build(studio, setup, fold)
    lay_out_end()
    _wire(studio, setup, tab, Parts(**laid), keeping, files, fold, pace)


def _wire(
    studio: Studio,
    setup: Setup,
    tab: gr.Tab,
    parts: Parts,
    keeping: save.Keeping,
    files: save.Files,
    fold: gr.Accordion,
    pace: Pace,
) -> None:
    draft, looked_at, unfolded = gr.State(None), gr.State(""), gr.State(False)
    sight = gr.State(Sight(usual(studio).photo))
    places = {"state": parts.state} | vars(parts) | vars(files)
    places |= {"result": keeping.result, "name": keeping.name, "draft": draft, "looked_at": looked_at, "unfolded": unfolded}

    def answer(handler: Any, *given: Any) -> Any:
        return filling(handler, places, studio, *given)

    outputs: dict[str, Any] = {"outputs": list(places.values()), **QUICK}
    of_network = [setup.network, parts.images, parts.cost, parts.method]
    save.wire(studio, setup, keeping, files, draft)

    run = Run(studio, setup, parts.run, parts.stop)
    crafting = given(handlers.craft, studio, pace)
    running = run.wire(crafting, [*setup.inputs, sight, *parts.choices], places, _("Stopped."))
    settled = running.then(answer(handlers.settle), [setup.photo, draft], **outputs)
    readied = settled.then(filling(save.ready, places), draft, **outputs)
    beside = [draft, parts.target, parts.until, looked_at, sight, unfolded]
    readied.then(answer(handlers.after), [*setup.inputs, *beside], **outputs).then(
        answer(handlers.offer, pace), of_network, **outputs
    )

    keep_fresh(setup, tab, given(handlers.regard, studio), setup.inputs, places, also=beside)
    setup.turn_of(tab).click(answer(handlers.offer, pace), of_network, trigger_mode="always_last", **outputs)
    for slider in (parts.images, parts.cost):
        slider.change(answer(handlers.offer, pace), of_network, trigger_mode="always_last", **outputs)
    fold.expand(answer(handlers.unfold), setup.network, **outputs)
    fold.collapse(lambda: False, None, unfolded, **QUICK)
    cleared = keeping.clear.click(answer(handlers.clear), [*setup.inputs, parts.target, parts.until, sight], **outputs)
    cleared.then(filling(save.ready, places), draft, **outputs)
    parts.quick.click(handlers.take_quick, setup.wanted, setup.wanted, **QUICK)
    parts.method.change(guarded(1, 0)(about_method), parts.method, parts.method_note, **QUICK).then(
        answer(handlers.offer, pace), of_network, **outputs
    )
    parts.goal.change(given(handlers.show_target, studio), [parts.goal, setup.network], parts.target, **QUICK)
