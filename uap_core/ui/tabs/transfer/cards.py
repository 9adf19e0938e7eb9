"""One photograph with the chosen pattern, as every network here of that size sees it: a row of cards, live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from uap_core.experiments.strengths import as_taken
from uap_core.i18n import _, ngettext
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.card import Card
from uap_core.models.imagenet import imagenet_classes
from uap_core.ui.html.template import rendered
from uap_core.ui.html.words import plain
from uap_core.ui.makers import made_for
from uap_core.ui.selection import Selection
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.tabs.compare.near import near_misses
from uap_core.ui.widgets import picture_link, status

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit

MOST = 12  # cards; each is a network in memory
FOOLED, NEAR, HELD, UNCHANGED = "fooled", "near", "held", "unchanged"


def networks_beside(studio: Studio, network: str, pattern: str, own: dict[str, Pattern]) -> list[str]:
    """Keys of the networks here that take pictures of the chosen one's size: itself, those the pattern was made on, others."""
    side, makers = studio.card(network).input_size, made_for(pattern, own)
    alike = [key for _, key in studio.networks() if studio.card(key).input_size == side]
    return sorted(alike, key=lambda key: (key != network, key not in makers))


def cards(studio: Studio, chosen: Selection) -> Iterator[tuple[str, str]]:
    """A sentence and the row of cards, after each network."""
    chosen.perturbation(studio)  # refuses a strength out of range
    photo, perturbation = chosen.photo, chosen.unscaled(studio)
    asked = networks_beside(studio, chosen.network, chosen.pattern, chosen.own)
    makers = made_for(chosen.pattern, chosen.own)
    shown, kinds = list[str](), list[str]()
    for key in asked[:MOST]:
        view = seen_under(studio.classifier(key), photo, perturbation, chosen.epsilon)
        kinds.append(_kind(studio, key, view))
        shown.append(_card(studio.card(key), view, kinds[-1], right_before(photo, studio.card(key), view), key in makers))
        waiting = len(asked[:MOST]) - len(shown)
        yield status(_told(kinds, waiting, len(asked) - MOST)), f'<div class="others">{"".join(shown)}</div>'


def _kind(studio: Studio, network: str, view: Exhibit) -> str:
    if view.linf == 0:
        return UNCHANGED
    if not view.fooled:
        return HELD
    return NEAR if view.after[0][0] in near_misses(studio, network, view.before[0][0]) else FOOLED


def right_before(photo: str, card: Card, view: Exhibit) -> bool | None:
    """Whether the answer without the pattern is one that a person would accept; None where nobody can say."""
    shows = next((sample.shows for sample in SAMPLE_PHOTOS if f"sample:{sample.key}" == photo), ())
    if isinstance(card.classes, list):
        known = {entry["wnid"]: entry["name"] for entry in card.classes}
    else:
        labels, wnids = imagenet_classes()
        known = dict(zip(wnids, labels, strict=True))
    accepted = {known[wnid] for wnid in shows if wnid in known}
    return view.before[0][0] in accepted if accepted else None


def _told(kinds: list[str], waiting: int, left_out: int) -> str:
    fooled = kinds.count(FOOLED) + kinds.count(NEAR)
    if UNCHANGED in kinds:
        said = _("At this strength nothing changes: move the slider up.")
    else:
        counted = ngettext("{fooled} of {count} network is fooled", "{fooled} of {count} networks are fooled", len(kinds))
        said = _("Live, on this one photograph: {counted}.").format(counted=counted.format(fooled=fooled, count=len(kinds)))
    if waiting:
        said += " " + _("{count} more to come…").format(count=waiting)
    elif left_out > 0:
        said += " " + _("{count} more are here and not shown.").format(count=left_out)
    return said


def _card(card: Card, view: Exhibit, kind: str, right: bool | None, made_on_it: bool) -> str:
    (was, sure), (now, now_sure) = view.before[0], view.after[0]
    word = {FOOLED: _("fooled"), NEAR: _("a near miss: of the same kind"), HELD: _("held"), UNCHANGED: _("no change yet")}[kind]
    before = _("{label} {share:.0%}").format(label=was, share=sure)
    after = _("{label} {share:.0%}").format(label=now, share=now_sure)
    return rendered(
        "card",
        kind=kind,
        network=plain(card.name),
        alt=_("The photograph with the pattern, as {network} gets it").format(network=plain(card.name)),
        picture=picture_link(as_taken(view.perturbed, card)),
        made=_("the pattern was made on it") if made_on_it else "",
        before=before,
        after=after,
        wrong=_("wrong before, too") if right is False else "",
        word=word,
    )
