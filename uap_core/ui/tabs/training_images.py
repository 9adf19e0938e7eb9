"""The tab Training images: how many pictures does it take to find a universal pattern?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.io.results import to_csv
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.words import photographs, plain, strength
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.speed import picture_seconds
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.session_patterns import add_own
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.training_curves import (
    QUESTION,
    answer_of,
    csv_of,
    few_chart,
    live_figure,
    main_chart,
    methods_chart,
    shown_of,
)
from uap_core.ui.widgets import (
    QUICK,
    awaited,
    chart,
    download,
    hide,
    npy_bytes,
    offer,
    progress_note,
    show,
    status,
)

NEXT = _("What does an attack made for one picture do?")
EXPLAIN = _(r"""
A pattern is crafted on the first $n$ images of a shuffled set and measured on *other*, held-out images, the same ones
for every $n$; the sets are nested, so a larger one contains the smaller. A step of the curves takes eight images (on
EfficientNet-Lite0 four, and the pattern repeats one tile), shows another part of each, at times mirrored, and descends on
$\tfrac12 |z| \cos(z, z') - \min\big(-\log p_{k(x)}(\mathrm{clip}(x+v)),\ 5 s\big)$: how little the logits $z'$ have turned
away from the clean ones $z$ (of norm $|z|$ and spread $s$), and how likely the clean prediction still is. Then $v$ is
projected, onto $\|v\| \le 2\varepsilon$ at first and ever closer to $\varepsilon$, in the norm of the chosen pattern. No labels
are needed. The dashed line is measured on the very $n$ images that a pattern was made from, the shade is the *generalisation
gap*: large for one image, and gone once there are many. Few images suffice, because networks share a few directions that
matter for most images. Bars span the 95 % Wilson intervals of all seeds. Diamonds are made in your visit with at most 480
image-gradients each, as Craft makes them (from 128 pixels on in steps of four images, repeating one tile), and measured on the
pictures that their name tells; curves were computed on photographs, with up to 2000 each: compare shapes, not heights.
""")
METHODS = _("""
The dotted line of the next chart is what the paper (Moosavi-Dezfooli et al., 2017, its Figure 6) reports of its DeepFool
method on GoogLeNet: other images, and no limit on the effort. The same method as run here stops at about 2000 image-gradients,
at which larger sets have been seen only once or in part. Compare shapes, not heights.
""")
LIVE_BUDGET, LIVE_FACTOR = 480, 4
EASY = 250  # image-gradients that a pattern of a single picture takes
FORWARD = 3  # passes forward that a gradient costs


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    views = Views(studio)
    answer = gr.HTML(lesson(QUESTION, ""), elem_id="curve-answer")
    stored_chart = chart("curve-stored")
    note = gr.HTML(awaited(), elem_id="curve-note")
    state = gr.HTML(elem_id="curve-status")
    run = run_row(studio, setup, tab, "curve", _("Craft on 1, 4, 16, … images ({time})"), views.seconds)
    with gr.Accordion(_("For researchers"), open=False, elem_id="curve-more"):
        gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
        gr.Markdown(METHODS, elem_classes="explain")
        methods = chart("curve-methods")
        few_said = gr.HTML(elem_id="curve-few-said")
        few = chart("curve-few")
        with gr.Row(elem_classes="downloads"):
            stored_csv = download(_("The computed curves (.csv)"), "curve-stored-csv")
            csv = download(_("The live points (.csv)"), "curve-csv")
            npy = download(_("Latest pattern (.npy)"), "curve-npy")
    gr.HTML(next_line("compare", NEXT))
    made = gr.State(())  # the patterns of a run, until it ends
    filled: dict[str, Any] = {"note": note, "chart": stored_chart, "methods": methods, "few-said": few_said, "few": few}
    filled |= {"stored-csv": stored_csv, "csv": csv, "answer": answer}
    keep_fresh(setup, tab, views.stored, [setup.network], filled)
    places = {"said": state} | filled | {"npy": npy, "made": made}
    stopped = _("Stopped. The points so far stay, and their patterns are in the list.")
    running = run.wire(views.craft, setup.inputs, places, stopped, restore=views.cleared)
    kept = {"said": state, "own": setup.own, "pattern": setup.pattern, "made": made}
    running.then(filling(views.keep, kept), [setup.network, setup.pattern, setup.own, made], list(kept.values()), **QUICK)


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    def seconds(self, network: str) -> float:
        """How long a run takes with this network."""
        from uap_core.experiments.sample_curve import nested_sizes

        craft_set, held_out = self.studio.craft_and_held_out(network)
        sizes = nested_sizes(len(craft_set), LIVE_FACTOR)
        gradients = sum(min(LIVE_BUDGET, EASY * size) for size in sizes)
        passes = FORWARD * gradients + len(held_out) * (len(sizes) + 2)
        return passes * picture_seconds(self.studio, network)

    def stored(self, network: str) -> dict[str, Any]:
        """The curves that were computed on photographs, if any were."""
        studio = self.studio
        shown, tables = shown_of(studio, network)
        found = {"csv": hide(), "answer": answer_of(studio, network)} | few_chart(studio, network)
        if not tables:
            return found | {"note": "", "chart": hide(), "methods": hide(), "stored-csv": hide()}
        real = tables["photographs"]
        text = _("Precomputed, {date}: every point is measured on {images}, for patterns of strength 10 of 255.").format(
            date=real.provenance["time"][:10], images=photographs(real.provenance["held_out"])
        )
        return found | {
            "note": status(text),
            "chart": show(main_chart(studio, shown, tables)),
            "methods": show(methods_chart(studio, shown, tables)),
            "stored-csv": show(offer("sample-curve.csv", csv_of(tables).encode())),
        }

    def cleared(self, network: str, _pattern: str) -> dict[str, Any]:
        """The same again, without what a run left."""
        return self.stored(network) | {"said": "", "npy": hide()}

    @of_selection
    def craft(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """Patterns of the chosen one's ball, from more and more pictures."""
        yield from crafting(self.studio, chosen.network, chosen.perturbation(self.studio).ball)

    def keep(self, network: str, key: str, own: dict[str, Pattern], found: tuple[Pattern, ...]) -> dict[str, Any]:
        """Beside what the visitor has by now, which may be more than when the run began."""
        for pattern in found:
            own = add_own(own, pattern, key)
        return {"own": own, "pattern": gr.update(choices=self.studio.patterns(network, own)), "made": ()}


def crafting(studio: Studio, network: str, ball: Any) -> Iterator[dict[str, Any]]:
    """A pattern on 1, 4, 16, ... images, each a point over the computed curve: sentence, chart, points, pattern, patterns."""
    import torch

    from uap_core.crafting.menu import build
    from uap_core.crafting.problem import predicted
    from uap_core.errors import SettingError
    from uap_core.experiments.sample_curve import nested_sizes, sample_curve
    from uap_core.metrics import fooling_rate, predict

    yield {"said": progress_note(_("Opening network and images…"), 0)}
    if not ball.radius:
        raise SettingError(_("A pattern needs a strength above 0: move the slider."))
    classifier = studio.classifier(network)
    craft_set, held_out = studio.craft_and_held_out(network)
    sizes = nested_sizes(len(craft_set), LIVE_FACTOR)
    looking = _("Looking at {count} other images as they are…").format(count=len(held_out))
    yield {"said": progress_note(looking, 0)}
    clean = predict(classifier, held_out.batches())
    signs = ball.random_signs((3, classifier.size, classifier.size), torch.Generator().manual_seed(0))
    baseline = fooling_rate(clean, predicted(classifier, held_out.pixels, signs)).value
    on = _("live, {ball}, on {count} {images} (random noise there: {noise:.0%})").format(
        ball=ball, count=len(held_out), images=studio.live_set_name(network), noise=baseline
    )
    patterns: dict[int, Any] = {}
    found: tuple[Pattern, ...] = ()
    rows, pace = [], Pace()
    method = build("default", LIVE_BUDGET, classifier.shape)
    for row in sample_curve(classifier, method, craft_set, held_out, ball, sizes, 0, patterns, clean):
        place = sizes.index(row.images)
        if not row.done:
            text = ngettext("Crafting on {count} image", "Crafting on {count} images", row.images).format(count=row.images)
            yield {"said": pace.note(int(place + 0.95 * row.share), len(sizes), text)}
            continue
        rows.append(row)
        values = patterns[row.images].numpy()
        found = (*found, _named(studio, network, row.images, values, ball))
        text = ngettext(
            "{count} image: {rate} of the other images fooled",
            "{count} images: {rate} of the other images fooled",
            row.images,
        ).format(count=row.images, rate=row.held_out_rate)
        yield {
            "said": pace.note(place + 1, len(sizes), text),
            "chart": show(live_figure(studio, network, rows, on)),
            "csv": show(offer("live-curve.csv", to_csv(rows).encode())),
            "npy": show(offer("pattern.npy", npy_bytes(values))),
            "made": found,
        }
    text = _("Done. The patterns crafted on {sizes} images are now in the list of patterns: choose one to see what it does.")
    yield {"said": status(text.format(sizes=", ".join(map(str, sizes))))}


def _named(studio: Studio, network: str, images: int, values: Any, ball: Any) -> Pattern:
    name = _("Made here from {count} {images}, {strength}, for {network}").format(
        count=images,
        images=studio.live_set_name(network, images, briefly=True),
        network=plain(studio.card(network).name),
        strength=strength(ball),
    )
    return Pattern(name, values, ball.p, ball.radius, origin="run")
