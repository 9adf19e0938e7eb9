"""The pattern that a run leaves behind: its name, and what it does where the run was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uap_core.crafting.menu import MENU
from uap_core.i18n import _
from uap_core.ui.html.words import strength
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.craft.order import Order, size_for
from uap_core.ui.tabs.craft.view import conclusion

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet


USUAL = "default"  # the method that need not be named
NOT_MEASURED = _("No pictures are here to measure it on.")


def is_judged(draft: Pattern) -> bool:
    """Whether its rates are stated, as those of a finished run are."""
    return "held_out" in draft.provenance


def judged_when_stopped(studio: Studio, draft: Pattern) -> tuple[Pattern, str]:
    """The same pattern with its rates on the watched images stated, and a sentence on them."""
    from uap_core.attacks.criterion import Criterion
    from uap_core.experiments.provenance import with_held_out

    stated = draft.provenance
    if studio.live_source(stated["network"]) is None:
        return draft, _("Stopped after {spent} looks; the pattern stays. {conclusion}").format(
            spent=stated["image_gradients"], conclusion=NOT_MEASURED
        )
    classifier, target = studio.classifier(stated["network"]), str(stated.get("target", ""))
    held_out = some(studio.craft_and_held_out(stated["network"])[1], size_for(classifier.size).watched)
    goal = Criterion.into(classifier.index_of(target)) if target else Criterion()
    found, (judged,) = with_held_out(draft.as_perturbation(), [classifier], held_out, goal, stated["seed"])
    said = conclusion(judged, studio.live_set_name(stated["network"]), target)
    return plain(found), _("Stopped after {spent} looks; the pattern stays. {conclusion}").format(
        spent=stated["image_gradients"], conclusion=said
    )


def default_name(wanted: Order, about: str) -> str:
    """What its pattern is called when nobody gives it a name; ``about`` says on what it was crafted."""
    seed = _(", seed {seed}").format(seed=wanted.seed) if wanted.seed else ""
    by = "" if wanted.method == USUAL else _(", method: {method}").format(method=_(MENU[wanted.method].name))
    into = _(", into {target!r}").format(target=wanted.target) if wanted.target else ""
    return _("Made here from {images}, {strength}").format(images=about, strength=strength(wanted.ball)) + into + by + seed


def some(held_out: ImageSet, count: int) -> ImageSet:
    """Of all classes, the same ones every time; fewer are the first of more."""
    import torch

    return held_out.shuffled(torch.Generator().manual_seed(0)).prefix(count)


def plain(perturbation: Any) -> Pattern:
    """A perturbation as plain data."""
    ball = perturbation.ball
    return Pattern(perturbation.name, perturbation.pattern.numpy(), ball.p, ball.radius, perturbation.provenance)
