"""The computed curves of the tab Training images: what they say in a sentence, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uap_core.i18n import _, ngettext
from uap_core.io.results import Table, mean_rate, to_csv
from uap_core.models.zoo import PAGE_MODEL, QUICK_MODEL
from uap_core.ui.html.lesson import lesson
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name, precomputed_on
from uap_core.ui.widgets import hide, show, status

if TYPE_CHECKING:
    from uap_core.plots.samples import Curve

QUESTION = _("How many pictures does it take?")
ABOUT = _(
    "From very few pictures: the method “few pictures” (in Craft, under More) joins what they show with drawn noise under which"
    " all layers are to be loud. Every point costs 2000 image-gradients; points alone are the method without one of its parts."
)
FOUND = _(
    "From a single picture it fools {few:.1%} of {network}’s photographs, this project’s own method, in batches no larger"
    " than the set, {ours:.1%}."
)
NEARLY = 0.02  # of the rate that the most pictures reach


def tables_of(studio: Studio, network: str) -> dict[str, Table]:
    """The precomputed curves of a network by what they were crafted on; none without that on photographs."""
    from uap_core.experiments.sample_curve import SampleRow

    names = {"photographs": "real", "dreams": "dreams", "photographs by DeepFool": "deepfool"}
    found = {words: studio.precomputed(f"{network}-curve-{name}", SampleRow) for words, name in names.items()}
    return {words: table for words, table in found.items() if table is not None} if found["photographs"] else {}


def shown_of(studio: Studio, network: str) -> tuple[str, dict[str, Table]]:
    """The network whose curves are shown, and these: the chosen one's, or else the quick network's, if they are there."""
    own = tables_of(studio, network)
    return (network, own) if own else (QUICK_MODEL, tables_of(studio, QUICK_MODEL))


def answer_of(studio: Studio, network: str) -> str:
    """The question and its answer for a network, from the curve that is shown."""
    shown, tables = shown_of(studio, network)
    name = network_name(studio, network)
    if not tables:
        return lesson(QUESTION, _("For {network} this is not computed yet.").format(network=name))
    rows = tables["photographs"].rows
    sizes = sorted({row.images for row in rows})
    rates = {size: mean_rate([row.held_out_rate for row in rows if row.images == size]) for size in sizes}
    few = next(size for size in sizes if rates[size] >= rates[sizes[-1]] - NEARLY)
    said = _(
        "A pattern made from {few} photographs fools {network} on {few_rate:.1%} of {count} that it was not made from; a single"
        " one is enough for {one_rate:.1%}, and {most} bring it to {most_rate:.1%}. Each was made in at most {looks} looks"
        " at a picture: more looks fool a few more."
    ).format(
        looks=max(row.image_gradients for row in rows),
        few=few,
        network=network_name(studio, shown),
        few_rate=rates[few],
        count=rows[0].held_out_rate.total,
        one_rate=rates[sizes[0]],
        most=sizes[-1],
        most_rate=rates[sizes[-1]],
    )
    one = few_rates(studio, shown).get(sizes[0], 0.0)
    if one > rates[sizes[0]]:
        said += " " + _("The method for few pictures gets {rate:.1%} out of one photograph.").format(rate=one)
    if shown != network:
        said = _("For {network} this is not computed yet, so another network is shown: {said}").format(
            network=name, said=said[0].lower() + said[1:]
        )
    return lesson(QUESTION, said)


def few_rows(studio: Studio, network: str) -> list[Any]:
    """What the method for few pictures reaches on a network, as rows of a curve; none where that is not computed."""
    from uap_core.experiments.few_pictures import FEW, FewRow
    from uap_core.experiments.sample_curve import SampleRow

    table = studio.precomputed(f"{network}-few-pictures", FewRow)
    rows = [row for row in table.rows if row.method == FEW] if table else []
    return [SampleRow(row.images, row.seed, None, row.fooling_rate, row.image_gradients, row.seconds) for row in rows]


def few_rates(studio: Studio, network: str) -> dict[int, float]:
    """Their means over the seeds, by the number of pictures."""
    rows = few_rows(studio, network)
    return {size: mean_rate([row.held_out_rate for row in rows if row.images == size]) for size in {row.images for row in rows}}


def _curves(tables: dict[str, Table], names: tuple[str, ...]) -> list[Curve]:
    from uap_core.plots.axes import GREEN, PATTERN, SKY
    from uap_core.plots.samples import Curve

    styles = {
        "photographs": (_("made from photographs {seeds}"), PATTERN, "o"),
        "dreams": (_("made from class impressions {seeds}"), SKY, "s"),
        "photographs by DeepFool": (_("on photographs, by DeepFool {seeds}"), GREEN, "^"),
    }
    found = []
    for name in names:
        if name in tables:
            label, colour, marker = styles[name]
            found.append(Curve(tables[name].rows, label.format(seeds=_seeds(tables[name])), colour, marker))
    return found


def _few_curve(studio: Studio, network: str) -> list[Curve]:
    from uap_core.plots.few_pictures import FEW_COLOUR, FEW_MARKER
    from uap_core.plots.samples import Curve

    rows = few_rows(studio, network)
    return [Curve(rows, _("made by the method for few pictures"), FEW_COLOUR, FEW_MARKER)] if rows else []


def _main(studio: Studio, network: str, tables: dict[str, Table]) -> tuple[list[Curve], str, bool, float | None]:
    """Curves, title, whether the paper's is drawn, and random signs: the chart in view."""
    total = tables["photographs"].rows[0].held_out_rate.total
    curves = _curves(tables, ("photographs", "dreams")) + _few_curve(studio, network)
    return curves, precomputed_on(studio, network, total), False, _stored_baseline(studio, network)


def main_chart(studio: Studio, network: str, tables: dict[str, Table]) -> Any:
    """The curves of ours, beside random signs."""
    from uap_core.plots.samples import sample_figure

    return drawn_once(sample_figure, *_main(studio, network, tables), gap=True)


def methods_chart(studio: Studio, network: str, tables: dict[str, Table]) -> Any:
    """Ours on photographs beside the paper's method, here and there."""
    from uap_core.plots.samples import sample_figure

    curves, title, *_rest = _main(studio, network, tables)
    return drawn_once(sample_figure, [*curves[:1], *_curves(tables, ("photographs by DeepFool",))], title)


def few_chart(studio: Studio, network: str) -> dict[str, Any]:
    """The method for few pictures beside ours at the same cost: for this network, or else for one that has such a table.

    A sentence and a chart, both empty where there is none.
    """
    from uap_core.experiments.few_pictures import FEW, OURS, SIZES, FewRow, by_size
    from uap_core.plots.few_pictures import few_pictures_figure

    for key in (network, PAGE_MODEL):
        table = studio.precomputed(f"{key}-few-pictures", FewRow)
        if table is not None:
            title = precomputed_on(studio, key, table.rows[0].fooling_rate.total)
            few, ours = (mean_rate(by_size(table.rows)[method][SIZES[0]]) for method in (FEW, OURS))
            said = ABOUT + " " + FOUND.format(few=few, ours=ours, network=network_name(studio, key))
            return {"few-said": status(said), "few": show(drawn_once(few_pictures_figure, table.rows, title))}
    return {"few-said": "", "few": hide()}


def live_figure(studio: Studio, network: str, rows: list[Any], on: str) -> Any:
    """The live points over what was computed before, if anything was."""
    from uap_core.plots.points import LIVE_COLOUR
    from uap_core.plots.samples import Curve, sample_figure

    tables, live = tables_of(studio, network), Curve(rows, on, LIVE_COLOUR)
    if tables:
        return sample_figure(*_main(studio, network, tables), live, gap=True)
    return sample_figure([], network_name(studio, network), paper=False, live=live)


def _seeds(table: Table) -> str:
    count = len({row.seed for row in table.rows})
    return ngettext("({count} seed)", "({count} seeds)", count).format(count=count).replace(" ", "\u00a0")  # on one line


def _stored_baseline(studio: Studio, network: str) -> float | None:
    """The fooling rate of random signs at 10/255, from the precomputed sweep on the same images."""
    from uap_core.experiments.epsilon_sweep import RANDOM, SweepRow

    table = studio.precomputed(f"{network}-sweep", SweepRow)
    rows = table.rows if table else []
    return next((row.fooling_rate.value for row in rows if row.attack == RANDOM and round(row.epsilon * 255) == 10), None)


def csv_of(tables: dict[str, Table]) -> str:
    """The rows of several curves under one header, each line beginning with what it was crafted on."""
    lines: list[str] = []
    for name, table in tables.items():
        header, *rows = to_csv(table.rows).splitlines()
        lines += [f"crafted_on,{header}"] * (not lines) + [f"{name},{row}" for row in rows]
    return "\n".join(lines) + "\n"
