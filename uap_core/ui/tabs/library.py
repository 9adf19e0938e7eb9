"""The tab Library: the ready-made patterns, what each does to which network, and how fast each method finds one."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from uap_core.crafting.menu import called
from uap_core.i18n import _
from uap_core.perturbations.library import Entry, library, read_levels
from uap_core.perturbations.remote import CATALOGUE, fetch, published
from uap_core.ui.html.tables import head, wide
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.selection import Scene, own_level
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name, precomputed_on
from uap_core.ui.widgets import (
    FETCHING,
    QUICK,
    awaited,
    chart,
    download,
    facts,
    guarded,
    hide,
    offer,
    picture_file,
    picture_grid,
    show,
    status,
    told,
)

EXPLAIN = _(r"""
Each picture shows a pattern 10 times stronger, around mid-grey ($\ell_2$ patterns are larger in few places). *By DeepFool* is
the paper's method in batches, the others are ours; *all but* one were crafted on three networks, moving the perturbed
pictures about, and never saw the fourth, which they fool all the same: such patterns are **doubly universal**, across images
and across networks (who fools whom stands under *Transfer*). Every figure was measured on images that crafting never saw,
and is precomputed; last stand the patterns of networks that are not here, and each says where its network can be had. They,
too, can be applied: to the chosen network, or to one that takes pictures of their size. The curves show
runs planned for 2 000 image-gradients, looked at on the way: what a run planned for fewer would have reached is a little
higher than its curve at that place.
""")
GAIN = 10
FETCHED_NOW = "fetched now"


def build(studio: Studio, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; its pictures are made when it is first opened."""
    gallery = picture_grid(None, 5, "library-gallery")
    details = gr.HTML(awaited(), elem_id="library-details")
    with gr.Row():
        use = gr.Button(_("Apply it"), variant="primary", visible=False, scale=0, min_width=220, elem_id="library-use")
        file = download(_("Pattern (.safetensors)"), "library-file")
    said = gr.HTML(elem_id="library-said")
    gr.Markdown(_("#### Published by others"))
    offer_note = gr.HTML(elem_id="catalogue-note")
    with gr.Row(equal_height=True):
        offered = gr.Dropdown(_offers(), show_label=False, container=False, scale=2, elem_id="catalogue")
        get = gr.Button(_("Download it, 0.6 MB"), scale=0, min_width=200, elem_id="catalogue-fetch")
        stop = gr.Button(_("Cancel"), variant="stop", visible=False, scale=0, min_width=120, elem_id="catalogue-stop")
    subjects = _subjects(studio)
    gr.Markdown(_("#### How fast each method finds a pattern"), visible=bool(subjects))
    subject = gr.Dropdown(
        subjects, show_label=False, container=False, interactive=True, visible=bool(subjects), elem_id="library-subject"
    )
    curve_note = gr.HTML()
    fast = chart("library-convergence")
    few = chart("library-samples")
    gr.Markdown(_("#### What each part of ours is worth"))
    parts = gr.HTML(elem_id="library-ablations")
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    chosen, shown_keys = gr.State(""), gr.State([])

    def fill(looked_at: str) -> tuple[Any, ...]:
        entries = in_order(studio)
        pictures = [(picture_file(_picture(entry)), entry.name) for entry in entries]
        invitation = gr.skip() if looked_at else status(_("Click on a pattern to see where it comes from."))
        return pictures, [entry.key for entry in entries], invitation

    def choose(keys: list[str], event: gr.SelectData) -> tuple[Any, ...]:
        entry = next(entry for entry in library() if entry.key == keys[event.index])
        return entry.key, _details(entry), gr.update(visible=True), show(offer(entry.key, entry.path.read_bytes())), ""

    def apply(key: str, network: str, photo: str, asked: tuple[str, int], staged: tuple[Any, int]) -> tuple[Any, ...]:
        """Onto the chosen network if the pattern fits it, else onto one that is here, with the same photograph."""
        entry = next(entry for entry in library() if entry.key == key)
        taker = taker_of(studio, entry, network)
        if taker == network:
            return "", (key, asked[1] + 1), gr.skip(), gr.update(selected="apply")
        if not taker:
            sentence = _("No network of {side} x {side} pixels is here. Fetch one under Networks, or install the requirements.")
            return status(sentence.format(side=entry.side)), *(gr.skip(),) * 3
        scene = Scene(photo, taker, key, own_level(entry.ball))
        return "", gr.skip(), (scene, staged[1] + 1), gr.update(selected="apply")

    def curves(key: str) -> tuple[Any, Any, Any]:
        return "", _convergence(studio, key), _samples(studio, key)

    def about_offer(key: str | None) -> tuple[Any, ...]:
        left = _offers()
        key = key if key in {left_key for _, left_key in left} else left[0][1] if left else None
        if key is None:
            note = status(_("All of the catalogue is here."))
        else:
            entry = published(key)
            note = status(
                _("{source}, {licence}. For networks of 224 pixels, such as {network}.").format(
                    source=entry.source, licence=entry.licence, network=entry.network
                )
            )
        listed = gr.update(choices=left, value=key, visible=bool(left))
        return note, listed, gr.update(visible=bool(left)), gr.update(visible=False), [key, *left]

    def look_at_offer(key: str | None, told_now: Any) -> tuple[Any, ...]:
        """When the tab is opened, or the list chosen from or only passed: what is told already, or fetched just now, stays."""
        now = about_offer(key)
        return (gr.skip(),) * 5 if told_now in (FETCHED_NOW, now[-1]) else now

    def get_it(key: str | None) -> Iterator[tuple[Any, ...]]:
        if key is None:  # another visitor was quicker
            yield about_offer(None)
            return
        yield status(_("Asking for it…")), gr.skip(), gr.update(visible=False), gr.update(visible=True), FETCHED_NOW
        for sentence in told(published(key).name, fetch(published(key))):
            yield sentence, *(gr.skip(),) * 4
        yield about_offer(None)

    offer_told = gr.State(None)  # the choice, and what there was to choose from, or FETCHED_NOW
    catalogue = [offer_note, offered, get, stop, offer_told]
    tab.select(guarded(5, 0)(look_at_offer), [offered, offer_told], catalogue, **QUICK)
    offered.input(guarded(5, 0)(look_at_offer), [offered, offer_told], catalogue, **QUICK)
    fetching = get.click(guarded(5, 0)(get_it), offered, catalogue, **FETCHING)
    fetching.then(lambda key: about_offer(key)[1:], offered, catalogue[1:], **QUICK)  # whatever it said stays
    fetching.success(guarded(3, 2)(fill), chosen, [gallery, shown_keys, details], **QUICK)
    stop.click(None, None, None, cancels=[fetching]).then(guarded(5, 0)(about_offer), offered, catalogue, **QUICK)
    tab.select(guarded(3, 2)(fill), chosen, [gallery, shown_keys, details], **QUICK)
    tab.select(guarded(1, 0)(lambda: _ablations(studio)), None, parts, **QUICK)
    tab.select(guarded(3, 0)(curves), subject, [curve_note, fast, few], **QUICK)
    subject.input(guarded(3, 0)(curves), subject, [curve_note, fast, few], **QUICK)
    gallery.select(guarded(5, 4)(choose), shown_keys, [chosen, details, use, file, said], **QUICK)
    using = use.click(
        guarded(4, 0)(apply),
        [chosen, setup.network, setup.photo, setup.asked, setup.staged],
        [said, setup.asked, setup.staged, tabs],
        **QUICK,
    )
    using.then(None, None, None, js="() => document.querySelector('#verdict')?.scrollIntoView({block: 'center'})")


def _offers() -> list[tuple[str, str]]:
    """(name, key) of what can be fetched and is not here yet."""
    return [(entry.name, entry.key) for entry in CATALOGUE if not entry.path.is_file()]


def in_order(studio: Studio) -> list[Entry]:
    """The library: patterns of networks that are here, then those of networks that cannot be had here."""
    here = {key for _, key in studio.networks()}
    return sorted(library(), key=lambda entry: here.isdisjoint(entry.networks))


def taker_of(studio: Studio, entry: Entry, network: str) -> str:
    """The network that a pattern is applied to: the chosen one if it takes such pictures, else the pattern's own, else another
    that does; empty where none is here."""
    fitting = [key for _, key in studio.networks() if studio.card(key).input_size == entry.side]
    wanted = (key for key in (network, *entry.networks) if key in fitting)
    return next(wanted, fitting[0] if fitting else "")


def _picture(entry: Entry) -> Any:
    from uap_core.experiments.apply import amplified

    return amplified(read_levels(entry.path) / 255, GAIN)


def _details(entry: Entry) -> str:
    origin = entry.provenance
    seconds, made = origin.get("seconds"), str(origin.get("time", ""))[:10]
    rows = [
        (_("pattern"), _("{name}, {side} x {side} pixels").format(name=entry.name, side=entry.side)),
        (_("held-out"), entry.verdict),
        (
            _("crafted on"),
            _("{images}, seed {seed}").format(images=origin["craft_set"], seed=origin.get("seed"))
            if "craft_set" in origin
            else "",
        ),
        (_("method"), _method(origin)),
        (
            _("cost"),
            _("{cost} image-gradients, {seconds:.0f} s").format(cost=origin.get("image_gradients"), seconds=seconds)
            if seconds
            else "",
        ),
        (_("network"), ": ".join(filter(None, [origin.get("network"), origin.get("weights_from")]))),
        (_("made"), f"{made}, torch {origin.get('torch', '')}" if made else ""),
        (_("source"), ", ".join(filter(None, [origin.get("source"), origin.get("licence")]))),
    ]
    return wide(_("About this pattern"), facts([(name, value) for name, value in rows if value]))


def _method(origin: dict[str, Any]) -> str:
    """Its name, and the settings that are not its usual ones."""
    changed = ", ".join(f"{name}={value}" for name, value in origin.get("settings", {}).items())
    return f"{called(origin)} ({changed})" if changed else called(origin)


def _ablations(studio: Studio) -> str:
    """Variants in rows, networks in columns: mean rates over the seeds."""
    from uap_core.experiments.ablations import CRAFTED_ON, AblationRow, mean_rates, variant_name
    from uap_core.experiments.networks import IMAGENET
    from uap_core.models.zoo import QUICK_MODEL

    found = {key: studio.precomputed(f"{key}-ablations", AblationRow) for key in (QUICK_MODEL, *IMAGENET)}
    tables = {network_name(studio, key): table for key, table in found.items() if table and table.rows}
    if not tables:
        return status(_("Not computed yet."))
    means = {network: mean_rates(table.rows) for network, table in tables.items()}
    body = "".join(
        f"<tr><th scope='row'>{escape(variant_name(variant))}</th>"
        f"{''.join(_share(rates.get(variant)) for rates in means.values())}</tr>"
        for variant in dict.fromkeys(variant for rates in means.values() for variant in rates)
    )
    provenance = next(iter(tables.values())).provenance
    note = _(
        "Fooling rate of patterns crafted at {cost} image-gradients on"
        " {count} images, measured on others of the craft set; means of {seeds} seeds, precomputed"
        " {date}. Each line is ours with one part changed, the last ones the paper's method."
    ).format(
        cost=next(iter(tables.values())).rows[0].image_gradients,
        count=CRAFTED_ON,
        seeds=provenance["seeds"],
        date=provenance["time"][:10],
    )
    columns = head((_("variant"), *means))
    table = f'<table class="matrix">{columns}{body}</table>'
    return status(note) + wide(_("What each part is worth"), table)


def _share(rate: float | None) -> str:
    return "<td></td>" if rate is None else f'<td style="--rate: {100 * rate:.0f}%">{rate:.1%}</td>'


def _subjects(studio: Studio) -> list[tuple[str, str]]:
    """(name, key) of the networks that have precomputed curves, told from the library's patterns."""
    from uap_core.io.paths import RESULTS

    single = dict.fromkeys(entry.networks[0] for entry in library() if len(entry.networks) == 1)
    return [(network_name(studio, key), key) for key in single if (RESULTS / f"{key}-convergence.json").is_file()]


def _convergence(studio: Studio, key: str) -> Any:
    from uap_core.experiments.convergence import ConvergenceRow
    from uap_core.plots.convergence import convergence_figure

    table = studio.precomputed(f"{key}-convergence", ConvergenceRow) if key else None
    if not table or not table.rows:
        return hide()
    title = precomputed_on(studio, key, table.rows[0].held_out_rate.total)
    return show(drawn_once(convergence_figure, table.rows, title))


def _samples(studio: Studio, key: str) -> Any:
    from uap_core.experiments.sample_curve import SampleRow
    from uap_core.plots.axes import BLUE, GREEN
    from uap_core.plots.samples import Curve, sample_figure

    curves = []
    title = ""
    for name, *words in (("real", _("ours"), BLUE, "o"), ("deepfool", _("by DeepFool, at no more cost"), GREEN, "^")):
        table = studio.precomputed(f"{key}-curve-{name}", SampleRow) if key else None
        if table and table.rows:
            curves.append(Curve(table.rows, *words))
            title = precomputed_on(studio, key, table.rows[0].held_out_rate.total)
    return show(drawn_once(sample_figure, curves, title)) if curves else hide()
