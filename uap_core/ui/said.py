"""What the page's scripts say: their texts stand in Python, where they are translated."""

from __future__ import annotations

from uap_core.i18n import _

# By what the network knew before ("right", "wrong", "noname": it has no class for the thing, "own": a visitor's picture) and
# what happened ("same", "changed", "near": to a close relative).
SENTENCES = {
    "right-same": _("You see {you}. So does the network: {now}."),
    "right-changed": _("You see {you}. The network sees {now}."),
    "right-near": _("You see {you}. The network wavers: {was} became {now}."),
    "wrong-same": _("You see {you}. The network says {now}, with the pattern or without."),
    "wrong-changed": _("You see {you}. The network was wrong before: {was}, now {now}."),
    "wrong-near": _("You see {you}. The network was wrong before: {was}, now {now}."),
    "noname-same": _("You see {you}, which this network has no name for. It says {now}."),
    "noname-changed": _("You see {you}, which this network has no name for: {was}, then {now}."),
    "noname-near": _("You see {you}, which this network has no name for: {was}, then {now}."),
    "own-same": _("The network sees {now}."),
    "own-changed": _("The network saw {was}. Now it sees {now}."),
    "own-near": _("The network wavers: {was} became {now}."),
}
SAID = {
    "copied": _("Link copied."),
    "byHand": _("Copy it from the address bar."),
    "presenting": _(
        "Presenter: arrow keys change the photograph, space the pattern, + and - the strength, N the network, F fills the"
        " screen; Escape leaves."
    ),
    "sentences": SENTENCES,
    "near": _("A near miss: both are of one kind."),
    "unsure": _("The network hardly knows this kind of picture."),
    "dream": _("A class impression: the network made this picture up."),
    "sure": _("{sure} % sure"),
    "strength": _("strength {level}/255"),
    "without": _("without the pattern"),
    "withPattern": _("with the pattern"),
    "withNoise": _("with random noise"),
    "dots": _("{changed} of {count} answers changed"),
    "dotsMean": _("{name}, strength {level}: {said}; {right} of them were right"),
    "play": _("▶ play"),
    "pause": _("❚❚ pause"),
}
