"""What helps, as bars: how often the fixed pattern still fools behind each defence, and, once the attacker adapts, the stronger
of it and one crafted anew.

The switch is the page's own (static/tabs.css): both figures are there, and the bars move between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from uap_core.defences.names import ACCURACY, UNDEFENDED, defence_name
from uap_core.i18n import N_, _
from uap_core.models.robust_variants import ROBUST, UNIVERSAL

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow
    from uap_core.metrics import Rate

PLAIN_NAMES = {
    UNDEFENDED: N_("No defence"),
    "jpeg-75": N_("Save as JPEG, quality 75"),
    "jpeg-50": N_("Save as JPEG, quality 50"),
    "blur-1": N_("Blur"),
    "bits-3": N_("Fewer colours (3 bits)"),
    "crop-0.9": N_("Crop to 90 %"),
    ROBUST: N_("Trained on attacks"),
    UNIVERSAL: N_("Trained on a universal pattern"),
}


def plain_defence(defence: str) -> str:
    """What a defence is called for everybody."""
    return _(PLAIN_NAMES[defence]) if defence in PLAIN_NAMES else defence_name(defence)


def bars(rows: Sequence[DefenceRow], of: str) -> str:
    """The bars; ``of`` names network and pattern, so that live marks find the bars that they belong to."""
    switch = _("The attacker adapts")
    about = _(
        "a new pattern is crafted through each defence, in {cost} looks at a picture; the attacker keeps it where it fools more"
    ).format(cost=max((row.image_gradients for row in rows), default=0))
    before = _("by the fixed pattern alone")
    fixed, adapted = _("fooled by the fixed pattern"), _("fooled by the stronger of the fixed pattern and the new one")
    live_word = _("live")
    fooled_by_random = _("fooled by random noise of the same strength")
    legend = (
        f'<p class="key"><span class="as-fixed"><i class="swatch"></i>{escape(fixed)}</span>'
        f'<span class="as-adapted"><i class="swatch"></i>{escape(adapted)}</span>'
        f'<span class="as-adapted"><i class="swatch ghost"></i>{escape(before)}</span>'
        f'<span><i class="swatch noise"></i>{escape(fooled_by_random)}</span>'
        f'<span class="as-live"><i class="swatch live"></i>{escape(live_word)}</span></p>'
    )
    return (
        f'<div class="helps" data-of="{escape(of)}"><label class="adapts"><input type="checkbox" role="switch">'
        f"<span><b>{escape(switch)}</b> <small>{escape(about)}</small></span></label>{legend}{''.join(map(_bar, rows))}</div>"
    )


def _bar(row: DefenceRow) -> str:
    right = _("right on {share:.0%} when nobody attacks") if row.clean_is == ACCURACY else _("same answer on {share:.0%}")
    shares = f"--fixed: {_percent(row.fixed)}; --adapted: {_percent(row.stronger)}; --noise: {_percent(row.random_signs)}"
    return (
        f'<div class="help" data-defence="{escape(row.defence)}" style="{shares}">'
        f'<span class="name">{escape(plain_defence(row.defence))}<small>{right.format(share=row.clean.value)}</small></span>'
        f'<span class="track"><i class="ghost"></i><i class="bar"></i><i class="noise" title="{_told(row.random_signs)}"></i>'
        f'<i class="live"></i></span><span class="value"><span class="as-fixed" title="{_told(row.fixed)}">'
        f'{row.fixed.value:.0%}</span><span class="as-adapted" title="{_told(row.stronger)}">{row.stronger.value:.0%}'
        f"</span></span></div>"
    )


def live_marks(rows: Sequence[DefenceRow], of: str) -> str:
    """A style sheet that sets live figures as marks over the bars of ``of``, and over no others."""
    scope = f'.helps[data-of="{of}"]'
    shares = "".join(
        f'{scope} [data-defence="{row.defence}"]'
        f"{{--live-fixed: {_percent(row.fixed)}; --live-adapted: {_percent(row.stronger)}}}"
        for row in rows
    )
    return f"<style>{scope} .as-live {{display: inline-flex}} {shares}</style>" if rows else ""


def _percent(rate: Rate) -> str:
    return f"{100 * rate.value:.1f}%"


def _told(rate: Rate) -> str:
    low, high = rate.interval
    said = _("{rate:.1%}, 95 % interval {low:.1%} to {high:.1%}, {count} of {total}")
    return escape(said.format(rate=rate.value, low=low, high=high, count=rate.count, total=rate.total))
