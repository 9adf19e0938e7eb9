"""For which networks a pattern was made, and what the page says and offers where that is another one than the chosen one."""

from __future__ import annotations

from html import escape

from uap_core.i18n import _
from uap_core.perturbations.library import library, maker_name
from uap_core.ui.html.words import plain
from uap_core.ui.state import Pattern, Studio

USE_OWN = "own"  # the button of setup.turns that chooses the network's own pattern


def own_pattern(studio: Studio, network: str) -> str:
    """Key of the ready-made pattern that was crafted on this network alone; empty where there is none."""
    first = studio.patterns(network, {})[0][1]
    return first if any(entry.key == first and entry.networks == (network,) for entry in library()) else ""


def made_for(key: str, own: dict[str, Pattern]) -> list[str]:
    """Keys of the networks that a pattern was crafted on; none where that is not known."""
    ready_made = next((entry.provenance for entry in library() if entry.key == key), {})
    mine = own[key[4:]].provenance if key.startswith("own:") and key[4:] in own else {}
    return [network for network in str((ready_made or mine).get("network", "")).split(", ") if network]


def names(studio: Studio, networks: list[str]) -> str:
    """What these networks are called, those without a card by their patterns."""
    cards = studio.zoo.cards()
    return ", ".join(plain(cards[network].name) if network in cards else maker_name(network) for network in networks)


def foreign(studio: Studio, network: str, key: str, own: dict[str, Pattern]) -> str:
    """HTML for the verdict: that a pattern was made for another network, with a button for the own one of this network.

    Empty where it was made for this network, too, or nobody knows for which.
    """
    makers = made_for(key, own)
    if not makers or network in makers:
        return ""
    name = plain(studio.card(network).name)
    said = escape(_("Pattern made for {makers}, tried on {network}.").format(makers=names(studio, makers), network=name))
    if not own_pattern(studio, network):
        return f'<div class="foreign">{said}</div>'
    offer = escape(_("Use {network}’s own").format(network=name))
    press = f"document.querySelector('#turn-{USE_OWN}').click()"
    return f'<div class="foreign">{said} <button type="button" onclick="{press}">{offer}</button></div>'
