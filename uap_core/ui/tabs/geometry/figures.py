"""The precomputed rates of changes made for one node, cloud or shape, as small tables below the charts."""

from __future__ import annotations

from uap_core.i18n import N_, _
from uap_core.ui.html.numbers import facts
from uap_core.ui.tabs.geometry.rates import table

FLIPS = {
    "direct": N_("{graph}, at most five of its own edges"),
    "influencers": N_("{graph}, at most five edges of its neighbours"),
    "words": N_("{graph}, at most five words"),
}
GRAPHS = {"karate club": N_("karate club"), "block model": N_("2 400 nodes")}
CLOUDS = {
    "shifted l2": N_("points moved, l2"),
    "shifted chamfer": N_("points moved, Chamfer"),
    "shifted hausdorff": N_("points moved, Hausdorff"),
    "added chamfer": N_("points added, Chamfer"),
    "added hausdorff": N_("points added, Hausdorff"),
    "clusters chamfer": N_("clusters added, Chamfer"),
    "clusters hausdorff": N_("clusters added, Hausdorff"),
}
SETS = {
    ("seen", "universal"): N_("universal change, shapes it was found on"),
    ("new poses", "universal"): N_("universal change, the same bodies in new poses"),
    ("new bodies", "universal"): N_("universal change, new bodies in new poses"),
    ("new bodies", "random"): N_("random changes of that size, new bodies"),
    ("new bodies", "own"): N_("the smallest change made for each new body"),
}


def targets() -> str:
    """Held-out nodes fooled by at most five flips."""
    from uap_core.geometric.graphs.measured import TargetRow

    rows = [row for row in table("graph-targets.json", TargetRow).rows if row.flips == 5]
    return facts(
        [
            (
                _(FLIPS[row.kind]).format(graph=_(GRAPHS[row.graph])),
                _("{rate:.0%} of {total} fooled").format(rate=row.fooled.value, total=row.fooled.total),
            )
            for row in rows
        ]
    )


def singles() -> str:
    """Clouds fooled by changes made for each, before and after removal of outliers."""
    from uap_core.geometric.clouds.measured import SingleRow

    said = _("{rate:.0%} of {total} fooled, distance {distance:.3f}; outliers removed: {cleaned:.0%}")
    return facts(
        [
            (
                _(CLOUDS[f"{row.kind} {row.measure}"]),
                said.format(rate=row.fooled.value, total=row.fooled.total, distance=row.distance, cleaned=row.cleaned.value),
            )
            for row in table("cloud-single.json", SingleRow).rows
        ]
    )


def distortions() -> str:
    """Shapes fooled, and how much they were distorted for it."""
    from uap_core.geometric.shapes.measured import ShapeRow

    said = _("{rate:.0%} of {total} fooled; moved {far:.1%}, edges {edges:.1%}, areas {areas:.1%}, curvature {curvature:.0%}")
    return facts(
        [
            (
                _(SETS[row.on, row.change]),
                said.format(
                    rate=row.fooled.value,
                    total=row.fooled.total,
                    far=row.displacement,
                    edges=row.edges,
                    areas=row.areas,
                    curvature=row.curvature,
                ),
            )
            for row in table("shapes.json", ShapeRow).rows
            if row.scale == 1
        ]
    )
