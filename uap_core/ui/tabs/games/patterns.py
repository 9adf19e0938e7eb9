"""The room "Patterns on demand": a generator of patterns, its polygon of labels, draws, and what to do with them."""

from __future__ import annotations

import base64
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
from uap_core.ui.selection import Scene
from uap_core.ui.session_patterns import add_own
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.games import figures, polygon
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import QUICK, picture_link, png_of, status

if TYPE_CHECKING:
    from uap_core.perturbations.generators import PatternGenerator

EACH = 3  # draws of every label
TITLE = _("Only one pattern? A network that makes as many as you like")
GONE = _("No generator is here: publish --part generators makes it.")


@dataclass(frozen=True)
class Views:
    """What the room's events answer."""

    studio: Studio
    sent: polygon.Sent

    def made(self) -> PatternGenerator:
        """The generator, read once."""
        from uap_core.perturbations.generators import load_generator

        return load_generator(self.sent.path)

    def seen(self, photo: str, place: int) -> str:
        """The photograph with the pattern of a place, and what the network says of it."""
        import torch

        from uap_core.experiments.apply import exhibit
        from uap_core.experiments.generator_draws import place_codes

        made = self.made()
        pattern = made.patterns(place_codes(made, torch.tensor([self.sent.rows[place].mix])))[0]
        kept = as_own(made, pattern.numpy(), "").as_perturbation()
        shown = exhibit(self.studio.classifier(QUICK_MODEL), self.studio.image(photo, QUICK_MODEL), kept)
        was, now = shown.before[0][0], shown.after[0][0]
        said = _("{network} saw {was}. Now it sees {now}.") if was != now else _("{network} still sees {now}.")
        text = said.format(network=network_name(self.studio, QUICK_MODEL), was=was, now=now)
        alt = escape(_("The photograph with this pattern"))
        link = picture_link(shown.perturbed)
        return f'<figure class="seen"><img src="{link}" alt="{alt}"><figcaption>{escape(text)}</figcaption></figure>'

    def fill(self, photo: str, place: int, seed: int) -> dict[str, Any]:
        """What the open room shows of the chosen photograph."""
        return {"seen": self.seen(photo, self.sent.checked(place)), "grid": self.grid(seed)}

    def move(self, photo: str, event: gr.EventData) -> dict[str, Any]:
        """The dot was dragged to another place."""
        place = self.sent.checked(event._data.get("place") if isinstance(event._data, dict) else None)
        return {"said": "", "seen": self.seen(photo, place), "place": place, "chosen": ("place", place)}

    def grid(self, seed: int) -> str:
        """A line of draws for each label."""
        patterns = self.drawn(seed)
        rows = []
        for number, label in enumerate(self.sent.labels):
            tiles = "".join(
                f'<button type="button" data-pick="{seed}-{k}" aria-pressed="false" aria-label="{escape(label)}">'
                f'<img alt="" src="{_inline(patterns[k])}"></button>'
                for k in range(number, len(patterns), len(self.sent.labels))
            )
            rows.append(f'<div class="draws-row"><span>{escape(label)}</span>{tiles}</div>')
        return f'<div class="draws">{"".join(rows)}</div>'

    def drawn(self, seed: int) -> np.ndarray:
        """The draws (n,3,H,W) of one seed, labels in turn."""
        import torch

        made = self.made()
        codes = made.codes(EACH * len(made.labels), torch.Generator().manual_seed(seed))
        return made.patterns(codes).numpy()

    def again(self, seed: int) -> dict[str, Any]:
        """Other draws."""
        return {"said": "", "grid": self.grid(seed + 1), "seed": seed + 1}

    def pick(self, event: gr.EventData) -> dict[str, Any]:
        """A draw was clicked."""
        seed, _dash, number = picked_key(event).partition("-")
        if not (seed.isdecimal() and number.isdecimal() and int(number) < EACH * len(self.sent.labels)) or len(seed) > 6:
            raise PerturbationError(_("This pattern is no longer there. Choose another one."))
        label = self.sent.labels[int(number) % len(self.sent.labels)]
        said = status(_("Chosen: a draw aimed at {label}.").format(label=label))
        return {"said": said, "chosen": ("draw", int(seed), int(number))}

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

        made = self.made()
        if chosen[0] == "place":
            mix = torch.tensor([self.sent.rows[self.sent.checked(chosen[1])].mix])
            values, name = made.patterns(place_codes(made, mix))[0].numpy(), self.sent.named(chosen[1])
        else:
            values = self.drawn(chosen[1])[chosen[2]]
            name = _("Draw {number}, {label}").format(
                number=f"{chosen[1]}.{chosen[2]}", label=self.sent.labels[chosen[2] % len(self.sent.labels)]
            )
        own = add_own(own, as_own(made, values, name))
        said = status(_("{name} is chosen, and all tabs use it.").format(name=name))
        if self.studio.card(network).input_size == values.shape[1]:
            return {"said": said, "own": own, "asked": (f"own:{name}", asked[1] + 1)}
        scene = Scene(photo, QUICK_MODEL, f"own:{name}", made.ball.radius * 255)
        return {"said": said, "own": own, "staged": (scene, staged[1] + 1)}


def as_own(made: PatternGenerator, values: np.ndarray, name: str) -> Pattern:
    """A pattern (3,H,W) of the generator as a visitor's own."""
    return Pattern(name, values, made.ball.p, made.ball.radius, {}, "kept")


def _inline(pattern: np.ndarray) -> str:
    from uap_core.experiments.apply import amplified

    return f"data:image/png;base64,{base64.b64encode(png_of(amplified(pattern.transpose(1, 2, 0)))).decode()}"


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the room and wire it."""
    sent = polygon.sent(studio)
    if sent is None:
        gr.HTML(lesson(TITLE, GONE))
        return
    views = Views(studio, sent)
    gr.HTML(lesson(TITLE, sent.answer()))
    said = gr.HTML(elem_id="generator-said")
    with gr.Row(equal_height=False):
        stage = gr.HTML(polygon.stage(sent), js_on_load=polygon.MOUNT, elem_id="generator-polygon")
        seen = gr.HTML(elem_id="generator-seen")
    with gr.Row():
        keep = gr.Button(_("Keep this one: use it in the other tabs"), variant="primary", scale=0, min_width=300)
        another = gr.Button(_("Other draws"), scale=0, min_width=140, elem_id="generator-another")
    grid = pick_list("generator-draws")
    gr.HTML(figures.told(studio, sent))
    gr.HTML(next_line("defences", _("What helps?")))
    place, seed, chosen = gr.State(sent.start), gr.State(0), gr.State(("place", sent.start))
    keep_fresh(setup, tab, views.fill, [setup.photo], {"seen": seen, "grid": grid}, [place, seed])
    shown = {"said": said, "seen": seen, "grid": grid, "seed": seed, "place": place, "chosen": chosen}
    kept = {"said": said, "own": setup.own, "asked": setup.asked, "staged": setup.staged}
    filled, asking = list(shown.values()), [chosen, setup.photo, setup.network, setup.own, setup.asked, setup.staged]
    stage.select(filling(views.move, shown), setup.photo, filled, trigger_mode="always_last", **QUICK)
    another.click(filling(views.again, shown), seed, filled, **QUICK)
    grid.select(filling(views.pick, shown), None, filled, **QUICK)
    keep.click(filling(views.keep, kept), asking, list(kept.values()), **QUICK)
