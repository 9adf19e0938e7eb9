"""Where the labels go, as a picture in the page's own type: names, and arrows to the label that swallows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _

if TYPE_CHECKING:
    from uap_core.experiments.label_graph import Edge, Move

LINE, MARGIN = 34, 12  # units of a drawing between two names, and around them
MOST_LETTERS = 24
NEARLY_ALL = 0.5  # the share of all photographs from which one label is the story
SEVERAL, FEW, MANY = 3, 6, 16  # labels drawn where no one rules, names beside each, names beside one


@dataclass(frozen=True)
class Side:
    """Names on one side of the label that swallows them: they end at ``names``, arrows go to the box at ``box``."""

    names: float
    box: float


@dataclass(frozen=True)
class Layout:
    """A drawing ``width`` units wide, the box of the label from ``left`` to ``right``, names on its ``sides``."""

    css: str
    width: float
    left: float
    right: float
    sides: tuple[Side, ...]


WIDE = Layout("wide-star", 900, 325, 575, (Side(240, 325), Side(660, 575)))
NARROW = Layout("narrow-star", 400, 240, 394, (Side(176, 240),))


def flow(moves: Sequence[Move], said: str) -> str:
    """The picture of ``moves``: one label amid the names it swallows, or several where no one rules. ``said`` is in words what
    it shows."""
    from uap_core.experiments.label_graph import edges, hubs, perturbed_counts, share_of_top

    counts, found = perturbed_counts(moves), list(hubs(edges(moves)).items())
    if not found:
        return ""
    if share_of_top(moves, 1).value >= NEARLY_ALL:
        hub, into = found[0]
        share = counts[hub] / counts.total()
        stars = _star(WIDE, hub, into, MANY, share) + _star(NARROW, hub, into, FEW + 2, share)
        kind = "one"
    else:
        found.sort(key=lambda pair: -counts[pair[0]])
        stars = "".join(_star(NARROW, hub, into, FEW, counts[hub] / counts.total()) for hub, into in found[:SEVERAL])
        kind = "several"
    return f'<div class="flow {kind}" role="img" aria-label="{escape(said)}">{stars}</div>'


def _star(layout: Layout, hub: str, into: Sequence[Edge], most: int, share_of_all: float) -> str:
    kept = into[:most] if len(into) <= most else into[: most - 1]
    names = [(edge.label, edge.rate.value) for edge in kept]
    if len(kept) < len(into):
        names.append((_("{count} more labels").format(count=len(into) - len(kept)), 0.3))
    sides = len(layout.sides)
    lines = -(-len(names) // sides)
    height = max(lines * LINE, 100) + 2 * MARGIN
    drawn = "".join(
        _arrow(layout, side, name, share, height / 2 + (place - (len(names[number::sides]) - 1) / 2) * LINE, height / 2)
        for number, side in enumerate(layout.sides)
        for place, (name, share) in enumerate(names[number::sides])
    )
    below = _("{share:.0%} of all").format(share=share_of_all)
    return (
        f'<svg class="{layout.css}" viewBox="0 0 {layout.width:g} {height:g}" aria-hidden="true">'
        f"{drawn}{_box(layout, hub, below, height / 2)}</svg>"
    )


def _arrow(layout: Layout, side: Side, name: str, share: float, y: float, middle: float) -> str:
    """A name, and its arrow: the thicker the larger the ``share`` of its photographs that takes it."""
    left = side.box < (layout.left + layout.right) / 2
    out = 1 if left else -1
    start, end = side.names + 8 * out, side.box - 10 * out
    at = middle + (y - middle) * 0.3  # arrows draw together at the box
    bend = (start + end) / 2
    short = name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
    tip = f"M{end - 2 * out:g} {at - 6:.1f}l{11 * out} 6l{-11 * out} 6z"
    return (
        f'<text x="{side.names:g}" y="{y:.1f}" class="{"left" if left else "right"}">{escape(short)}</text>'
        f'<path class="shaft" d="M{start:g} {y:.1f}C{bend:g} {y:.1f} {bend:g} {at:.1f} {end:g} {at:.1f}"'
        f' stroke-width="{0.8 + 2.6 * share:.1f}"/><path class="tip" d="{tip}"/>'
    )


def _box(layout: Layout, hub: str, below: str, middle: float) -> str:
    x, width = (layout.left + layout.right) / 2, layout.right - layout.left
    size = min(34.0, 1.7 * width / max(6, len(hub)))
    return (
        f'<rect x="{layout.left:g}" y="{middle - 48:.1f}" width="{width:g}" height="96" rx="10"/>'
        f'<text class="hub" x="{x:g}" y="{middle - 10:.1f}" style="font-size:{size:.1f}px">{escape(hub)}</text>'
        f'<text class="share" x="{x:g}" y="{middle + 26:.1f}">{escape(below)}</text>'
    )
