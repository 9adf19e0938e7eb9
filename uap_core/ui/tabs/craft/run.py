"""One run of the Craft tab: the visitor's choices, checked, and what the page shows while a pattern comes into being."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.attacks.menu import TARGET
from uap_core.crafting.menu import MENU, build
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.settings import limits
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.craft.view import conclusion, under_way
from uap_core.ui.widgets import progress_note, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.apply import Exhibit
    from uap_core.experiments.crafting_curve import Point
    from uap_core.norms import Ball
    from uap_core.perturbations.perturbation import Perturbation

LEAST_COST, MOST_COST = 200, 4000  # image-gradients
LARGEST_SEED = 2**31 - 1
WATCHED, JUDGED = 64, 128  # held-out images: looked at all the time, and at the end
# A frame at most so often, and so seldom that drawing takes no more than a fifth of the time, however slow the machine.
LEAST_PAUSE, PAUSE_PER_COST = 0.4, 4.0


@dataclass
class Sight:
    """What a visitor looks at now, one in each session: a run that goes on while another photograph is chosen follows it."""

    photo: str


@dataclass(frozen=True)
class Order:
    """What a visitor wants: crafted on ``images`` images for a ``network``, within ``ball``, by ``method``, for ``budget``
    image-gradients, into the class ``target`` (any other label when empty), under ``seed``."""

    network: str
    ball: Ball
    images: int
    method: str
    budget: int
    target: str
    seed: int


@dataclass(frozen=True)
class Frame:
    """What the page shows at one moment. ``pattern`` is None before the first step, ``figure`` where the chart stays as it is;
    ``values`` (3,S,S) are drawn, ``measured`` says what the pattern and random signs did to the watched images, if anything."""

    note: str
    values: np.ndarray
    view: Exhibit
    pattern: Pattern | None = None
    measured: tuple[str, ...] = ()
    figure: Any = None


def order(network: str, ball: Ball, images: Any, method: str, budget: Any, goal: str, target: str | None, seed: Any) -> Order:
    """The visitor's choices as they come from the page. Raises SettingError for what cannot be crafted."""
    if not ball.radius:
        raise SettingError(_("Crafting needs an epsilon above 0. Move the epsilon slider."))
    if goal == TARGET and not target:
        raise SettingError(_("Choose the class to reach: type its name."))
    if goal == TARGET and not MENU[method].targets:
        names = ", ".join(_(item.name) for item in MENU.values() if item.targets)
        raise SettingError(
            _("{method} cannot aim at a class. These can: {names}.").format(method=_(MENU[method].name), names=names)
        )
    return Order(
        network,
        ball,
        _whole(_("The number of images"), images, 1, limits().images),
        method,
        _whole(_("The cost"), budget, LEAST_COST, MOST_COST),
        target or "" if goal == TARGET else "",
        _whole(_("The seed"), seed, 0, LARGEST_SEED),
    )


def _whole(what: str, number: Any, least: int, most: int) -> int:
    if not isinstance(number, (int, float)) or number != number or not least <= number <= most or number != int(number):
        raise SettingError(_("{what} is a whole number from {least} to {most}.").format(what=what, least=least, most=most))
    return int(number)


def frames(studio: Studio, wanted: Order, sight: Sight) -> Iterator[Frame]:
    """Craft it: the photograph as it is, the pattern and the photograph as they change, at last what the pattern does.

    Raises what opening the network or the images raises, and SettingError for more images than there are.
    """
    import torch

    from uap_core.attacks.criterion import Criterion
    from uap_core.experiments.crafting_curve import Point, Watch, evolve
    from uap_core.experiments.provenance import with_held_out, with_provenance
    from uap_core.perturbations.perturbation import Perturbation
    from uap_core.plots.evolution import evolution_figure

    classifier, view = studio.classifier(wanted.network), partial(_view, studio, sight, wanted.network)
    craft, held_out = studio.craft_and_held_out(wanted.network)
    if wanted.images > len(craft):
        raise SettingError(_("There are {count} images to craft on: choose 1 to {count}.").format(count=len(craft)))
    source, shape = studio.live_set_name(wanted.network), (3, classifier.size, classifier.size)
    about = f"{wanted.images} {studio.live_set_name(wanted.network, wanted.images)}"
    nothing = Perturbation("nothing yet", torch.zeros(shape), wanted.ball)
    note = progress_note(_("No pattern yet. Looking at {images} as they are…").format(images=about), 0)
    yield Frame(note, nothing.pattern.numpy(), view(nothing))

    goal = Criterion.into(classifier.index_of(wanted.target)) if wanted.target else Criterion()
    part = craft.shuffled(torch.Generator().manual_seed(wanted.seed)).prefix(wanted.images)
    watch = Watch.over(classifier, _some(held_out, WATCHED), goal)
    signs = watch.under(wanted.ball.random_signs(shape, torch.Generator().manual_seed(wanted.seed)))
    crafter, name = build(wanted.method, wanted.budget), default_name(wanted, about)
    title = _("{network}: {images}, {ball} (live)").format(network=classifier.card.name, images=about, ball=wanted.ball)
    points, drawn, again_at = list[Point](), 0, 0.0
    for stage in evolve(crafter, part, watch, wanted.ball, wanted.seed):
        points += [stage.point] if stage.point else []
        if not stage.progress.done and stage.progress.share < 1 and time.perf_counter() < again_at:
            continue
        started = time.perf_counter()
        found = with_provenance(name, crafter, [classifier], part, wanted.ball, goal, wanted.seed, stage.progress)
        figure = evolution_figure(points, signs, wanted.budget, title, wanted.target) if len(points) > drawn else None
        drawn, told = len(points), (_last(points), f"{signs.fooled.value:.1%}")
        note = progress_note(under_way(stage, wanted.budget, _measured(points, wanted.target)), 0.95 * stage.progress.share)
        yield Frame(note, found.pattern.numpy(), view(found), _plain(found), told, figure)
        again_at = time.perf_counter() + max(LEAST_PAUSE, PAUSE_PER_COST * (time.perf_counter() - started))
    found, (judged,) = with_held_out(found, [classifier], _some(held_out, JUDGED), goal, wanted.seed)
    rate = judged.universal if judged.target_rate is None else judged.target_rate
    figure = evolution_figure(points, signs, wanted.budget, title, wanted.target, rate)
    note = status(
        _("Done: {seconds:.1f} s of crafting. {conclusion}").format(
            seconds=found.provenance["seconds"], conclusion=conclusion(judged, source, wanted.target)
        )
    )
    yield Frame(note, found.pattern.numpy(), view(found), _plain(found), (), figure)


def _view(studio: Studio, sight: Sight, network: str, perturbation: Perturbation) -> Exhibit:
    """The photograph that the visitor looks at under ``perturbation``; never one that was left while this was computed."""
    from uap_core.experiments.apply import exhibit

    while True:
        photo = sight.photo
        view = exhibit(studio.classifier(network), studio.image(photo, network), perturbation)
        if photo == sight.photo:
            return view


def is_judged(draft: Pattern) -> bool:
    """Whether its rates are stated, as those of a finished run are."""
    return "held_out" in draft.provenance


def judged_when_stopped(studio: Studio, draft: Pattern) -> tuple[Pattern, str]:
    """The same pattern with its rates on the watched images stated, and a sentence on them."""
    from uap_core.attacks.criterion import Criterion
    from uap_core.experiments.provenance import with_held_out

    stated = draft.provenance
    classifier, target = studio.classifier(stated["network"]), str(stated.get("target", ""))
    held_out = studio.craft_and_held_out(stated["network"])[1]
    goal = Criterion.into(classifier.index_of(target)) if target else Criterion()
    found, (judged,) = with_held_out(draft.as_perturbation(), [classifier], _some(held_out, WATCHED), goal, stated["seed"])
    said = conclusion(judged, studio.live_set_name(stated["network"]), target)
    return _plain(found), _("Stopped after {spent} image-gradients; the pattern stays. {conclusion}").format(
        spent=stated["image_gradients"], conclusion=said
    )


def default_name(wanted: Order, about: str) -> str:
    """What its pattern is called when nobody gives it a name; ``about`` says on what it was crafted."""
    seed = _(", seed {seed}").format(seed=wanted.seed) if wanted.seed else ""
    sentence = _("{method} into {target!r} on {images}, {ball}") if wanted.target else _("{method} on {images}, {ball}")
    method = _(MENU[wanted.method].name)
    return sentence.format(method=method, target=wanted.target, images=about, ball=wanted.ball) + seed


def _some(held_out: ImageSet, count: int) -> ImageSet:
    """Of all classes, the same ones every time; fewer are the first of more."""
    import torch

    return held_out.shuffled(torch.Generator().manual_seed(0)).prefix(count)


def _measured(points: list[Point], target: str) -> str:
    """What was last measured, in a sentence."""
    if not points:
        return _("Nothing is measured yet.")
    last = points[-1]
    sentence = (
        _("At {cost} it turned into {target!r} {rate} held-out images.")
        if target
        else _("At {cost} it fooled {rate} held-out images.")
    )
    return sentence.format(cost=last.image_gradients, target=target, rate=last.aimed_at)


def _last(points: list[Point]) -> str:
    """The same in few words."""
    if not points:
        return _("not measured yet")
    return _("{rate:.1%} of {count}").format(rate=points[-1].aimed_at.value, count=points[-1].aimed_at.total)


def _plain(perturbation: Any) -> Pattern:
    ball = perturbation.ball
    return Pattern(perturbation.name, perturbation.pattern.numpy(), ball.p, ball.radius, perturbation.provenance)
