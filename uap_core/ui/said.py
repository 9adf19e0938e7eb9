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
# Of the room "From learning to attacking"; names in braces are filled in by learning.js.
LEARNING = {
    "blue": _("blue"),
    "orange": _("orange"),
    "mean": _("J = {J}; {right} % of the points right"),
    "own": _("J = −log p = {J}, since p({name}) = {p} %"),
    "right": _("x is {was}, and the network says so. Attack it."),
    "holds": _("Step {steps}: x is still read as {was}. It has moved by {l2} (l2), {linf} (l_inf)."),
    "fooled": _("Fooled: at step {steps} {was} is read as {name}. x has moved by {l2} (l2), {linf} (l_inf)."),
    "misread": _("x is {was}, and the network says {name}: it is wrong without any attack."),
    "wrongAlready": _("The network reads x wrong already: it has not learnt this place. Let it learn, or press another place."),
    "diverged": _("With a learning rate of {rate} it diverges at step {steps}: the network from before stays. Choose less."),
    "away": _("The next step leaves what is drawn here; the last place stays. Choose a smaller learning rate, or a ball."),
    "badRate": _("The learning rate must be a number above 0. Nothing was changed."),
    "badHidden": _("The hidden layer needs a whole number of units from 1 to {most}. The last network stays."),
    "fromAcross": _("from across"),
    "fromUp": _("from up"),
    "bias": _("bias"),
    "toBlue": _("to blue"),
    "toOrange": _("to orange"),
    "weight": _("weight {name} = {value}"),
    "click": _("Press a weight: its derivative by backpropagation, and beside it a finite difference."),
    "derivative": _("{name} = {w}. ∂J/∂w = {by} by backpropagation, {differ} by (J(w+h) − J(w−h)) / 2h."),
    "down": _("A learning step makes it smaller."),
    "up": _("A learning step makes it larger."),
    "flat": _("A learning step leaves it: no point uses this unit."),
}
SAID = {
    "learning": LEARNING,
    "copied": _("Link copied."),
    "byHand": _("Copy it from the address bar."),
    "keys": [
        ["← →", _("photograph")],
        [_("space"), _("pattern on, off")],
        ["+ −", _("strength")],
        ["N", _("network")],
        ["F", _("full screen")],
    ],
    "leave": _("leave this view"),
    "sentences": SENTENCES,
    "holds": _("This photograph holds: try another."),
    "near": _("A near miss: both are of one kind."),
    "unsure": _("The network hardly knows this kind of picture."),
    "dream": _("A class impression: the network made this picture up."),
    "sure": _("{sure} % sure"),
    "strength": _("strength {level}/255"),
    "without": _("without the pattern"),
    "withPattern": _("with the pattern"),
    "withNoise": _("with random noise"),
    "photograph": _("Photograph"),
    "middle": _("Your picture, its middle square"),
    "dots": _("{changed} of {count} answers changed"),
    "dotsMean": _("{name}, strength {level}: {said}; {right} of them were right"),
    "play": _("▶ play"),
    "pause": _("❚❚ pause"),
}


def in_both_halves(count: int) -> str:
    """What follows the name of a set of which ``count`` pictures are in both halves; empty for none."""
    return _("; {count} in both halves, not crafted on").format(count=count) if count else ""
