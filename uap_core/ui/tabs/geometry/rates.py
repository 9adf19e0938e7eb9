"""The precomputed rates of the universal changes, as charts, and the sentences that say them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uap_core.i18n import _
from uap_core.io.paths import GEOMETRIC
from uap_core.io.results import Table, read_table
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.widgets import status


@lru_cache(maxsize=8)
def table(name: str, kind: type) -> Table:
    """A table that ships."""
    return read_table(GEOMETRIC / name, kind)


def _dated(said: str, found: Table) -> str:
    return status(said + " " + _("Precomputed, {date}.").format(date=found.provenance["time"][:10]))


def anchors_chart() -> str:
    """Held-out victims fooled against the number of anchors."""
    from uap_core.geometric.graphs.measured import AnchorRow
    from uap_core.plots.beyond import size_figure

    found = table("graph-anchors.json", AnchorRow)
    rows: list[Any] = found.rows
    counts = [row.anchors for row in rows]
    lines = [
        (_("universal anchors"), counts, [row.fooled for row in rows]),
        (_("random nodes"), counts, [row.random for row in rows]),
    ]
    title = _("Victims fooled, by the number of anchors they are joined to")
    said = _(
        "{count} anchors, found on {crafted} other nodes, change the answer for {rate:.0%} of {total} victims; as many"
        " random nodes for {random:.0%}."
    ).format(
        count=counts[-1],
        crafted=found.provenance["victims"],
        rate=rows[-1].fooled.value,
        total=rows[-1].fooled.total,
        random=rows[-1].random.value,
    )
    return drawn_once(size_figure, lines, _("anchors"), _("fooling rate"), title) + _dated(said, found)


def clouds_chart() -> str:
    """Held-out clouds fooled against the number of added points, and against the size of a field."""
    from uap_core.geometric.clouds.measured import UniversalRow
    from uap_core.plots.beyond import size_figure

    found = table("cloud-universal.json", UniversalRow)
    drawn = []
    for kind, x_label, title, name, other in (
        (
            "added",
            _("points added to 256"),
            _("The same few points added to every cloud"),
            _("universal points"),
            _("random points"),
        ),
        (
            "field",
            _("longest shift, in radii"),
            _("The same smooth field moving every cloud"),
            _("universal field"),
            _("random fields"),
        ),
    ):
        rows: list[Any] = [row for row in found.rows if row.kind == kind]
        sizes = [row.size for row in rows]
        lines = [(name, sizes, [row.fooled for row in rows]), (other, sizes, [row.random for row in rows])]
        lines.append((_("universal, outliers removed"), sizes, [row.cleaned for row in rows]))
        drawn.append(drawn_once(size_figure, lines, x_label, _("fooling rate"), title))
    eight = next(row for row in found.rows if (row.kind, row.size) == ("added", 8.0))
    moved = next(row for row in found.rows if (row.kind, row.size) == ("field", 0.16))
    said = _(
        "Eight points fool on {points:.0%} of {total} other clouds (random ones {random:.0%}), and removal of outliers"
        " brings that to {cleaned:.0%}; a field of 0.16 fools on {field:.0%} (random fields {fields:.0%}), and there"
        " removal leaves {after:.0%}."
    ).format(
        points=eight.fooled.value,
        total=eight.fooled.total,
        random=eight.random.value,
        cleaned=eight.cleaned.value,
        field=moved.fooled.value,
        fields=moved.random.value,
        after=moved.cleaned.value,
    )
    return _dated(said, found) + "".join(drawn)


def shapes_chart() -> str:
    """New bodies fooled against the size of the change of the spectrum."""
    from uap_core.geometric.shapes.measured import NEW_BODIES, RANDOM, SEEN, UNIVERSAL, ShapeRow
    from uap_core.plots.beyond import size_figure

    found = table("shapes.json", ShapeRow)
    rows: list[Any] = [row for row in found.rows if row.on == NEW_BODIES]
    lines = []
    for change, name in ((UNIVERSAL, _("the universal change")), (RANDOM, _("random changes of that size"))):
        mine = sorted((row for row in rows if row.change == change), key=lambda row: row.scale)
        lines.append((name, [row.scale for row in mine], [row.fooled for row in mine]))
    seen = next(row for row in found.rows if row.on == SEEN)
    new = next(row for row in rows if row.change == UNIVERSAL and row.scale == 1)
    random = next(row for row in rows if row.change == RANDOM and row.scale == 1)
    title = _("New bodies in new poses, deformed only to show the change of the spectrum")
    said = _(
        "The one change fools on {seen:.0%} of the {count} shapes it was found on, and on {new:.0%} of {total} new bodies"
        " that were deformed without asking the network; random changes of that size on {random:.0%}."
    ).format(
        seen=seen.fooled.value,
        count=seen.fooled.total,
        new=new.fooled.value,
        total=new.fooled.total,
        random=random.fooled.value,
    )
    x_label = _("size of the change (1: as found)")
    return _dated(said, found) + drawn_once(size_figure, lines, x_label, _("fooling rate"), title)
