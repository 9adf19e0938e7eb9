"""Plain words for what files call by keys and symbols: networks, patterns, sets of photographs, strengths."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from uap_core.i18n import _
from uap_core.models.card import Card
from uap_core.norms import LINF, Ball
from uap_core.perturbations.library import Entry

CRAFT = re.compile(r"(\d+) images of (\S+) \(craft\)")
HELD_OUT = re.compile(r"(?:(\d+) of the )?(\d+) images of (\S+) \(held-out\)")
# Names by which people know these networks; cards and tables also say which copy of the weights it is.
KNOWN_AS = {
    "squeezenet1_1 (Caffe)": "SqueezeNet 1.1",
    "mobilenet_v2 (TF)": "MobileNet V2",
    "MobileNet V1 0.75 (TF)": "MobileNet V1",
    "GoogLeNet (BVLC)": "GoogLeNet",
    "ResNet-64, robust": _("Robust ResNet-64"),
    "ResNet-64, universally trained": _("Universally trained ResNet-64"),
}


def plain(name: str) -> str:
    """A network's name without its copy of the weights."""
    bare = name.removesuffix(" (built in)")
    return KNOWN_AS.get(bare, bare)


def listed_networks(cards: Sequence[Card]) -> list[tuple[str, str]]:
    """(shown name, key) of networks, as lists call them: the copy of the weights is named only where two share a name."""
    counts = Counter(plain(card.name) for card in cards)
    names = [plain(card.name) if counts[plain(card.name)] == 1 else _with_copy(card.name) for card in cards]
    return [(f"{name}, {card.input_size} px", card.key) for name, card in zip(names, cards, strict=True)]


def _with_copy(name: str) -> str:
    """A name as everybody knows it, with the copy of the weights where it says one: "SqueezeNet 1.1 (Caffe)"."""
    copy = name.rpartition(" (")[2] if name.endswith(")") else ""
    return f"{plain(name)} ({copy}" if copy else name


def strength(ball: Ball) -> str:
    """How strong a pattern is, for everybody."""
    levels = f"{ball.radius * 255:.4g}"
    return (_("strength {levels} of 255") if ball.p == LINF else _("length {levels} (l2)")).format(levels=levels)


def photographs(held_out: str) -> str:
    """What a table says that it was measured on, in plain words; as it stands where it says it in another way."""
    found = HELD_OUT.fullmatch(held_out)
    if not found:
        return held_out
    return _("{count} photographs that no pattern was made from ({set})").format(count=found[1] or found[2], set=found[3])


def made_from(crafted_on: str, networks: Mapping[str, str]) -> str:
    """What a table says that patterns were crafted on; a set that is called like one of the ``networks`` is its impressions."""
    found = CRAFT.fullmatch(crafted_on)
    if not found:
        return crafted_on
    if found[2] in networks:
        said = _("{count} class impressions of {network}")
        return said.format(count=found[1], network=plain(networks[found[2]]))
    return _("{count} other photographs ({set})").format(count=found[1], set=found[2])


def pattern_parts(name: str, ball: Ball) -> tuple[str, str]:
    """Of a pattern's name whom it was made for, and what it is: "ResNet-64" and "strength 10 of 255, by DeepFool"."""
    who, symbols, how = name.partition(f", {ball}")
    for exact, known in KNOWN_AS.items():
        who = who.replace(exact, known)
    return plain(who), f"{strength(ball)}{how}" if symbols else ""


def pattern_title(name: str, ball: Ball) -> str:
    """A pattern's name without symbols: "ResNet-64, strength 10 of 255, by DeepFool"."""
    return ", ".join(filter(None, pattern_parts(name, ball)))


def listed(entry: Entry, network: str) -> str:
    """What the list of patterns of ``network`` calls one: its own is called so, others by whom they were made for."""
    what = pattern_parts(entry.name, entry.ball)[1]
    if entry.networks == (network,) and what:
        return _("its own, {what}").format(what=what)
    return pattern_title(entry.name, entry.ball)


def number(count: float) -> str:
    """A whole number with its thousands apart."""
    return f"{count:,.0f}".replace(",", "\u202f")
