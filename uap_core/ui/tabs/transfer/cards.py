"""One photograph with the chosen pattern, as every network here of that size sees it: a row of cards, live."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _, ngettext
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.card import Card
from uap_core.models.imagenet import imagenet_classes
from uap_core.ui.html.words import plain
from uap_core.ui.makers import made_for
from uap_core.ui.sidebar import chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import picture_link, status

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit

MOST = 12  # cards; each is a network in memory
FOOLED, HELD, UNCHANGED = "fooled", "held", "unchanged"


def networks_beside(studio: Studio, network: str, pattern: str, own: dict[str, Pattern]) -> list[str]:
    """Keys of the networks here that take pictures of the chosen one's size: itself, those the pattern was made on, others."""
    side, makers = studio.card(network).input_size, made_for(pattern, own)
    alike = [key for _, key in studio.networks() if studio.card(key).input_size == side]
    return sorted(alike, key=lambda key: (key != network, key not in makers))


def cards(
    studio: Studio, photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float
) -> Iterator[tuple[str, str]]:
    """A sentence and the row of cards, after each network."""
    from uap_core.experiments.apply import exhibit

    perturbation = chosen(studio, network, pattern, own, epsilon)
    asked, makers = networks_beside(studio, network, pattern, own), made_for(pattern, own)
    shown, kinds = list[str](), list[str]()
    for key in asked[:MOST]:
        view = exhibit(studio.classifier(key), studio.image(photo, key), perturbation)
        kinds.append(UNCHANGED if view.linf == 0 else FOOLED if view.fooled else HELD)
        shown.append(_card(studio.card(key), view, kinds[-1], right_before(photo, studio.card(key), view), key in makers))
        waiting = len(asked[:MOST]) - len(shown)
        yield status(_told(kinds, waiting, len(asked) - MOST)), f'<div class="others">{"".join(shown)}</div>'


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
    fooled = kinds.count(FOOLED)
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
    word = {FOOLED: _("fooled"), HELD: _("held"), UNCHANGED: _("no change yet")}[kind]
    before = _("{label} {share:.0%}").format(label=was, share=sure)
    after = _("{label} {share:.0%}").format(label=now, share=now_sure)
    wrong_before_too = _("wrong before, too")
    wrong = f"<small>{escape(wrong_before_too)}</small>" if right is False else ""
    the_pattern_was = _("the pattern was made on it")
    made = f"<small>{escape(the_pattern_was)}</small>" if made_on_it else ""
    alt = escape(_("The photograph with the pattern, as {network} gets it").format(network=plain(card.name)))
    return (
        f'<figure class="other {kind}"><img class="pixels" alt="{alt}" src="{picture_link(view.perturbed)}">'
        f"<figcaption><b>{escape(plain(card.name))}</b>{made}"
        f'<span class="moves">{escape(before)} <i aria-hidden="true">→</i> <strong>{escape(after)}</strong></span>{wrong}'
        f'<span class="state">{escape(word)}</span></figcaption></figure>'
    )
