"""What happens in the bar: each choice brings what goes with it, and tells the open tab."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from uap_core.errors import ImageError, PerturbationError
from uap_core.i18n import _
from uap_core.norms import Ball
from uap_core.ui.around.links import NAMES, read
from uap_core.ui.gallery import dream_choices, photo_choices
from uap_core.ui.panel_notes import about_network, about_pattern, about_photo, told_of
from uap_core.ui.pattern_files import open_array, open_pattern, read_again
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.selection import Scene, check_level, usual
from uap_core.ui.sidebar import OWN, Bar, chosen_photo, slider_for, strip_of
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.uploads import path_of
from uap_core.ui.widgets import QUICK, saying

Sent = dict[str, Any] | None  # a file, as the page sends it
NOWHERE = -1  # in the gallery: Gradio would not send None


def wire(studio: Studio, bar: Bar, demo: gr.Blocks) -> None:
    """Let every control of the bar set what goes with it, then ask the open tab to look again."""
    setup, told = bar.setup, saying(bar.said)
    seen = [setup.photo, bar.now, bar.photo_note, bar.said]

    def choose(photo: str, network: str) -> dict[Any, Any]:
        return _photo(studio, bar, photo, network)

    def pick_photo(network: str, mine: str, event: gr.EventData) -> dict[Any, Any]:
        return choose(_offered(event, mine), network)

    picked = bar.strip.click(told(pick_photo), [setup.network, bar.mine], [*seen, bar.dreams], **QUICK)

    def dream(network: str, event: gr.EventData) -> dict[Any, Any]:
        return choose(_dreamt(event), network)

    dreamt = bar.dreams.select(told(dream), setup.network, [*seen, bar.dreams], **QUICK)
    brought = [*seen, bar.strip, bar.mine]
    uploaded = bar.your_photo.upload(
        told(partial(_accept, studio, bar, choose)), [bar.your_photo, setup.network], brought, **QUICK
    )
    opened_here = bar.upload.change(
        told(partial(_accept_image, studio, bar, choose)), [bar.upload, setup.network, setup.photo], brought, **QUICK
    )
    networks = _wire_networks(studio, bar, told)
    patterns = _wire_patterns(studio, bar, told)
    scenes = _wire_scenes(studio, bar, told, demo)
    for event in (picked, dreamt, uploaded, opened_here, *networks, *patterns, *scenes):
        event.then(None, None, None, js="() => uapTurns.chosen()")
    setup.epsilon.change(None, None, None, js="() => uapTurns.moved()")
    setup.turn("later").click(
        saying(bar.level_said)(partial(_check, studio)), setup.inputs[1:], bar.level_said, trigger_mode="always_last", **QUICK
    )


def _wire_networks(studio: Studio, bar: Bar, told: Any) -> list[Any]:
    """Another network brings its own pattern, and that its own strength."""
    setup = bar.setup
    inputs = [setup.network, setup.pattern, setup.own, setup.photo, bar.fitted]
    outputs = [setup.pattern, bar.network_note, bar.photo_note, bar.said]
    switched = on_choice(setup, setup.network)(told(partial(_switch, studio, bar)), inputs, outputs, **QUICK)
    wanted = setup.wanted.change(
        lambda now: gr.update(choices=studio.networks(), value=now[0]), setup.wanted, setup.network, **QUICK
    ).then(told(partial(_switch, studio, bar)), inputs, outputs, **QUICK)
    return [event.then(told(partial(_fit, studio, bar)), **_fitting(bar)) for event in (switched, wanted)]


def _wire_patterns(studio: Studio, bar: Bar, told: Any) -> list[Any]:
    """Another pattern brings its own strength; a file becomes a pattern."""
    setup = bar.setup
    said = [setup.own, setup.pattern, setup.epsilon, bar.pattern_note, bar.fitted, bar.said]
    fitted = on_choice(setup, setup.pattern)(told(partial(_fit, studio, bar)), **_fitting(bar))
    opened = bar.pattern_file.upload(
        told(partial(open_pattern, studio, bar)),
        [bar.pattern_file, setup.network, setup.own],
        [*said, bar.which, bar.reading_box, *bar.reading],
        **QUICK,
    )
    named = on_choice(setup, bar.which)(
        told(partial(open_array, studio, bar)),
        [bar.pattern_file, setup.network, setup.own, bar.which],
        [*said, bar.which, bar.reading_box, *bar.reading],
        **QUICK,
    )
    reread = gr.on(
        [part.input for part in bar.reading],
        told(partial(read_again, studio, bar)),
        [bar.pattern_file, setup.network, setup.own, bar.which, *bar.reading],
        said,
        **QUICK,
    )
    taken = setup.asked.change(told(partial(_take, studio, bar)), [setup.asked, setup.network, setup.own], said[1:], **QUICK)
    return [fitted, opened, named, reread, taken]


def _wire_scenes(studio: Studio, bar: Bar, told: Any, demo: gr.Blocks) -> list[Any]:
    """A link, or whatever stages a whole scene, sets all at once."""
    setup = bar.setup
    panel = [
        *(setup.photo, bar.now, bar.dreams, bar.photo_note, setup.network, bar.network_note, setup.pattern, setup.epsilon),
        *(bar.pattern_note, bar.fitted, bar.said),
    ]

    def open_link(request: gr.Request) -> dict[Any, Any]:
        """What the address names; without a word of ours in it the first view stays as it is, and torch unread."""
        if not any(name in request.query_params for name in NAMES):
            # What another visitor fetched since the page was built is in the list of whoever comes next.
            return {setup.network: gr.update(choices=studio.networks())}
        return _scene(studio, bar, read(request.query_params, studio)[0], {})

    def stage(staged: tuple[Scene, int], own: dict[str, Pattern]) -> dict[Any, Any]:
        return _scene(studio, bar, staged[0], own)

    linked = demo.load(told(open_link), None, panel, **QUICK)
    return [linked, setup.staged.change(told(stage), [setup.staged, setup.own], panel, **QUICK)]


def _photo(studio: Studio, bar: Bar, photo: str, network: str) -> dict[Any, Any]:
    mark = {} if photo.startswith(("dream:", "upload:")) else {bar.dreams: gr.update(selected_index=NOWHERE)}
    return {bar.setup.photo: photo, bar.now: chosen_photo(photo), bar.photo_note: about_photo(photo, studio, network), **mark}


def _offered(event: gr.EventData, mine: str) -> str:
    """The photograph of the strip that was clicked, as the page, or a stranger, sent it; ``mine`` is the path of the visitor's
    own. Raises ImageError for anything else."""
    photo = event._data.get("photo") if isinstance(event._data, dict) else None
    if photo == OWN and mine:
        return f"upload:{mine}"
    if photo not in [key for _, key in photo_choices()]:
        raise ImageError(_("Choose a photograph first, or upload one."))
    return str(photo)


def _dreamt(event: gr.EventData) -> str:
    """The class impression that was clicked. Raises ImageError for anything else."""
    number = event._data.get("index") if isinstance(event._data, dict) else None
    if number not in range(len(dream_choices())):
        raise ImageError(_("Choose a photograph first, or upload one."))
    return f"dream:{number}"


def _accept(studio: Studio, bar: Bar, choose: Any, file: Sent, network: str) -> dict[Any, Any]:
    """A visitor's file, once it could be opened; it gets its place in the strip."""
    path = path_of(file)
    if path is None:
        return {}
    studio.pixels(f"upload:{path}", studio.card(network))
    return {**choose(f"upload:{path}", network), bar.strip: strip_of(path), bar.mine: path}


def _accept_image(studio: Studio, bar: Bar, choose: Any, file: Sent, network: str, photo: str) -> dict[Any, Any]:
    """The same for the camera and the clipboard; once the picture is taken away, the first photograph is back."""
    if path_of(file) is not None:
        return _accept(studio, bar, choose, file, network)
    if not photo.startswith("upload:"):
        return {}
    return {**choose(usual(studio, network).photo, network), bar.strip: strip_of(), bar.mine: ""}


def _switch(
    studio: Studio, bar: Bar, network: str, key: str, own: dict[str, Pattern], photo: str, before: tuple[str, str]
) -> dict[Any, Any]:
    if network == before[0]:  # a tab wished for the one that is chosen
        return {}
    fitting = studio.patterns(network, own)
    keys = [fitting_key for _, fitting_key in fitting]
    stays = key.startswith("own:") and key in keys  # which the visitor opened or made; any other gives way to the network's
    return {
        bar.setup.pattern: gr.update(choices=fitting) if stays else gr.update(choices=fitting, value=keys[0]),
        bar.network_note: about_network(studio, network),
        bar.photo_note: about_photo(photo, studio, network),
    }


def _fitting(bar: Bar) -> dict[str, Any]:
    setup = bar.setup
    inputs = [setup.pattern, setup.network, setup.own, bar.fitted]
    return {"inputs": inputs, "outputs": [setup.epsilon, bar.pattern_note, bar.fitted, bar.said], **QUICK}


def _fit(studio: Studio, bar: Bar, key: str, network: str, own: dict[str, Pattern], before: tuple[str, str]) -> dict[Any, Any]:
    """Another pattern brings its own strength; what another network brings leaves the one that was chosen, if it fits."""
    if (network, key) == before:
        return {}
    balls = [_ball_of(studio, one, network, own) for network, one in (before, (network, key))]
    keeps = key == before[1] or (network != before[0] and balls[0] == balls[1])
    slider = {} if keeps else {bar.setup.epsilon: slider_for(studio.perturbation(key, network, own))}
    return {**slider, bar.pattern_note: about_pattern(key, network, own, studio), bar.fitted: (network, key)}


def _take(studio: Studio, bar: Bar, asked: tuple[str, int], network: str, own: dict[str, Pattern]) -> dict[Any, Any]:
    key = asked[0]
    return {
        bar.setup.epsilon: slider_for(studio.perturbation(key, network, own)),
        bar.setup.pattern: gr.update(choices=studio.patterns(network, own), value=key),
        bar.pattern_note: about_pattern(key, network, own, studio),
        bar.fitted: (network, key),
    }


def _scene(studio: Studio, bar: Bar, scene: Scene, own: dict[str, Pattern]) -> dict[Any, Any]:
    """A whole scene, component by component."""
    setup, wanted = bar.setup, studio.perturbation(scene.pattern, scene.network, own)
    return {
        **_photo(studio, bar, scene.photo, scene.network),
        setup.network: gr.update(choices=studio.networks(), value=scene.network),
        bar.network_note: about_network(studio, scene.network),
        setup.pattern: gr.update(choices=studio.patterns(scene.network, own), value=scene.pattern),
        setup.epsilon: slider_for(wanted, scene.epsilon),
        bar.pattern_note: about_pattern(scene.pattern, scene.network, own, studio),
        bar.fitted: (scene.network, scene.pattern),
    }


def _check(studio: Studio, network: str, key: str, own: dict[str, Pattern], level: float) -> dict[Any, Any]:
    check_level(told_of(key, network, own, studio).ball, level)
    return {}


def _ball_of(studio: Studio, key: str, network: str, own: dict[str, Pattern]) -> Ball | None:
    """The ball of a pattern; None of one that is gone."""
    try:
        return told_of(key, network, own, studio).ball
    except PerturbationError:
        return None
