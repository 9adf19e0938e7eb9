"""What was precomputed of transfer: the matrix of a size, examples made for each image, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from statistics import mean
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.io.results import Table
from uap_core.norms import LINF
from uap_core.ui.html.equal_l2 import equal_l2_table
from uap_core.ui.html.evaluations import evaluations_table
from uap_core.ui.html.rate_table import MADE_ON_IT, rate_table
from uap_core.ui.html.words import photographs
from uap_core.ui.state import Studio
from uap_core.ui.widgets import status

if TYPE_CHECKING:
    from uap_core.experiments.origins import MatrixRow

FAMILIES = {64: "embedded", 224: "imagenet"}  # the tables of a size, by pixels
MADE = _("made on this network")


def tables(studio: Studio, network: str) -> tuple[Table | None, Table | None]:
    """The matrix and the examples of the networks of this one's size, where they were computed."""
    from uap_core.experiments.origins import MatrixRow

    family = FAMILIES.get(studio.card(network).input_size)
    if family is None:
        return None, None
    found = [studio.precomputed(f"{family}-{part}", MatrixRow) for part in ("matrix", "examples")]
    return (found[0] if found[0] and found[0].rows else None), (found[1] if found[1] and found[1].rows else None)


def table_html(table: Table | None, known: Mapping[str, str], missing: str, made: str = MADE_ON_IT, marked: str = "") -> str:
    """A table with its source, the row of the pattern ``marked`` standing out; ``missing`` where there is none."""
    if table is None:
        return status(missing)
    about = _("Precomputed {date} on {images}.").format(
        date=table.provenance["time"][:10], images=photographs(table.provenance["held_out"])
    )
    return rate_table(table.rows, known, about, made, marked)


def matrix_html(table: Table | None, known: Mapping[str, str], missing: str, marked: str) -> str:
    """The chosen pattern's row, each network's own and random noise's; below them, folded, all rows."""
    if table is None:
        return status(missing)
    from uap_core.experiments.origins import NOISES

    own = {f"{row.network}-linf10.safetensors" for row in table.rows}
    noise = {row.origin for row in table.rows if row.perturbation == NOISES[0] and row.p == LINF}
    first = replace(table, rows=[row for row in table.rows if row.perturbation in own | {marked} or row.origin in noise])
    more = _("All {count} patterns and noises measured on these networks").format(count=len({row.origin for row in table.rows}))
    every = table_html(table, known, missing, marked=marked)
    return f"{table_html(first, known, missing, marked=marked)}<details><summary>{escape(more)}</summary>{every}</details>"


def not_measured(studio: Studio, network: str) -> str:
    """What stands in place of the tables of a size that has none."""
    sizes = _(" or ").join(map(str, FAMILIES))
    return _("No table for networks of {side} pixels yet: choose one of {sizes} pixels, or measure below.").format(
        side=studio.card(network).input_size, sizes=sizes
    )


def evaluations(studio: Studio, network: str, known: Mapping[str, str]) -> str:
    """What the network's own patterns do beyond the fooling rate; empty where it was not measured."""
    from uap_core.experiments.evaluation_rows import EvaluationRow

    table = studio.precomputed(f"{network}-evaluations", EvaluationRow)
    if table is None or not table.rows:
        return ""
    about = _("On {network} itself, precomputed {date} on {images}.").format(
        network=known.get(network, network),
        date=table.provenance["time"][:10],
        images=photographs(table.provenance["held_out"]),
    )
    return status(about) + evaluations_table(table.rows, known)


def equal_norms(studio: Studio, network: str) -> str:
    """What patterns do to networks of this one's size that they never met, at equal l2 norm; empty where not measured."""
    from uap_core.experiments.equal_l2 import EqualNormRow, means

    family = FAMILIES.get(studio.card(network).input_size)
    table = studio.precomputed(f"{family}-equal-l2", EqualNormRow) if family else None
    if table is None or not table.rows:
        return ""
    about = _(
        "A larger pattern fools more networks, so here all are scaled to one ℓ2 norm. Means over all patterns of a kind and the"
        " networks that neither they nor their siblings were made on; precomputed {date} on {images}."
    )
    dated = about.format(date=table.provenance["time"][:10], images=photographs(table.provenance["held_out"]))
    return status(dated) + equal_l2_table(means(table.rows), str(table.provenance["l2"]).removeprefix("l2 ").split(" = ")[0])


def answer(table: Table | None, pattern: str, known: Mapping[str, str]) -> str:
    """Who falls to the chosen pattern, in a sentence; of one that is in no table, what such patterns do on average."""
    if table is None:
        return _("Often others, too; for networks of this size it has not been measured: the row shows this one photograph.")
    mine = [row for row in table.rows if row.perturbation == pattern]
    home, away = [row for row in mine if row.crafted_on], [row for row in mine if not row.crafted_on]
    if not home:
        return _on_average(table.rows, known)
    makers = ", ".join(known.get(row.network, row.network) for row in home)
    if not away:
        return _("Made on all of them at once, it fools {rates} of photographs it was not made from.").format(
            rates=_range(home)
        )
    if len(home) == 1:
        said = _(
            "Made on {makers} alone, it fools that one on {home} of photographs it was not made from, and {others} on {away}."
        )
    else:
        said = _("Made on {makers}, it fools those on {home} of photographs it was not made from, and {others} on {away}.")
    others = ", ".join(known.get(row.network, row.network) for row in away)
    return said.format(makers=makers, home=_range(home), others=others, away=_range(away))


def _on_average(rows: Sequence[MatrixRow], known: Mapping[str, str]) -> str:
    from uap_core.experiments.origins import NOISES

    listed = list(dict.fromkeys(row.network for row in rows))
    patterns = {row.perturbation for row in rows if row.perturbation.endswith("-linf10.safetensors") and row.crafted_on}
    singles = {f"{network}-linf10.safetensors" for network in listed} & patterns
    away = [row.fooling_rate.value for row in rows if row.perturbation in singles and not row.crafted_on]
    noise = [row.fooling_rate.value for row in rows if row.perturbation == NOISES[0] and row.p == "linf"]
    if not away or not noise:
        return _("Others fall, too, some more often than others: the table says who.")
    said = _(
        "A pattern made on one of {networks} fools the others on {away:.0%} of photographs on average,"
        " random noise of the same strength on {noise:.0%}."
    )
    named = _(" and ").join(filter(None, [", ".join(known.get(key, key) for key in listed[:-1]), known.get(listed[-1], "")]))
    return said.format(networks=named, away=mean(away), noise=mean(noise))


def _range(rows: Sequence[MatrixRow]) -> str:
    values = sorted(row.fooling_rate.value for row in rows)
    low, high = f"{values[0]:.0%}", f"{values[-1]:.0%}"
    return low if low == high else _("{low} to {high}").format(low=low, high=high)
