"""What the panel of choices says below each choice: of the photograph, the network and the pattern. Told without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.weights import HERE, state
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.library import Entry, library, verdict
from uap_core.ui.html.words import plain
from uap_core.ui.makers import names
from uap_core.ui.selection import class_ids
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.widgets import status

if TYPE_CHECKING:
    from uap_core.perturbations.perturbation import Perturbation


def about_photo(photo: str, studio: Studio, network: str) -> str:
    """What the photograph is, and whether the network can know it."""
    kind, name = photo.partition(":")[::2]
    if kind == "dream":
        dreamer = studio.zoo.cards()[QUICK_MODEL].name
        said = _(
            "A class impression of {network}: optimised from noise until it saw one of its classes. It is data-free: no"
            " photograph was used."
        )
        return status(said.format(network=dreamer))
    if kind == "upload":
        return status(_("Your picture. It stays on the machine that runs this page."))
    sample = next(sample for sample in SAMPLE_PHOTOS if sample.key == name)
    said, known = f"{sample.credit}.", class_ids(studio.card(network))
    if known is not None and not known.intersection(sample.shows):
        nearest = _("Not among this network's {count} classes: it will name the nearest it knows.")
        return status(f"{said} {nearest.format(count=len(known))}")
    if network in sample.withstands:
        holds = _("This one holds: {network}’s own pattern does not change what it says of it.")
        return status(f"{said} {holds.format(network=plain(studio.card(network).name))}")
    return status(said)


def about_network(studio: Studio, network: str) -> str:
    """How good the network is, and what there is to know of it."""
    card = studio.card(network)
    top1 = card.measured.get("top1")
    measured = _("{top1:.1%} right on {images}.").format(top1=top1, images=card.measured.get("set", "")) if top1 else ""
    others = sum(state(other) != HERE for other in studio.zoo.cards().values())
    more = _("{count} more to fetch under Networks.").format(count=others) if others else ""
    return status(" ".join(filter(None, (measured, card.note, more))))


def told_of(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> Entry | Perturbation:
    """What tells a pattern's ball and provenance: of a ready-made one without torch, so when the page is opened."""
    ready_made = (entry for entry in library() if entry.key == key)
    return next(ready_made, None) or studio.perturbation(key, network, own)


def about_pattern(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> str:
    """``story_of`` as a note; empty when nothing is known."""
    said = story_of(key, network, own, studio)
    return status(said) if said else ""


def story_of(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> str:
    """Where a pattern comes from and what it does, in words; empty when that is not known."""
    if key == RANDOM_SIGNS:
        return _("Not crafted: every value is plus or minus the strength by the toss of a coin.")
    provenance = told_of(key, network, own, studio).provenance
    found = verdict(provenance)
    if not found:
        return ""
    maker, images = provenance.get("network"), provenance.get("craft_set", _("images"))
    signs = provenance["held_out"].get("random_signs")
    beside = _("; random noise of its strength {rate:.1%}").format(rate=signs) if signs is not None else ""
    if maker == network:
        crafted = _("Crafted on {images}.").format(images=images)
        return f"{crafted} {found[0].upper()}{found[1:]}{beside}."
    elsewhere = _("Crafted on {images} for {network}, where it {fools}.")
    makers = names(studio, str(maker).split(", "))
    return elsewhere.format(images=images, network=makers, fools=found + beside)
