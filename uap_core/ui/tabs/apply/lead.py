"""The sentence under the headline: how often the chosen pattern fools the chosen network, beside random noise."""

from __future__ import annotations

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.norms import LINF
from uap_core.perturbations.library import library
from uap_core.ui.panel_notes import told_of
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio


def lead_of(studio: Studio, network: str, pattern: str, own: dict[str, Pattern]) -> str:
    """One sentence from the pattern's own provenance, where that says it of this network; else what is known of it."""
    if pattern == RANDOM_SIGNS:
        return _("Random noise: every value is plus or minus the strength, by the toss of a coin.")
    try:
        chosen = told_of(pattern, network, own, studio)
    except PerturbationError:
        return ""
    stated = _stated(chosen.provenance, network)
    strength = f"{chosen.ball.radius * 255:g}/255" if chosen.ball.p == LINF else str(chosen.ball)
    if "target_rate" in stated:
        target = chosen.provenance.get("target", "")
        said = _("One fixed pattern turns {rate:.0f} of 100 photographs it never saw into {target!r}, at {strength}.")
        return said.format(rate=100 * stated["target_rate"], target=target, strength=strength)
    if "fooling_rate" not in stated:
        ready = any(entry.key == pattern for entry in library())
        return _("One fixed, faint pattern, added to every photograph.") if ready else _("Your own pattern.")
    said = _("One fixed, faint pattern fools this network on {rate:.0f} of 100 photographs it never saw, at {strength}.")
    noise = _(" Random noise of the same strength: {signs:.0f}.")
    beside = noise.format(signs=100 * stated["random_signs"]) if stated.get("random_signs") is not None else ""
    return said.format(rate=100 * stated["fooling_rate"], strength=strength) + beside


def _stated(provenance: dict[str, object], network: str) -> dict[str, float]:
    """The held-out rates that a pattern's provenance states of this network; none when it says nothing of it."""
    stated = provenance.get("held_out", {})
    assert isinstance(stated, dict)
    makers = str(provenance.get("network", "")).split(", ")
    found = stated.get(network, stated if makers == [network] else {})
    return found if isinstance(found, dict) else {}
