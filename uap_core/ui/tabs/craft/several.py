"""A fold of Craft: one more pattern, crafted on what those so far leave, and how many pictures any of them fools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.metrics import Rate
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import LARGE, run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.craft.draft import plain as as_plain
from uap_core.ui.tabs.craft.pace import Pace as Clock
from uap_core.ui.tabs.craft.save import Keeping
from uap_core.ui.tabs.craft.taking import lay_out_use, wire_use
from uap_core.ui.titles import precomputed_on
from uap_core.ui.widgets import chart, hide, progress_note, show, status

if TYPE_CHECKING:
    import torch

    from uap_core.experiments.several import SeveralRow
    from uap_core.io.results import Table

LOOKS, IMAGES, MOST = (800, 400), 256, 8
QUESTION = _(r"""
One pattern must fool every picture; of several, the best one is taken for each. The chosen pattern is the first, each next one
is made from the pictures that those so far do not fool. A picture counts when $\max_j\,[k(x + v_j) \ne k(x)] = 1$: whoever may
try all and takes the one with the smallest margin of $k(x)$ gets exactly that. (Cocktail, ECCV 2024, trains a network to pick.)
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class SoFar:
    """The patterns of one network in one ball, from the chosen one ``begun_with`` on, and the union's rate after each."""

    begun_with: tuple[str, str, str]
    patterns: tuple[Pattern, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class Views:
    """What the fold's events answer."""

    studio: Studio

    def look(self, network: str) -> dict[str, Any]:
        """What was precomputed: of this network, or of the one that has such; a set under way is of another one, and goes."""
        from uap_core.plots.several import several_figure

        key, table = self._table(network)
        nothing = {"said": "", "chart": hide(), "so_far": None, "draft": None, "use": gr.update(visible=False)}
        if table is None:
            return nothing
        title = precomputed_on(self.studio, key, table.rows[0].any_of.total)
        said = status(conclusion(table.rows, plain(self.studio.card(key).name)))
        return nothing | {"said": said, "chart": show(drawn_once(several_figure, table.rows, title))}

    def cleared(self, network: str, _pattern: str) -> dict[str, Any]:
        """As before the first run."""
        return self.look(network)

    def _table(self, network: str) -> tuple[str, Table | None]:
        from uap_core.experiments.several import SeveralRow

        for key in (network, QUICK_MODEL):
            table: Table | None = self.studio.precomputed(f"{key}-several", SeveralRow)
            if table is not None and table.rows:
                return key, table
        return network, None

    @of_selection
    def measure(self, chosen: Selection, so_far: SoFar | None) -> Iterator[dict[str, Any]]:
        """Craft the next pattern, and show how many pictures any of them fools."""
        yield {"said": progress_note(_("Opening network and images…"), 0), "use": gr.update(visible=False)}
        import torch

        from uap_core.crafting.menu import build
        from uap_core.crafting.problem import clean_logits
        from uap_core.crafting.several import next_pattern
        from uap_core.experiments.provenance import with_provenance

        studio, network, first = self.studio, chosen.network, chosen.perturbation(self.studio)
        if not first.ball.radius:
            raise SettingError(_("Crafting needs a strength above 0. Move the strength slider."))
        begun_with = (network, chosen.pattern, str(first.ball))
        if so_far is None or so_far.begun_with != begun_with:
            so_far = SoFar(begun_with, (as_plain(first),), ())
        if len(so_far.patterns) >= MOST:
            raise SettingError(_("These are {count} patterns, which is enough: clear them to begin again.").format(count=MOST))
        classifier, (craft, held_out) = studio.classifier(network), studio.some(network, IMAGES, IMAGES)
        clean = clean_logits(classifier, held_out.pixels)
        earlier = [pattern.as_perturbation().pattern for pattern in so_far.patterns]
        yield self._shown(so_far, union(classifier, held_out.pixels, clean, earlier), begun_with, len(held_out))
        pace, method = Pace(), build("default", LOOKS[classifier.size > LARGE], classifier.shape)
        last = None
        for last in next_pattern(classifier, craft.pixels, first.ball, method, earlier):
            spent = _("Pattern {number}: {spent} of {budget} looks").format(
                number=len(earlier) + 1, spent=last.image_gradients, budget=method.budget
            )
            yield {"said": pace.note(last.share, 1, spent)}
        assert last is not None
        name = _("Pattern {number} of several, {ball}").format(number=len(earlier) + 1, ball=first.ball)
        from uap_core.attacks.criterion import Criterion

        made = as_plain(with_provenance(name, method, [classifier], craft, first.ball, Criterion(), len(earlier), last))
        rates = union(classifier, held_out.pixels, clean, [*earlier, torch.from_numpy(made.values)])
        so_far = SoFar(begun_with, (*so_far.patterns, made), rates)
        said = _(
            "Live: {count} patterns fool {now} of the {images} that they never saw; the first alone fooled {first:.1%}."
        ).format(count=len(rates), now=rates[-1], images=studio.live_set_name(network), first=rates[0].value)
        shown = self._shown(so_far, rates, begun_with, len(held_out))
        yield shown | {"said": status(said), "so_far": so_far, "draft": made, "use": gr.update(visible=True)}

    def _shown(self, so_far: SoFar, rates: Sequence[Rate], begun: tuple[str, str, str], count: int) -> dict[str, Any]:
        """The live rates over the precomputed curves of the same network."""
        from uap_core.plots.several import several_figure

        key, table = self._table(begun[0])
        rows = table.rows if table is not None and key == begun[0] else []
        name, images = plain(self.studio.card(begun[0]).name), self.studio.live_set_name(begun[0])
        title = _("{network}: {count} {images} (live)").format(network=name, count=count, images=images)
        if rows:
            title = precomputed_on(self.studio, begun[0], rows[0].any_of.total)
        on = _("live, {ball}, on {count} {images}").format(ball=begun[2], count=count, images=images)
        return {"chart": show(several_figure(rows, title, rates, on))}


def union(classifier: Any, images: torch.Tensor, clean: torch.Tensor, patterns: Sequence[torch.Tensor]) -> tuple[Rate, ...]:
    """The share of ``images`` that any of the first 1, 2, ... ``patterns`` fools."""
    import torch

    from uap_core.crafting.several import logits_under, margins
    from uap_core.experiments.several import any_of

    each = torch.stack([margins(clean, logits_under(classifier, images, v)) for v in patterns])
    return tuple(any_of(each[: k + 1]) for k in range(len(each)))


def conclusion(rows: Sequence[SeveralRow], network: str) -> str:
    """What more patterns are worth, at the strength where that is most."""
    by_strength: dict[float, list[SeveralRow]] = {}
    for row in rows:
        by_strength.setdefault(row.epsilon, []).append(row)
    first, last = max(
        ((min(mine, key=lambda row: row.patterns), max(mine, key=lambda row: row.patterns)) for mine in by_strength.values()),
        key=lambda pair: pair[1].any_of.value - pair[0].any_of.value,
    )
    said = _(
        "Precomputed for {network}: at strength {levels:g} of 255 one pattern fools {one:.0%} of {count} photographs, the best"
        " of {patterns} fools {all:.0%}; picked by a look at the clean picture alone, {foreseen:.0%}."
    )
    return said.format(
        network=network,
        levels=first.epsilon,
        one=first.any_of.value,
        count=first.any_of.total,
        patterns=last.patterns,
        all=last.any_of.value,
        foreseen=last.foreseen.value,
    )


def build(studio: Studio, setup: Setup, clock: Clock, keeping: Keeping) -> None:
    """Lay the fold out and wire it."""
    views = Views(studio)

    def seconds(network: str) -> float:
        return clock.seconds(studio, network, LOOKS[studio.card(network).input_size > LARGE], 6 * IMAGES)

    with gr.Accordion(_("Several patterns: one more"), open=False, elem_id="several-fold") as fold:
        gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
        run = run_row(studio, setup, fold, "several", _("One more ({time})"), seconds, silent=True)
        said, drawn, use = gr.HTML(elem_id="several-status"), chart("several-chart"), lay_out_use("several")
        so_far: Any = gr.State(None)
        draft: Any = gr.State(None)
    places = {"said": said, "chart": drawn, "so_far": so_far, "draft": draft, "use": use}
    run.wire(views.measure, [*setup.inputs, so_far], places, _("Stopped. The patterns so far stay."), restore=views.cleared)
    keep_fresh(setup, fold, views.look, [setup.network], places)
    wire_use(studio, setup, keeping, use, draft, said)
