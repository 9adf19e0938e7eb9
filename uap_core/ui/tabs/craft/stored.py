"""What was precomputed about crafting: how soon a pattern fools many photographs, in a sentence and as charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uap_core.crafting.menu import LARGE_SIDE
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.library import library
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.makers import own_pattern
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft.order import Order, size_for
from uap_core.ui.titles import network_name, precomputed_on
from uap_core.ui.widgets import hide, show, status

if TYPE_CHECKING:
    from uap_core.metrics import Rate

PUBLISHED = _(
    "No photograph is needed: neither noise, nor the layers' singular vectors, nor class impressions, which the network dreams"
    " up itself, take one. Published without data, at the same strength: PSP-UAP (CVPR 2025) fools 90.0 % on average over"
    " AlexNet, VGG16, VGG19, ResNet152 and GoogLeNet, in 10 000 steps; TRM-UAP (ICCV 2023) 86.4 %. Those are other networks"
    " than these, measured on other photographs: the figures say what is known to be possible, and are no race."
)
OURS = "default"


def answer(studio: Studio, network: str) -> str:
    """How a pattern is found, with what was measured on photographs for this network where that was."""
    name = plain(studio.card(network).name)
    first = size_for(studio.card(network).input_size).budget  # so far the chart goes before anything is made
    soon = [row for row in curve(studio, network, OURS) if row[0] <= first]
    if soon:
        (spent, rate), (most, last) = soon[-1], curve(studio, network, OURS)[-1]
        said = _(
            "A pattern is found by looking at pictures again and again: 100 pictures, each looked at 4 times, are 400 looks."
            " After {spent} of them the precomputed pattern for {network} fooled {rate:.0%} of {count} photographs that it was"
            " not made from, after {most} {last:.0%}."
        )
        return said.format(spent=spent, network=name, rate=rate.value, count=rate.total, most=most, last=last.value)
    key = own_pattern(studio, network)
    made = next((entry.provenance for entry in library() if entry.key == key), {})
    rates = made.get("held_out", {})
    if "fooling_rate" in rates and "image_gradients" in made:
        said = _(
            "A pattern is found by looking at pictures again and again: the built-in one of {network} took {spent} looks and"
            " fools {rate:.0%} of {images} that it was not made from. Make your own with a few hundred."
        )
        count = str(rates.get("set", "")).partition(" ")[0]
        images = _("{count} images").format(count=count) if count.isdecimal() else _("the images")
        return said.format(network=name, spent=made["image_gradients"], rate=rates["fooling_rate"], images=images)
    return _(
        "Look at pictures a few hundred times, each time move the pattern a little away from the right answers, and never let"
        " it become stronger than you said: that is all."
    )


def curve(studio: Studio, network: str, method: str) -> list[tuple[int, Rate]]:
    """(image-gradients, rate on photographs) of a precomputed run of ``method`` on this network; empty where there is none."""
    return [(row.image_gradients, row.held_out_rate) for row in _rows(studio, network) if row.method == method]


def curve_for(studio: Studio, wanted: Order) -> list[tuple[int, Rate]]:
    """The precomputed curve that a run may be compared with: of the same method, towards any label, in l_inf."""
    return [] if wanted.target or wanted.ball.p != "linf" else curve(studio, wanted.network, wanted.method)


def opening_chart(studio: Studio, network: str, budget: int, delta: float) -> Any:
    """The chart before anything was crafted here: the precomputed curve, and the line to stop at."""
    from uap_core.plots.evolution import Evolution, evolution_figure

    stored = curve(studio, network, OURS)
    name = network_name(studio, network)
    if stored:
        title = precomputed_on(studio, network, stored[0][1].total)
    else:
        title = _("{network}: nothing made yet").format(network=name)
    return show(drawn_once(evolution_figure, Evolution(budget, stored=stored, delta=delta), title))


def methods_chart(studio: Studio, network: str) -> Any:
    """How fast each method finds a pattern, precomputed; few networks have such curves, and the title says whose they are."""
    from uap_core.plots.convergence import convergence_figure

    for key in (network, QUICK_MODEL):
        rows = _rows(studio, key)
        if rows:
            title = precomputed_on(studio, key, rows[0].held_out_rate.total)
            return show(drawn_once(convergence_figure, rows, title))
    return hide()


def data_free(studio: Studio, network: str) -> dict[str, Any]:
    """The methods that need no photographs on all networks of this one's size, precomputed, and how that compares."""
    from uap_core.experiments.data_free import DataFreeRow
    from uap_core.plots.data_free import data_free_figure

    family = "imagenet" if studio.card(network).input_size >= LARGE_SIDE else "embedded"
    table = studio.precomputed(f"{family}-data-free", DataFreeRow)
    if table is None:
        return {"data_free_said": "", "data_free": hide()}
    title = _("Made without any photograph: fooled of {images} (precomputed)").format(
        images=photographs(table.provenance["held_out"])
    )
    named = {key: network_name(studio, key) for key in {row.network for row in table.rows}}
    return {"data_free_said": status(PUBLISHED), "data_free": show(drawn_once(data_free_figure, table.rows, named, title))}


def _rows(studio: Studio, network: str) -> list[ConvergenceRow]:
    table = studio.precomputed(f"{network}-convergence", ConvergenceRow)
    return list(table.rows) if table else []
