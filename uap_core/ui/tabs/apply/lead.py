"""The sentence under the headline: how often the chosen pattern fools the chosen network, beside random noise."""

from __future__ import annotations

from typing import Any

from uap_core.errors import PerturbationError
from uap_core.experiments.outcomes import NOISE, PATTERN, bits_of
from uap_core.i18n import _
from uap_core.norms import LINF, Ball
from uap_core.perturbations.library import library
from uap_core.ui.html.words import HELD_OUT, strength
from uap_core.ui.panel_notes import told_of
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.apply.dots import outcome_table


def lead_of(studio: Studio, network: str, pattern: str, own: dict[str, Pattern]) -> str:
    """One sentence from the pattern's own provenance, where that says it of this network; else what is known of it."""
    if pattern == RANDOM_SIGNS:
        return _("Random noise: every value is plus or minus the strength, by the toss of a coin.")
    try:
        chosen = told_of(pattern, network, own, studio)
    except PerturbationError:
        return ""
    stated = _stated(chosen.provenance, network)
    if "target_rate" in stated:
        target = chosen.provenance.get("target", "")
        said = _("One fixed pattern{bound} turns {rate:.0f} of 100 {images} into {target!r}.")
        images = _measured_on(chosen.provenance, studio)
        return said.format(rate=100 * stated["target_rate"], images=images, target=target, bound=_bound(chosen.ball))
    if "fooling_rate" not in stated:
        ready = any(entry.key == pattern for entry in library())
        return _("One fixed pattern, added to every photograph.") if ready else _("Your own pattern.")
    return _fools(stated["fooling_rate"], stated.get("random_signs"), chosen.ball, _measured_on(chosen.provenance, studio))


def leads_of(studio: Studio, network: str, pattern: str) -> list[str]:
    """The same sentence at each step of the slider after 0, by the photographs of the dots; empty where there are none."""
    found = outcome_table(studio, network, pattern)
    if found is None or found[1].target:
        return []
    table, entry = found
    count = int(table.provenance["images"])
    rates: dict[str, list[float]] = {PATTERN: [], NOISE: []}
    for row in table.rows:
        if row.attack in rates:
            rates[row.attack].append(float(bits_of(row, count).mean()))
    epsilons = [row.epsilon for row in table.rows if row.attack == PATTERN]
    return [
        _fools(fooled, signs, Ball(entry.ball.p, epsilon), _photographs())
        for fooled, signs, epsilon in zip(rates[PATTERN], rates[NOISE], epsilons, strict=True)
    ]


def _fools(rate: float, signs: float | None, ball: Ball, images: str) -> str:
    said = _("One fixed pattern{bound} fools this network on {rate:.0f} of 100 {images}.")
    beside = _(" Random noise just as strong: on {signs:.0f}.").format(signs=100 * signs) if signs is not None else ""
    return said.format(rate=100 * rate, images=images, bound=_bound(ball)) + beside


def _bound(ball: Ball) -> str:
    """How much it changes a picture, as a remark within a sentence."""
    if ball.p == LINF:
        return _(", which changes no value by more than {level:g} of 255,").format(level=ball.radius * 255)
    return _(" of {strength}").format(strength=strength(ball))


def _photographs() -> str:
    return _("photographs it was not made from")


def _measured_on(provenance: dict[str, Any], studio: Studio) -> str:
    """What its rates were measured on, in the plural: most live runs have no photographs."""
    named = HELD_OUT.fullmatch(str(provenance.get("held_out", {}).get("set", "")))
    if named and named[3] in studio.zoo.cards():
        return _("class impressions it was not made from (pictures drawn by the network itself; not measured on photographs)")
    return _photographs()


def _stated(provenance: dict[str, object], network: str) -> dict[str, float]:
    """The held-out rates that a pattern's provenance states of this network; none when it says nothing of it."""
    stated = provenance.get("held_out", {})
    assert isinstance(stated, dict)
    makers = str(provenance.get("network", "")).split(", ")
    found = stated.get(network, stated if makers == [network] else {})
    return found if isinstance(found, dict) else {}
