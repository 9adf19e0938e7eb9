"""What the Compare tab answers: each takes what is chosen, and says what is to stand where."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.attacks.menu import BASELINES, GOALS, HELD, MENU, TARGET, UNIVERSAL, attack_name
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.ui.gallery import photo_name
from uap_core.ui.html.lesson import lesson
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.time_left import Countdown, about
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.compare.answer import QUESTION, answer
from uap_core.ui.tabs.compare.files import csv_of, pictures_of, zip_of
from uap_core.ui.tabs.compare.near import near_misses
from uap_core.ui.tabs.compare.pace import Pace
from uap_core.ui.tabs.compare.table import long_table, short_table
from uap_core.ui.uploads import is_among, ticked_of
from uap_core.ui.widgets import hide, offer, png_of, progress_note, show, status

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.experiments.compare import Bout, Contender
    from uap_core.models.classifier import Classifier

Filled = dict[str, Any]
ITSELF = _("the network itself")
EFFORTS = {_("quick"): 1, _("thorough, 4 times the steps"): 4}
MATCHED = {_("the same strength for all"): True, _("each its own smallest"): False}
NORMS = {"1": 1.0, "2": 2.0, "∞": math.inf}
USUAL_NORM = "2"
QUICK_ONES = (*BASELINES, "fgsm")
EVERY = (*BASELINES, *MENU)
PAUSE = 0.25  # seconds between two sentences about an attack under way
REDRAWN = 1.5  # seconds between two charts: quick attacks are done sooner than a chart is drawn


@of_selection
def preview(studio: Studio, pace: Pace, chosen: Selection, target: str | None, judge: str, *settings: Any) -> Filled:
    """The three that answer at once, and what can be aimed at and who can judge now."""
    from uap_core.experiments.compare import Bout, compare

    photo, network = chosen.photo, chosen.network
    image, perturbation = studio.image(photo, network), chosen.perturbation(studio)
    classifier = studio.classifier(network)
    found = list(compare(classifier, image, perturbation, QUICK_ONES))
    again = [] if pace.knows(network) else compare(classifier, image, perturbation, QUICK_ONES[-1:])
    for row in (*found, *again):  # the first time takes longer, and is no measure of the rest
        pace.saw(network, row, Bout())
    run = Bench(studio, photo, network, network)
    found_here = {
        "lesson": lesson(QUESTION, answer(studio, network)),
        "state": status(_("Three quick ones, live on this photograph. The others search for smaller changes.")),
        "searches": hide(),
        "archive": hide(),
        "numbers": hide(),
        "target": _targets(studio, network, classifier, image, target),
        "judge": _judges(studio, network, judge),
    }
    return found_here | run.chart(found) | run.tables(found) | price(studio, pace, network, *settings)


def price(studio: Studio, pace: Pace, network: str, keys: Sequence[str], matched: str, effort: str, p: str) -> Filled:
    """The words of the button: how many attacks, and how long they take."""
    known = ticked_of(keys, EVERY)
    seconds = pace.expected(network, known, bout_of("any", None, matched, effort, p))
    if not known:
        return {"run": _("Tick an attack first")}
    words = _("Run all {count}") if len(known) == len(EVERY) else _("Run {count}")
    said = words.format(count=len(known))
    return {"run": f"{said} ({about(seconds)})" if seconds else said}


def bout_of(goal: str, target: int | None, matched: str, effort: str, p: str = USUAL_NORM) -> Bout:
    """The settings of a comparison. Raises SettingError for words that the page does not have."""
    from uap_core.experiments.compare import Bout

    pairs: list[tuple[Any, Any]] = [(goal, GOALS), (matched, MATCHED), (effort, EFFORTS), (p, NORMS)]
    if not all(is_among(*pair) for pair in pairs):
        raise SettingError(_("Choose the goal, how strong attacks may be, and how much they may spend, among what is offered."))
    return Bout(goal, target, MATCHED[matched], EFFORTS[effort], p=NORMS[p])


@of_selection
def attack(
    studio: Studio,
    pace: Pace,
    chosen: Selection,
    goal: str,
    target: str | None,
    keys: list[str],
    matched: str,
    effort: str,
    p: str,
    judge: str,
) -> Iterator[Filled]:
    """Attack the photograph by all that are ticked, and show each row when it is done."""
    from uap_core.experiments.compare import compare

    ordered = ticked_of(keys, EVERY)
    if not ordered:
        raise SettingError(_("Tick at least one attack."))
    photo, network = chosen.photo, chosen.network
    yield {"state": progress_note(_("Opening the network…"), 0)}
    classifier = studio.classifier(network)
    judging = network if judge == ITSELF else judge
    other = None if judge == ITSELF else studio.classifier(judge)
    image, perturbation = studio.image(photo, network), chosen.perturbation(studio)
    wanted = classifier.index_of(target) if target and goal == TARGET else None
    bout = bout_of(goal, wanted, matched, effort, p)
    run = Bench(studio, photo, network, judging)
    clock = _Clock([pace.share_of(network, key, bout) for key in ordered])
    finished: list[Contender] = []
    drawn = 0.0
    for contender in compare(classifier, image, perturbation, ordered, bout, other):
        if contender.done:
            finished.append(contender)
            pace.saw(network, contender, bout)
        elif clock.just_told():
            continue  # to tell of each step would take as long as the step
        note = {"state": clock.note(attack_name(contender.key), len(finished), 0 if contender.done else contender.share)}
        if contender.done:
            redraw = time.monotonic() - drawn > REDRAWN or len(finished) == len(ordered)
            drawn = time.monotonic() if redraw else drawn
            note |= run.tables(finished) | run.files(finished) | (run.chart(finished) if redraw else {})
        yield note
    said = _("Done: measured live on {photograph}, made on {maker}, judged by {judge}.")
    judged_by = plain((other or classifier).card.name)
    done = said.format(photograph=photo_name(photo), maker=plain(classifier.card.name), judge=judged_by)
    yield {
        "state": status(f"{done} {smallest(finished)}"),
        **run.searches(finished),
        **price(studio, pace, network, keys, matched, effort, p),
    }


def smallest(rows: Sequence[Contender]) -> str:
    """Which change that was made for the picture is the smallest that fooled, beside the universal pattern's; may be empty."""
    lengths = {row.key: row.l2 for row in rows if row.l2 and row.verdict != HELD and row.key not in BASELINES}
    pattern = next((row.l2 for row in rows if row.key == UNIVERSAL), 0.0)
    if not lengths or not pattern:
        return ""
    key = min(lengths, key=lambda key: lengths[key])
    said = _("The smallest change that fooled is {attack}’s, {length:.0f} long; the universal pattern is {pattern:.0f} long.")
    return said.format(attack=attack_name(key), length=lengths[key] * 255, pattern=pattern * 255)


class Bench:
    """One photograph on one network: what is shown and offered of the attacks on it."""

    def __init__(self, studio: Studio, photo: str, network: str, judge: str) -> None:
        self.before: np.ndarray = studio.pixels(photo, studio.card(network))
        self.network = plain(studio.card(network).name)
        by = _("{photograph}, judged by {network}")
        self.caption = by.format(photograph=photo_name(photo), network=plain(studio.card(judge).name))
        self._pictures = {"photograph.png": png_of(self.before)}
        classifier = studio.classifier(judge)
        self._near = near_misses(studio, judge, classifier.labels[_seen(classifier, studio.image(photo, judge))])

    def chart(self, rows: Sequence[Contender]) -> Filled:
        """How far each went, at what price."""
        from uap_core.plots.comparison import comparison_figure

        title = _("{network}: how far, at what price").format(network=self.network)
        return {"figure": show(comparison_figure(rows, title))}

    def searches(self, rows: Sequence[Contender]) -> Filled:
        """Each value of c that was tried, where any was."""
        from uap_core.plots.searches import search_figure

        title = _("{network}: the search for the least c").format(network=self.network)
        return {"searches": show(search_figure(rows, title)) if any(row.trials for row in rows) else hide()}

    def tables(self, rows: Sequence[Contender]) -> Filled:
        """The short table and the long one."""
        given = self.before, self.caption, rows, self._near.__contains__
        return {"rows": short_table(*given), "every": long_table(*given)}

    def files(self, rows: Sequence[Contender]) -> Filled:
        """Pictures and numbers to download; the last row is new."""
        self._pictures |= pictures_of(self.before, rows[-1])
        return {
            "archive": show(offer("comparison.zip", zip_of(self._pictures, rows))),
            "numbers": show(offer("comparison.csv", csv_of(rows).encode())),
        }


class _Clock:
    """Which attack is under way, and how long the rest takes; ``seconds`` of each are expected."""

    def __init__(self, seconds: Sequence[float]) -> None:
        self._seconds, self._told = seconds, 0.0
        self._left = Countdown(sum(seconds))

    def just_told(self) -> bool:
        """Whether the last note is too young for another one."""
        return time.monotonic() - self._told < PAUSE

    def note(self, name: str, done: int, share: float) -> str:
        """``done`` of the attacks are done, and ``share`` of the one called ``name``."""
        self._told = time.monotonic()
        under_way = share * self._seconds[done] if done < len(self._seconds) else 0.0
        part = (sum(self._seconds[:done]) + under_way) / sum(self._seconds)
        said = _("{name}: {done} of {count}, {left}").format(
            name=name, done=done, count=len(self._seconds), left=self._left.said(part)
        )
        return progress_note(said, part)


def show_target(goal: str) -> Any:
    """The list of classes, where one is to be reached."""
    return gr.update(visible=goal == TARGET)


def _targets(studio: Studio, network: str, classifier: Classifier, image: Tensor, current: str | None) -> Any:
    """All classes but the one that the network sees now."""
    seen = classifier.labels[_seen(classifier, image)]
    labels = [label for label in studio.labels(network) if label != seen]
    return gr.update(choices=labels, value=current if current in labels else None)


def _seen(classifier: Classifier, image: Tensor) -> int:
    from uap_core.metrics import predict

    return int(predict(classifier, [image]))


def _judges(studio: Studio, network: str, current: str) -> Any:
    """Networks of the same size and classes, beside the one that is attacked."""
    own = studio.card(network)
    others = [
        (plain(studio.card(key).name), key)
        for _, key in studio.networks()
        if key != network and studio.card(key).input_size == own.input_size and studio.card(key).classes == own.classes
    ]
    return gr.update(choices=[ITSELF, *others], value=current if current in [key for _, key in others] else ITSELF)
