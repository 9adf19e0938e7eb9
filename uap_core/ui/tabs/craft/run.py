"""One run of the Craft tab: what the page shows while a pattern comes into being."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.crafting.menu import MENU, build
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.ui.html.evaluations import beyond_sentence
from uap_core.ui.html.words import plain as bare
from uap_core.ui.runtime.time_left import Countdown, ticking
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.tabs.craft.draft import NOT_MEASURED, default_name, plain, some
from uap_core.ui.tabs.craft.order import Order, Size, size_for
from uap_core.ui.tabs.craft.pace import Pace
from uap_core.ui.tabs.craft.view import conclusion, last_measured
from uap_core.ui.widgets import progress_note, status

if TYPE_CHECKING:
    from uap_core.attacks.criterion import Criterion
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.apply import Exhibit
    from uap_core.experiments.crafting_curve import Point, Stage, Watch
    from uap_core.metrics import Rate
    from uap_core.perturbations.perturbation import Perturbation

# A frame at most so often, and so seldom that drawing takes no more than a fifth of the time, however slow the machine.
LEAST_PAUSE, PAUSE_PER_COST = 0.4, 4.0


@dataclass
class Sight:
    """What a visitor looks at now, one in each session: a run that goes on while another photograph is chosen follows it."""

    photo: str


@dataclass(frozen=True)
class Frame:
    """What the page shows at one moment, None for what stays. ``values`` (3,S,S) are drawn, ``view`` is the photograph under
    them; ``pattern`` is None before the first step; ``measured`` says what the pattern and random signs did to the watched
    images, if anything."""

    note: str
    values: np.ndarray | None = None
    view: Exhibit | None = None
    pattern: Pattern | None = None
    measured: tuple[str, ...] = ()
    figure: Any = None


def frames(
    studio: Studio, wanted: Order, sight: Sight, pace: Pace | None = None, stored: Sequence[tuple[int, Rate]] = ()
) -> Iterator[Frame]:
    """Craft it: the photograph as it is, the pattern and the photograph as they change, at last what the pattern does.

    ``stored`` is a precomputed curve to draw below the run's own. Raises what opening the network or the images raises, and
    SettingError for more images than there are.
    """
    yield from _Run(studio, wanted, sight, pace or Pace(), stored).frames()


class _Run:
    """One run under way."""

    def __init__(
        self, studio: Studio, wanted: Order, sight: Sight, pace: Pace, stored: Sequence[tuple[int, Rate]] = ()
    ) -> None:
        import torch

        from uap_core.attacks.criterion import Criterion

        self.studio, self.wanted, self.sight, self.pace, self.stored = studio, wanted, sight, pace, stored
        self.classifier = studio.classifier(wanted.network)
        needed = MENU[wanted.method].needs_images
        sets = studio.craft_and_held_out(wanted.network) if needed or studio.live_source(wanted.network) else None
        self.held_out = sets and sets[1]
        self.craft: ImageSet | None = None
        if needed and sets:
            if wanted.images > len(sets[0]):
                raise SettingError(_("There are {count} images to craft on: choose 1 to {count}.").format(count=len(sets[0])))
            self.craft = sets[0].shuffled(torch.Generator().manual_seed(wanted.seed)).prefix(wanted.images)
        target = wanted.target
        self.goal: Criterion = Criterion.into(self.classifier.index_of(target)) if target else Criterion()
        self.size: Size = size_for(self.classifier.size)
        self.crafter = build(wanted.method, wanted.budget, self.classifier.shape)
        self.images = studio.live_set_name(wanted.network, wanted.images)
        self.made_from = f"{wanted.images} {self.images}" if needed else _("no pictures")
        named = f"{wanted.images} {studio.live_set_name(wanted.network, wanted.images, briefly=True)}"
        self.name = default_name(wanted, named if needed else self.made_from)
        self.points: list[Point] = []
        self.known: list[Point] = []
        self.signs: Point | None = None
        self.share = 0.0  # of the work that is done
        self.parts = pace.parts(wanted, self.size)
        expected = pace.expected(wanted.network, wanted.budget, wanted.images, self.size)
        self.started, self.clock = time.monotonic(), Countdown(expected) if expected else None

    def frames(self) -> Iterator[Frame]:
        """See ``frames``."""
        yield self._begun()
        last, drawn, again_at = None, 0, 0.0
        for stage in ticking(self._stages()):
            if stage is None:
                yield Frame(self._note(last))
                continue
            last = stage
            self.share = self.parts.before + (self.parts.crafted - self.parts.before) * stage.progress.share
            ends = stage.progress.done or stage.reached
            if not ends and stage.progress.share < 1 and time.perf_counter() < again_at:
                continue
            started = time.perf_counter()
            yield self._frame(stage, len(self.points) > drawn)
            drawn = len(self.points)
            again_at = time.perf_counter() + max(LEAST_PAUSE, PAUSE_PER_COST * (time.perf_counter() - started))
        for ended in ticking(self._ended(last) for _once in (0,)):
            yield ended or Frame(self._note(last))

    def _begun(self) -> Frame:
        """The photograph as it is."""
        import torch

        from uap_core.perturbations.perturbation import Perturbation

        nothing = Perturbation("nothing yet", torch.zeros(3, self.classifier.size, self.classifier.size), self.wanted.ball)
        return Frame(self._note(None), nothing.pattern.numpy(), self._view(nothing))

    def _stages(self) -> Iterator[Stage]:
        """The run's steps, once the images were looked at as they are."""
        import torch

        from uap_core.experiments.crafting_curve import Stage, Watch, evolve

        wanted, shape = self.wanted, (3, self.classifier.size, self.classifier.size)
        if self.held_out is None:
            run = self.crafter.craft(self.classifier, None, wanted.ball, torch.Generator().manual_seed(wanted.seed))
            yield from (Stage(progress, None) for progress in run)
            return
        watch: Watch = Watch.over(self.classifier, some(self.held_out, self.size.watched), self.goal)
        known = Watch.over(self.classifier, self.craft.prefix(self.size.watched), self.goal) if self.craft else None
        self.signs = watch.under(wanted.ball.random_signs(shape, torch.Generator().manual_seed(wanted.seed)))
        for stage in evolve(self.crafter, self.craft, watch, wanted.ball, wanted.seed, known, wanted.delta):
            self.points += [stage.point] if stage.point else []
            self.known += [stage.craft_point] if stage.craft_point else []
            yield stage

    def _frame(self, stage: Stage, redraw: bool) -> Frame:
        """The pattern and the photograph as they are after a step."""
        found = self._found(stage)
        told = (last_measured(self.points), f"{self.signs.fooled.value:.1%}" if self.signs else "")
        figure = self._figure() if redraw else None
        return Frame(self._note(stage), found.pattern.numpy(), self._view(found), plain(found), told, figure)

    def _ended(self, last: Stage | None) -> Frame:
        """What the finished pattern does to images that it was not made from."""
        from uap_core.experiments.provenance import with_held_out

        assert last is not None
        found = self._found(last)
        rate, said, beyond = None, NOT_MEASURED, ""
        if self.held_out is not None:
            found, (judged,) = with_held_out(
                found, [self.classifier], some(self.held_out, self.size.judged), self.goal, self.wanted.seed
            )
            rate = judged.universal if judged.target_rate is None else judged.target_rate
            said = conclusion(judged, self.studio.live_set_name(self.wanted.network), self.wanted.target)
            beyond = beyond_sentence(judged)
        seconds = time.monotonic() - self.started
        self.pace.took(self.wanted, self.size, last.progress.image_gradients, seconds)
        done = _("Done in {seconds:.0f} s. {conclusion}")
        if last.reached:
            done = _("Done in {seconds:.0f} s: after {spent} of {budget} looks {share:.0%} was reached. {conclusion}")
        elif self.wanted.delta:
            done = _("Done in {seconds:.0f} s: {budget} looks, and {share:.0%} was not reached. {conclusion}")
        note = done.format(
            seconds=seconds,
            spent=last.progress.image_gradients,
            budget=self.wanted.budget,
            share=1 - self.wanted.delta,
            conclusion=said,
        )
        note = f"{note} {beyond}".strip()
        return Frame(status(note), found.pattern.numpy(), self._view(found), plain(found), (), self._figure(rate))

    def _found(self, stage: Stage) -> Perturbation:
        from uap_core.experiments.provenance import with_provenance

        wanted = self.wanted
        return with_provenance(
            self.name, self.crafter, [self.classifier], self.craft, wanted.ball, self.goal, wanted.seed, stage.progress
        )

    def _figure(self, final: Rate | None = None) -> Any:
        from uap_core.plots.evolution import Evolution, evolution_figure

        wanted = self.wanted
        so_far = Evolution(wanted.budget, self.points, self.known, self.signs, final, self.stored, wanted.delta, wanted.target)
        title = _("{network}: made from {images}, {ball} (live)").format(
            network=bare(self.classifier.card.name), images=self.made_from, ball=wanted.ball
        )
        return evolution_figure(so_far, title)

    def _note(self, last: Stage | None) -> str:
        """How far the run is, how long it still takes, and what was last measured."""
        left = f", {self.clock.said(self.share)}" if self.clock else ""
        if last is None:
            said = _("No pattern yet: looking at {images} as they are{left}…").format(images=self.made_from, left=left)
            if self.craft is None:
                said = _("No pattern yet{left}…").format(left=left)
            return progress_note(said, self.share)
        said = _("{spent} of {budget} looks{left}.").format(
            spent=min(last.progress.image_gradients, self.wanted.budget), budget=self.wanted.budget, left=left
        )
        if last.progress.share >= 1 or last.reached:
            measured = _("A last touch, and a look at images that it was not made from…")
        elif self.points:
            measured = _("It fools {rate} that it was not made from.").format(rate=last_measured(self.points))
            if self.wanted.target:
                measured = _("It turns {rate} that it was not made from into {target!r}.").format(
                    rate=last_measured(self.points), target=self.wanted.target
                )
        else:
            measured = ""
        return progress_note(f"{said} {measured}", self.share)

    def _view(self, perturbation: Perturbation) -> Exhibit:
        """The photograph that the visitor looks at under ``perturbation``; never one that was left while this was computed."""
        while True:
            photo = self.sight.photo
            view = seen_under(self.classifier, photo, perturbation)
            if photo == self.sight.photo:
                return view
