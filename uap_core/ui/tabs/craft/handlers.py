"""What the Craft tab answers: each takes what is chosen, and says what is to stand where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import TARGET
from uap_core.crafting.menu import MENU
from uap_core.errors import SettingError, UapError
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.lesson import lesson
from uap_core.ui.html.words import plain
from uap_core.ui.live_pictures import about_live
from uap_core.ui.runtime.time_left import about
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.tabs.craft.draft import is_judged, judged_when_stopped
from uap_core.ui.tabs.craft.order import is_share, order, size_for
from uap_core.ui.tabs.craft.pace import Pace
from uap_core.ui.tabs.craft.parts import MAKE, QUESTION
from uap_core.ui.tabs.craft.run import Frame, Sight, frames
from uap_core.ui.tabs.craft.stored import answer, curve_for, data_free, methods_chart, opening_chart
from uap_core.ui.tabs.craft.view import before_and_now, numbers, pattern_picture, sizes
from uap_core.ui.uploads import is_among
from uap_core.ui.widgets import picture_file, problem, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit

Filled = dict[str, Any]


@of_selection
def regard(
    studio: Studio,
    chosen: Selection,
    draft: Pattern | None,
    target: str | None,
    until: float,
    before: str,
    sight: Sight,
    unfolded: bool,
) -> Filled:
    """What stands here while nothing runs: what was crafted last, or else the pattern that is chosen."""
    photo, network, pattern = chosen.photo, chosen.network, chosen.pattern
    sight.photo = photo  # a run that is under way reads it
    found: Filled = {"looked_at": network}
    if network != before:
        found |= _for_network(studio, network, target, until, draft is None)
        found |= unfold(studio, network) if unfolded else {}
    if draft is not None:
        view = _under(studio, photo, draft)
        return found | {
            "photograph": picture_file(view.perturbed),
            "labels": before_and_now(view, _maker(studio, draft)),
        }
    perturbation = chosen.perturbation(studio)
    view = seen_under(studio.classifier(network), photo, chosen.unscaled(studio), chosen.epsilon)
    values = perturbation.pattern.numpy()
    return {
        "state": status(invitation(pattern, studio.live_source(network) is not None)),
        "picture": pattern_picture(values),
        "photograph": picture_file(view.perturbed),
        "labels": before_and_now(view, plain(studio.card(network).name)),
        "table": numbers(perturbation.name, perturbation.provenance, *sizes(values)),
    } | found


@of_selection
def after(studio: Studio, *now: Any) -> Filled:
    """Once a run is over: the photograph may be another one by now. What was said of the run stays."""
    return {place: value for place, value in regard(studio, *now).items() if place != "state"}


def _for_network(studio: Studio, network: str, target: str | None, until: float, opening: bool) -> Filled:
    """What another network changes: the answer, what it can be made from and into, how much effort it takes at first."""
    size = size_for(studio.card(network).input_size)
    labels = studio.labels(network)
    found: Filled = {
        "lesson": lesson(QUESTION, answer(studio, network)),
        "target": gr.update(choices=labels, value=target if target in labels else None),
    }
    if opening:
        found["figure"] = opening_chart(studio, network, size.budget, 1 - until if is_share(until) and until else 0.0)
    if studio.live_source(network) is None:
        return found
    try:
        most = len(studio.craft_and_held_out(network)[0])
    except UapError as error:  # the pattern can be looked at all the same
        return found | {"state": problem(str(error))}
    info = _("of {count} {images}").format(count=most, images=studio.live_set_name(network))
    found["images"] = gr.update(maximum=most, value=min(size.images, most), info=info)
    found["cost"] = gr.update(value=size.budget)
    return found


def offer(studio: Studio, pace: Pace, network: str, images: Any, cost: Any, method: str = "default") -> Filled:
    """The button with the time that it takes, once that was measured; the quick network's where this one has no pictures and
    the method needs some."""
    needed = needs_images(method)
    if needed and studio.live_source(network) is None:
        quick = _("Take {network}").format(network=plain(studio.card(QUICK_MODEL).name))
        away = dict.fromkeys(("run", "goal", "until"), gr.update(visible=False))
        return away | {"quick": gr.update(value=quick, visible=True), "gap": status(why_not(studio, network)), "seen": ""}
    pace.time(studio, network)
    here = dict.fromkeys(("goal", "until", "images"), gr.update(visible=needed))
    button = gr.update(visible=True, value=priced(studio, pace, network, images if needed else 1, cost))
    seen = about_live(studio, network) if needed else ""
    return here | {"run": button, "quick": gr.update(visible=False), "gap": "", "seen": seen}


def priced(studio: Studio, pace: Pace, network: str, images: Any, cost: Any) -> str:
    """The words of the button."""
    if not all(isinstance(number, (int, float)) and number > 0 for number in (images, cost)):
        return MAKE
    seconds = pace.expected(network, round(cost), round(images), size_for(studio.card(network).input_size))
    return _("Make one ({time})").format(time=about(seconds)) if seconds else MAKE


def take_quick(wanted: tuple[str, int]) -> Any:
    """The wish to choose the quick network."""
    return QUICK_MODEL, wanted[1] + 1


@of_selection
def craft(studio: Studio, pace: Pace, chosen: Selection, sight: Sight, *choices: Any) -> Iterator[Filled]:
    """Craft what was ordered; ``choices`` are those of ``Parts.choices``."""
    network, (images, method, cost, goal, target, seed, until) = chosen.network, choices
    yield {"state": progress_note(_("Opening network and images…"), 0), "result": gr.update(visible=False)}
    if needs_images(method) and studio.live_source(network) is None:
        raise SettingError(why_not(studio, network))
    ball = chosen.perturbation(studio).ball
    wanted = order(network, ball, images, method, cost, goal, target, seed, until)
    name = plain(studio.card(network).name)
    for frame in frames(studio, wanted, sight, pace, curve_for(studio, wanted)):
        yield shown(frame, name)


def shown(frame: Frame, network: str) -> Filled:
    """One moment of a run, where it belongs."""
    found: Filled = {"state": frame.note}
    if frame.values is None or frame.view is None:
        return found
    made = frame.pattern
    name, provenance = (made.name, made.provenance) if made else (_("none yet"), {})
    found |= {
        "picture": pattern_picture(frame.values),
        "photograph": picture_file(frame.view.perturbed),
        "labels": before_and_now(frame.view, network),
        "table": numbers(name, provenance, *sizes(frame.values), *frame.measured),
    }
    if frame.figure is not None:
        found["figure"] = show(frame.figure)
    return found | ({"draft": made} if made else {})


def settle(studio: Studio, photo: str, draft: Pattern | None) -> Iterator[Filled]:
    """Of a run that was stopped: what the page shows and what is kept are the same, measured pattern."""
    if draft is None or is_judged(draft):
        yield {}
        return
    yield {"state": progress_note(_("Stopped. The pattern so far is being measured…"), 1)}
    draft, said = judged_when_stopped(studio, draft)
    view = _under(studio, photo, draft)
    yield {
        "state": status(said),
        "picture": pattern_picture(draft.values),
        "photograph": picture_file(view.perturbed),
        "labels": before_and_now(view, _maker(studio, draft)),
        "table": numbers(draft.name, draft.provenance, *sizes(draft.values)),
        "draft": draft,
    }


@of_selection
def clear(studio: Studio, chosen: Selection, target: str | None, until: float, sight: Sight) -> Filled:
    """What was crafted here goes, unless it was kept; the chosen pattern and the precomputed curve stand here again."""
    found = regard(studio, chosen, None, target, until, "", sight, False)
    return {place: value for place, value in found.items() if place not in ("images", "cost", "target")} | {"draft": None}


def unfold(studio: Studio, network: str) -> Filled:
    """What is drawn only for those who open the fold."""
    return {"methods": methods_chart(studio, network), "unfolded": True} | data_free(studio, network)


def needs_images(method: str) -> bool:
    """Whether a method of the menu, or an unknown one, crafts on images."""
    return not is_among(method, MENU) or MENU[method].needs_images


def show_target(studio: Studio, goal: str, network: str) -> Any:
    """The list of classes, where one is to be reached."""
    return gr.update(visible=True, choices=studio.labels(network)) if goal == TARGET else gr.update(visible=False)


def invitation(pattern: str, live: bool) -> str:
    """What is said before anything was crafted; without ``live`` nothing can be here."""
    if pattern == RANDOM_SIGNS:
        shown = _("Shown: random noise, which nobody crafted.")
        invited = _("Make a pattern and watch it become better than that.")
    elif pattern.startswith("own:"):
        shown, invited = _("Shown: the pattern of yours that is chosen."), _("Make another one and watch it come into being.")
    else:
        shown = _("Shown: a ready-made pattern, precomputed.")
        invited = _("Make one yourself and watch it come into being.")
    return f"{shown} {invited}" if live else shown


def why_not(studio: Studio, network: str) -> str:
    """Why nothing is crafted on a network, and what to do, in a sentence."""
    said = _(
        "No pictures are here to make a pattern for {network} from: take {quick} in its place, fetch Imagenette under"
        " Networks, or choose a method that needs no pictures under More."
    )
    return said.format(network=plain(studio.card(network).name), quick=plain(studio.card(QUICK_MODEL).name))


def _under(studio: Studio, photo: str, draft: Pattern) -> Exhibit:
    """The photograph under what was crafted, as the network that it was crafted on sees it."""
    return seen_under(studio.classifier(draft.provenance["network"]), photo, draft.as_perturbation())


def _maker(studio: Studio, draft: Pattern) -> str:
    """The name of the network that it was crafted on."""
    return plain(studio.card(draft.provenance["network"]).name)
