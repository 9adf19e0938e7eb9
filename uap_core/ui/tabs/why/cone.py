"""A picture of a Lipschitz bound in one dimension: a curve, the cone that it cannot leave, and what that certifies."""

from __future__ import annotations

import math
from html import escape

from uap_core.i18n import _

BOUND, PLACE = 0.88 + 0.3, 1.0  # the largest slope of ``curve``, and the x that is looked at
WIDTH, HEIGHT, LEFT, RIGHT = 440, 210, -2.0, 3.0


def curve(x: float) -> float:
    """A score of one input; the label changes where it falls below 0."""
    return 0.55 * math.sin(1.6 * x) + 0.3 * x


def certified() -> float:
    """How far x may move, by the bound alone, before the score can be 0."""
    return curve(PLACE) / BOUND


def crossing() -> float:
    """How far x must move until the score is 0: bisected between -1 and PLACE, where there is one such place."""
    low, high = -1.0, PLACE
    for _step in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(middle) < 0 else (low, middle)
    return PLACE - high


def picture() -> str:
    """The drawing, with its sentence."""
    steps = [LEFT + (RIGHT - LEFT) * i / 100 for i in range(101)]
    line = "M" + "L".join(f"{_x(x):.1f} {_y(curve(x)):.1f}" for x in steps)
    here, sides = curve(PLACE), (LEFT, RIGHT)
    cone = "".join(
        f'<path class="cone" d="M{_x(PLACE):.1f} {_y(here):.1f}'
        + "".join(f"L{_x(end):.1f} {_y(here + sign * BOUND * abs(end - PLACE)):.1f}" for sign in (1, -1))
        + 'Z"/>'
        for end in sides
    )
    proved = f"M{_x(PLACE - certified()):.1f} {_y(0):.1f}H{_x(PLACE + certified()):.1f}"
    boundary = escape(_("boundary"))
    about = _("A curve inside two cones of slope L that meet at x; the cones reach the boundary sooner than the curve does")
    said = _(
        "In one dimension: wherever x goes, the score stays inside the cone of slopes −L to L. Until the cone meets the"
        " boundary no change can alter the label (thick line, {proved:.2f} each way); the curve itself meets it at"
        " {found:.2f} only."
    ).format(proved=certified(), found=crossing())
    return (
        f'<figure class="lipschitz-cone"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}">{cone}'
        f'<path class="boundary" d="M0 {_y(0):.1f}H{WIDTH}"/><text x="6" y="{_y(0) + 15:.1f}">{boundary}</text>'
        f'<path class="curve" d="{line}"/><path class="proved" d="{proved}"/>'
        f'<circle class="x" cx="{_x(PLACE):.1f}" cy="{_y(here):.1f}" r="5"/>'
        f'<text x="{_x(PLACE) + 9:.1f}" y="{_y(here) - 9:.1f}">x</text>'
        f'<circle class="met" cx="{_x(PLACE - crossing()):.1f}" cy="{_y(0):.1f}" r="5"/></svg>'
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def _x(x: float) -> float:
    return (x - LEFT) / (RIGHT - LEFT) * WIDTH


def _y(score: float) -> float:
    return HEIGHT * (0.62 - score / 2.6)
