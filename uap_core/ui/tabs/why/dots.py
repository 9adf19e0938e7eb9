"""Photographs as dots in the plane of their features, each moving to where the pattern brings it; beside it under noise.

The switch and the movement are the page's own (static/feels.css): both places are there, and the dots move between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.ui.widgets import status

if TYPE_CHECKING:
    from uap_core.experiments.feature_plane import PlaneRow

WIDTH, HEIGHT, EDGE = 480.0, 330.0, 14.0  # units of a drawing, and what is left free around the dots
RADIUS = 4.2
Place = tuple[float, float]


@dataclass(frozen=True)
class _Scale:
    """From the plane to a drawing: the same units across and down, the middle of all dots in its middle."""

    middle: Place
    factor: float

    @classmethod
    def of(cls, places: Sequence[Place]) -> _Scale:
        low, high = ([pick(place[axis] for place in places) for axis in (0, 1)] for pick in (min, max))
        room = (WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE)
        factors = [room[axis] / max(1e-9, high[axis] - low[axis]) for axis in (0, 1)]
        return cls(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2), min(factors))

    def __call__(self, place: Place) -> Place:
        return (
            WIDTH / 2 + (place[0] - self.middle[0]) * self.factor,
            HEIGHT / 2 - (place[1] - self.middle[1]) * self.factor,
        )


def dots(rows: Sequence[PlaneRow], said: str) -> str:
    """Both drawings with their switch; ``said`` is in words what they show."""
    clean = [(row.x, row.y) for row in rows]
    under, noisy = [(row.to_x, row.to_y) for row in rows], [(row.noise_x, row.noise_y) for row in rows]
    scale = _Scale.of([*clean, *under, *noisy])
    hub = max({row.becomes for row in rows}, key=lambda label: sum(row.becomes == label for row in rows))

    def named(row: PlaneRow) -> str:
        return row.label if row.label == row.becomes else f"{row.label} → {row.becomes}"

    left = _drawing(rows, scale, clean, under, named, hub)
    right = _drawing(rows, scale, clean, noisy, lambda row: row.label, "")
    key = _key(hub)
    switch, pattern, noise = _("Add the change"), _("the pattern"), _("random noise, as strong")
    return (
        f'<div class="felt"><label class="adapts"><input type="checkbox" checked><b>{escape(switch)}</b></label>'
        f'<div class="pair" role="img" aria-label="{escape(said)}">'
        f"<figure><figcaption>{escape(pattern)}</figcaption>{left}</figure>"
        f"<figure><figcaption>{escape(noise)}</figcaption>{right}</figure></div>{key}</div>"
    )


def _drawing(
    rows: Sequence[PlaneRow],
    scale: _Scale,
    start: Sequence[Place],
    end: Sequence[Place],
    named: Callable[[PlaneRow], str],
    hub: str,
) -> str:
    drawn = []
    for row, one, other in zip(rows, start, end, strict=True):
        (x, y), (to_x, to_y) = scale(one), scale(other)
        kind = ' class="hub"' if hub and row.becomes == hub else ""
        drawn.append(
            f'<circle{kind} cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" style="--dx:{to_x - x:.1f}px;--dy:{to_y - y:.1f}px">'
            f"<title>{escape(named(row))}</title></circle>"
        )
    rings = _ring(scale, start, "was") + _ring(scale, end, "now")
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" aria-hidden="true">{rings}{"".join(drawn)}</svg>'


def _ring(scale: _Scale, places: Sequence[Place], kind: str) -> str:
    """A circle around the mean of all places, as wide as they are spread."""
    from uap_core.experiments.feature_plane import spread

    middle = scale((sum(place[0] for place in places) / len(places), sum(place[1] for place in places) / len(places)))
    return f'<circle class="ring {kind}" cx="{middle[0]:.1f}" cy="{middle[1]:.1f}" r="{spread(places) * scale.factor:.1f}"/>'


def _key(hub: str) -> str:
    names = (
        ("dot", _("a photograph")),
        ("dot hub", _("one that becomes {label}").format(label=hub)),
        ("ring was", _("how far they spread as they are")),
        ("ring now", _("and with the change")),
    )
    return '<p class="key">' + "".join(f'<span><i class="{kind}"></i>{escape(name)}</span>' for kind, name in names) + "</p>"


def gathered(rows: Sequence[PlaneRow], network: str) -> str:
    """What the drawings show, in a sentence."""
    alike, under, noise = (
        sum(getattr(row, name) for row in rows) / len(rows) for name in ("alike", "alike_after", "alike_noise")
    )
    if under > alike:
        said = _(
            "Inside {network} different photographs become alike: how alike two of them are (the mean cosine of their features,"
            " 1 for the same direction) grows from {before:.2f} to {after:.2f} with the pattern; with random noise it is"
            " {noise:.2f}."
        )
    else:
        said = _(
            "Inside {network} the photographs do not draw together here: how alike two of them are (the mean cosine of their"
            " features, 1 for the same direction) goes from {before:.2f} to {after:.2f} with the pattern; with random noise it"
            " is {noise:.2f}."
        )
    return said.format(network=network, before=alike, after=under, noise=noise)


def plane_note(rows: Sequence[PlaneRow], source: str) -> str:
    """What the axes are, where the photographs come from, and how wide both clouds are."""
    from uap_core.experiments.feature_plane import spread

    clean, under, noise = (
        spread([(getattr(row, x), getattr(row, y)) for row in rows])
        for x, y in (("x", "y"), ("to_x", "to_y"), ("noise_x", "noise_y"))
    )
    said = _(
        "{source} The plane is that in which the clean features of the last layer's input vary most (PCA): it holds {share:.1%}"
        " of their variance. {spreads}"
    )
    share, spreads = rows[0].share, _spreads(under / max(clean, 1e-9), noise / max(clean, 1e-9))
    return status(said.format(source=source, share=share, spreads=spreads))


def _spreads(under: float, noise: float) -> str:
    """How wide the dots lie with the pattern, and with noise, beside how wide they lie as they are."""
    if under < 1:
        said = _("With the pattern the spread of the dots shrinks to {under:.0%}; with noise it is {noise:.0%} of what it was.")
    else:
        said = _("With the pattern the spread of the dots grows to {under:.0%}; with noise it is {noise:.0%} of what it was.")
    return said.format(under=under, noise=noise)
