"""The room "Patterns on demand": a generator of patterns, its polygon of labels, draws, and what to do with them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.picks import pick_list, picked_key
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.selection import Scene, own_level
from uap_core.ui.session_patterns import add_own, gone_sentence
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.tabs.games import figures, polygon
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import QUICK, chart, picture_link, png_of, status

if TYPE_CHECKING:
    from uap_core.perturbations.generators import PatternGenerator

EACH = 3  # draws of every label
GEOMETRY = _("Is it only pictures?")
TITLE = _("Only one pattern? A network that makes as many as you like")
GONE = _("No generator is here: publish --part generators makes it.")
SOURCES = _(
    "Networks that make universal perturbations: GAP (Poursaeed et al., CVPR 2018) makes one from fixed random numbers, NAG"
    " (Mopuri et al., CVPR 2018) many, by a loss that rewards draws for differing. Here each draw is told a label to aim at."
)


@dataclass(frozen=True)
class Views:
    """What the room's events answer."""

    studio: Studio
    sents: Sequence[polygon.Sent]

    def sent(self, which: Any) -> polygon.Sent:
        """A generator by its number, as a visitor's page says it. Raises PerturbationError for none of ours."""
        if not isinstance(which, int) or isinstance(which, bool) or not 0 <= which < len(self.sents):
            raise PerturbationError(_("This pattern is no longer there. Choose another one."))
        return self.sents[which]

    def made(self, which: int) -> PatternGenerator:
        """A generator, read once."""
        from uap_core.perturbations.generators import load_generator

        return load_generator(self.sent(which).path)

    def seen(self, photo: str, which: int, place: int) -> str:
        """The photograph with the pattern of a place, and what the network says of it."""
        import torch

        from uap_core.experiments.generator_draws import place_codes

        made = self.made(which)
        pattern = made.patterns(place_codes(made, torch.tensor([self.sent(which).rows[place].mix])))[0]
        kept = as_own(made, pattern.numpy(), "").as_perturbation()
        shown = seen_under(self.studio.classifier(QUICK_MODEL), photo, kept)
        was, now = shown.before[0][0], shown.after[0][0]
        said = _("{network} saw {was}. Now it sees {now}.") if was != now else _("{network} still sees {now}.")
        text = said.format(network=network_name(self.studio, QUICK_MODEL), was=was, now=now)
        alt = escape(_("The photograph with this pattern"))
        link = picture_link(shown.perturbed)
        return f'<figure class="seen"><img src="{link}" alt="{alt}"><figcaption>{escape(text)}</figcaption></figure>'

    def fill(self, photo: str, which: int, place: int, seed: int) -> dict[str, Any]:
        """What the open room shows of the chosen photograph."""
        return {"seen": self.seen(photo, which, self.sent(which).checked(place)), "grid": self.grid(which, seed)}

    def traded(self) -> dict[str, Any]:
        """The chart of fooling against difference."""
        return {"trade": figures.trade(self.studio)}

    def move(self, photo: str, before: int, seed: int, event: gr.EventData) -> dict[str, Any]:
        """The dot was dragged to another place, or to another generator than the one ``before``."""
        asked = event._data if isinstance(event._data, dict) else {}
        sent, which = self.sent(asked.get("which")), asked.get("which", 0)
        place = sent.checked(asked.get("place"))
        found = {"said": "", "seen": self.seen(photo, which, place), "place": place, "chosen": ("place", which, place)}
        if which == before:
            return found
        told = {"lesson": lesson(TITLE, sent.answer()), "told": figures.told(self.studio, sent)}
        return found | told | {"which": which, "grid": self.grid(which, seed)}

    def grid(self, which: int, seed: int) -> str:
        """A line of draws for each label."""
        patterns, labels = self.drawn(which, seed), self.sent(which).labels
        rows = []
        for number, label in enumerate(labels):
            tiles = "".join(
                f'<button type="button" data-pick="{which}-{seed}-{k}" aria-pressed="false" aria-label="{escape(label)}">'
                f'<img alt="" src="{_inline(patterns[k])}"></button>'
                for k in range(number, len(patterns), len(labels))
            )
            rows.append(f'<div class="draws-row"><span>{escape(label)}</span>{tiles}</div>')
        return f'<div class="draws">{"".join(rows)}</div>'

    def drawn(self, which: int, seed: int) -> np.ndarray:
        """The draws (n,3,H,W) of one seed, labels in turn."""
        import torch

        made = self.made(which)
        codes = made.codes(EACH * len(made.labels), torch.Generator().manual_seed(seed))
        return made.patterns(codes).numpy()

    def again(self, which: int, seed: int) -> dict[str, Any]:
        """Other draws."""
        return {"said": "", "grid": self.grid(which, seed + 1), "seed": seed + 1}

    def pick(self, event: gr.EventData) -> dict[str, Any]:
        """A draw was clicked."""
        parts = picked_key(event).split("-")
        if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 6 for part in parts):
            raise PerturbationError(_("This pattern is no longer there. Choose another one."))
        which, seed, number = map(int, parts)
        labels = self.sent(which).labels
        if number >= EACH * len(labels):
            raise PerturbationError(_("This pattern is no longer there. Choose another one."))
        said = status(_("Chosen: a draw aimed at {label}.").format(label=labels[number % len(labels)]))
        return {"said": said, "chosen": ("draw", which, seed, number)}

    def keep(
        self,
        chosen: tuple[Any, ...],
        photo: str,
        network: str,
        own: dict[str, Pattern],
        asked: tuple[str, int],
        staged: tuple[Any, int],
    ) -> dict[str, Any]:
        """The chosen pattern joins the visitor's own, and all tabs use it; a network of its size comes with it."""
        import torch

        from uap_core.experiments.generator_draws import place_codes

        kind, which, *where = chosen
        made, sent = self.made(which), self.sent(which)
        if kind == "place":
            mix = torch.tensor([sent.rows[sent.checked(where[0])].mix])
            values, name = made.patterns(place_codes(made, mix))[0].numpy(), sent.named(where[0])
        else:
            values = self.drawn(which, where[0])[where[1]]
            label = sent.labels[where[1] % len(sent.labels)]
            name = _("Draw {number}, {label}, {norm}").format(number=f"{where[0]}.{where[1]}", label=label, norm=sent.norm)
        before, own = own, add_own(own, as_own(made, values, name))
        said = status(_("{name} is chosen, and all tabs use it.").format(name=name) + gone_sentence(before, own))
        if self.studio.card(network).input_size == values.shape[1]:
            return {"said": said, "own": own, "asked": (f"own:{name}", asked[1] + 1)}
        scene = Scene(photo, QUICK_MODEL, f"own:{name}", own_level(made.ball))
        return {"said": said, "own": own, "staged": (scene, staged[1] + 1)}


def as_own(made: PatternGenerator, values: np.ndarray, name: str) -> Pattern:
    """A pattern (3,H,W) of the generator as a visitor's own."""
    return Pattern(name, values, made.ball.p, made.ball.radius, {}, "kept")


def _inline(pattern: np.ndarray) -> str:
    from uap_core.experiments.apply import amplified

    return f"data:image/png;base64,{base64.b64encode(png_of(amplified(pattern.transpose(1, 2, 0)))).decode()}"


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the room and wire it."""
    sents = polygon.all_sent(studio)
    if not sents:
        gr.HTML(lesson(TITLE, GONE))
        return
    views, first = Views(studio, sents), sents[0]
    answer = gr.HTML(lesson(TITLE, first.answer()), elem_id="generator-lesson")
    said = gr.HTML(elem_id="generator-said")
    with gr.Row(equal_height=False):
        stage = gr.HTML(polygon.stages(sents), js_on_load=polygon.MOUNT, elem_id="generator-polygon")
        seen = gr.HTML(elem_id="generator-seen")
    with gr.Row():
        keep = gr.Button(_("Keep this one: use it in the other tabs"), variant="primary", scale=0, min_width=300)
        another = gr.Button(_("Other draws"), scale=0, min_width=140, elem_id="generator-another")
    grid = pick_list("generator-draws")
    with gr.Accordion(_("For researchers"), open=False, elem_id="generator-more"):
        told = gr.HTML(figures.told(studio, first), elem_id="generator-told")
    trade = chart("generator-trade")
    gr.HTML(f'<p class="explain">{escape(SOURCES)}</p>')
    gr.HTML(next_line("geometry", GEOMETRY))
    which, place, seed = gr.State(0), gr.State(first.start), gr.State(0)
    chosen = gr.State(("place", 0, first.start))
    keep_fresh(setup, tab, views.fill, [setup.photo], {"seen": seen, "grid": grid}, [which, place, seed])
    keep_fresh(setup, tab, views.traded, [], {"trade": trade})
    shown = {"said": said, "seen": seen, "grid": grid, "seed": seed, "place": place, "chosen": chosen}
    shown |= {"which": which, "lesson": answer, "told": told}
    kept = {"said": said, "own": setup.own, "asked": setup.asked, "staged": setup.staged}
    filled, asking = list(shown.values()), [chosen, setup.photo, setup.network, setup.own, setup.asked, setup.staged]
    stage.select(filling(views.move, shown), [setup.photo, which, seed], filled, trigger_mode="always_last", **QUICK)
    another.click(filling(views.again, shown), [which, seed], filled, **QUICK)
    grid.select(filling(views.pick, shown), None, filled, **QUICK)
    keep.click(filling(views.keep, kept), asking, list(kept.values()), **QUICK)
