"""The left panel: photograph, network, perturbation, epsilon. Chosen once, used by every tab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from uap_core.errors import PerturbationError, SettingError
from uap_core.i18n import _
from uap_core.norms import Ball
from uap_core.ui.around.links import NAMES, read
from uap_core.ui.gallery import dream_choices, dream_thumbnails, photo_choices, thumbnails
from uap_core.ui.panel_notes import about_network, about_pattern, about_photo, story_of, told_of
from uap_core.ui.selection import LARGEST_LEVEL, Scene, largest_level, own_level, usual
from uap_core.ui.session_patterns import READINGS, add_own, gone_sentence, read_pattern
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import QUICK, guarded, photo_input, picture_grid, status

NOWHERE = -1  # in the gallery: Gradio would not send None


@dataclass(frozen=True)
class Setup:
    """The components that other tabs read. ``photo`` and ``own`` live in the visitor's session.

    A tab that wants another perturbation chosen sets ``asked`` to its key and a number that it never used before, and
    ``wanted`` likewise for another network, and ``staged`` for a whole Scene. After each choice refresh.js presses the button
    of ``turns`` that has the open tab's id, and a moment later the one called "later".
    """

    photo: gr.State
    own: gr.State
    network: gr.Dropdown
    pattern: gr.Dropdown
    epsilon: gr.Slider
    asked: gr.State
    wanted: gr.State
    staged: gr.State
    unseen: gr.Column
    turns: dict[str, gr.Button] = field(default_factory=dict)

    def turn(self, name: str) -> gr.Button:
        """The button that nobody sees, pressed when it is the turn of the tab ``name``, or of what may come "later"."""
        if name not in self.turns:
            with self.unseen:  # not in the tab: what stands there is built when it is opened
                self.turns[name] = gr.Button("", elem_id=f"turn-{name}")
        return self.turns[name]

    @property
    def inputs(self) -> list[Any]:
        """What every handler takes first: photo, network, pattern, own, epsilon."""
        return [self.photo, self.network, self.pattern, self.own, self.epsilon]


def build(studio: Studio, demo: gr.Blocks) -> Setup:
    """Lay out the panel and wire what happens within it."""
    choices, dreams = photo_choices(), dream_choices()
    first = usual(studio)
    photo, own = gr.State(first.photo), gr.State({})
    asked, wanted, staged = gr.State(("", 0)), gr.State(("", 0)), gr.State((None, 0))
    networks, patterns = studio.networks(), studio.patterns(first.network, {})
    fitted = gr.State((first.network, first.pattern))  # what lists, notes and epsilon were last set for
    gr.Markdown(_("### 1 · Photograph"))
    gallery = picture_grid(thumbnails(), 4, "gallery")
    with gr.Accordion(_("More: what a network dreams of"), open=False, visible=bool(dreams), elem_id="more-pictures"):
        dream_gallery = picture_grid(dream_thumbnails(), 4, "dreams")
    with gr.Accordion(_("Your own: upload, webcam, paste"), open=False, elem_id="own-photo"):
        upload = photo_input(
            show_label=False,
            format="png",
            sources=["upload", "webcam", "clipboard"],
            height=190,
            buttons=[],
            elem_id="upload",
        )
    photo_note = gr.HTML(about_photo(first.photo, studio, first.network), elem_id="photo-note")
    gr.Markdown(_("### 2 · Network"))
    network = gr.Dropdown(
        networks, value=first.network, label=_("Network"), show_label=False, container=False, elem_id="network"
    )
    network_note = gr.HTML(about_network(studio, first.network), elem_id="network-note")
    gr.Markdown(_("### 3 · Perturbation"))
    pattern = gr.Dropdown(
        patterns, value=first.pattern, label=_("Perturbation"), show_label=False, container=False, elem_id="pattern"
    )
    with gr.Accordion(_("Open your own file"), open=False, elem_id="own-pattern"):
        gr.HTML(status(_(".npy, .npz, .mat, .pth or .safetensors, from this page or from anybody.")))
        pattern_file = gr.File(show_label=False, height=110, elem_id="pattern-file")
        with gr.Column(visible=False, elem_id="reading") as reading_box:
            gr.HTML(status(_("Told from the file's numbers; swapped axes and colours only you can know.")))
            reading = [
                gr.Radio(options, show_label=False, container=False, elem_id=f"reading-{name}")
                for name, options in READINGS.items()
            ]
    pattern_note = gr.HTML(about_pattern(first.pattern, first.network, {}, studio), elem_id="pattern-note")
    gr.Markdown(_("### 4 · Strength"))
    epsilon = gr.Slider(
        0,
        LARGEST_LEVEL,
        value=first.epsilon,
        step=0.5,
        label=_("epsilon, in 255ths"),
        info=_("how far a pixel may move"),
        buttons=[],  # Gradio's would go back to 10, whatever the pattern
        elem_id="epsilon",
    )
    epsilon_note = gr.HTML(elem_id="epsilon-note")

    def marked(photo_now: str) -> tuple[Any, Any]:
        """Both galleries, with the place of the chosen picture in its own."""

        def place(offered: list[tuple[str, str]]) -> Any:
            keys = [key for _, key in offered]
            return gr.update(selected_index=keys.index(photo_now) if photo_now in keys else NOWHERE)

        return place(choices), place(dreams)

    def choose(network_now: str, photo_now: str, event: gr.SelectData) -> tuple[Any, ...]:
        picked = choices[event.index][1]
        other = gr.update(selected_index=NOWHERE) if photo_now.startswith("dream:") else gr.skip()
        return picked, about_photo(picked, studio, network_now), other

    def dream(network_now: str, photo_now: str, event: gr.SelectData) -> tuple[Any, ...]:
        picked = dreams[event.index][1]
        other = gr.skip() if photo_now.startswith("dream:") else gr.update(selected_index=NOWHERE)
        return picked, about_photo(picked, studio, network_now), other

    def accept(path: str | None, network_now: str, photo_now: str) -> tuple[Any, ...]:
        """An upload is looked at in place of what the galleries show as chosen; once it is taken away, the first picture is."""
        if path is not None:
            studio.pixels(f"upload:{path}", studio.card(network_now))
            return f"upload:{path}", about_photo("upload:", studio, network_now), *marked("upload:")
        if not photo_now.startswith("upload:"):
            return (gr.skip(),) * 4
        photo_now = usual(studio, network_now).photo
        return photo_now, about_photo(photo_now, studio, network_now), *marked(photo_now)

    # Gradio calls it an input, too, when the keyboard only passes a list: then nothing may change.
    def switch_network(
        network_now: str, key: str, own_now: dict[str, Pattern], photo_now: str, before: tuple[str, str]
    ) -> tuple[Any, ...]:
        if network_now == before[0]:
            return (gr.skip(),) * 3
        fitting = studio.patterns(network_now, own_now)
        keys = [fitting_key for _, fitting_key in fitting]
        stays = key.startswith("own:") and key in keys  # which the visitor opened or made; any other gives way to the network's
        update = gr.update(choices=fitting) if stays else gr.update(choices=fitting, value=keys[0])
        return update, about_network(studio, network_now), about_photo(photo_now, studio, network_now)

    def fit_epsilon(key: str, network_now: str, own_now: dict[str, Pattern], before: tuple[str, str]) -> tuple[Any, ...]:
        """Another pattern brings its own epsilon; what another network brings leaves the one that was chosen, if it fits."""
        if (network_now, key) == before:
            return (gr.skip(),) * 3
        balls = [_ball_of(one, network, own_now, studio) for network, one in (before, (network_now, key))]
        keeps = key == before[1] or (network_now != before[0] and balls[0] == balls[1])
        slider = gr.skip() if keeps else _slider_for(studio.perturbation(key, network_now, own_now))
        return slider, about_pattern(key, network_now, own_now, studio), (network_now, key)

    def take(asked_now: tuple[str, int], network_now: str, own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        key = asked_now[0]
        wanted = studio.perturbation(key, network_now, own_now)
        note = about_pattern(key, network_now, own_now, studio)
        return gr.update(value=key), _slider_for(wanted), note, (network_now, key)

    def open_pattern(file: str | None, network_now: str, own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        if file is None:
            return (gr.skip(),) * (6 + len(reading))
        found, how = read_pattern(Path(file), studio.card(network_now).input_size)
        shown = [gr.update(value=value) for value in how] if how else [gr.skip()] * len(reading)
        sentence = _("Opened {name}: {reading}.")
        if found.name in own_now:
            sentence = _("Opened {name} in place of the one of that name: {reading}.")
        return *opened_as(found, how, network_now, own_now, sentence), gr.update(visible=bool(how)), *shown

    def read_anew(file: str | None, network_now: str, own_now: dict[str, Pattern], *how: str) -> tuple[Any, ...]:
        if file is None:
            return *(gr.skip(),) * 3, status(_("Open the file again to read it in another way.")), gr.skip()
        found = read_pattern(Path(file), studio.card(network_now).input_size, how)[0]
        return opened_as(found, how, network_now, own_now, _("Opened {name}: {reading}."))

    def opened_as(
        found: Pattern, how: Sequence[str], network_now: str, own_now: dict[str, Pattern], sentence: str
    ) -> tuple[Any, ...]:
        before, own_now = own_now, add_own(own_now, found)
        key = f"own:{found.name}"
        update = gr.update(choices=studio.patterns(network_now, own_now), value=key)
        opened = studio.perturbation(key, network_now, own_now)
        said_now = sentence.format(name=opened.name, reading=", ".join([str(opened.ball), *how[:2]]))
        parts = said_now + gone_sentence(before, own_now), story_of(key, network_now, own_now, studio)
        return own_now, update, _slider_for(opened), status(" ".join(filter(None, parts))), (network_now, key)

    def show(scene: Scene, own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        """A whole scene, in the order of ``panel``."""
        wanted_pattern = studio.perturbation(scene.pattern, scene.network, own_now)
        return (
            scene.photo,
            *marked(scene.photo),
            about_photo(scene.photo, studio, scene.network),
            gr.update(choices=studio.networks(), value=scene.network),
            about_network(studio, scene.network),
            gr.update(choices=studio.patterns(scene.network, own_now), value=scene.pattern),
            _slider_for(wanted_pattern, scene.epsilon),
            about_pattern(scene.pattern, scene.network, own_now, studio),
            (scene.network, scene.pattern),
        )

    def open_link(request: gr.Request) -> tuple[Any, ...]:
        """What the address names; without a word of ours in it the first view stays as it is, and torch unread."""
        if not any(name in request.query_params for name in NAMES):
            # What another visitor fetched since the page was built is in the list of whoever comes next.
            return *(gr.skip(),) * 4, gr.update(choices=studio.networks()), *(gr.skip(),) * 5
        return show(read(request.query_params, studio)[0], {})

    def stage(staged_now: tuple[Scene, int], own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        return show(staged_now[0], own_now)

    panel = [photo, gallery, dream_gallery, photo_note, network, network_note, pattern, epsilon, pattern_note, fitted]
    linked = demo.load(guarded(len(panel), 5)(open_link), None, panel, **QUICK)
    set_up = staged.change(guarded(len(panel), 5)(stage), [staged, own], panel, **QUICK)
    picked = gallery.select(choose, [network, photo], [photo, photo_note, dream_gallery], **QUICK)
    dreamt = dream_gallery.select(dream, [network, photo], [photo, photo_note, gallery], **QUICK)
    uploaded = upload.change(
        guarded(4, 1)(accept), [upload, network, photo], [photo, photo_note, gallery, dream_gallery], **QUICK
    )

    switched = network.input(
        guarded(3, 1)(switch_network), [network, pattern, own, photo, fitted], [pattern, network_note, photo_note], **QUICK
    )
    renetworked = wanted.change(
        lambda wanted_now: gr.update(choices=studio.networks(), value=wanted_now[0]), wanted, network, **QUICK
    ).then(guarded(3, 1)(switch_network), [network, pattern, own, photo, fitted], [pattern, network_note, photo_note], **QUICK)
    fit: dict[str, Any] = {"inputs": [pattern, network, own, fitted], "outputs": [epsilon, pattern_note, fitted], **QUICK}
    rewanted = renetworked.then(guarded(3, 1)(fit_epsilon), **fit)
    refitted = switched.then(guarded(3, 1)(fit_epsilon), **fit)
    repatterned = pattern.input(guarded(3, 1)(fit_epsilon), **fit)
    said = [own, pattern, epsilon, pattern_note, fitted]
    opened = pattern_file.upload(
        guarded(6 + len(reading), 3)(open_pattern), [pattern_file, network, own], [*said, reading_box, *reading], **QUICK
    )
    reread = gr.on(
        [part.input for part in reading], guarded(5, 3)(read_anew), [pattern_file, network, own, *reading], said, **QUICK
    )
    taken = asked.change(guarded(4, 2)(take), [asked, network, own], [pattern, epsilon, pattern_note, fitted], **QUICK)
    for event in (linked, picked, dreamt, uploaded, refitted, repatterned, opened, reread, taken, rewanted, set_up):
        event.then(None, None, None, js="() => uapTurns.chosen()")
    epsilon.change(None, None, None, js="() => uapTurns.moved()")

    def check_epsilon(network_now: str, key: str, own_now: dict[str, Pattern], level: float) -> str:
        check_level(told_of(key, network_now, own_now, studio).ball, level)
        return ""

    with gr.Column(elem_id="turns") as unseen:
        pass
    setup = Setup(photo, own, network, pattern, epsilon, asked, wanted, staged, unseen)
    setup.turn("later").click(guarded(1, 0)(check_epsilon), setup.inputs[1:], epsilon_note, trigger_mode="always_last", **QUICK)
    return setup


def chosen(studio: Studio, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> Any:
    """The chosen perturbation scaled to the slider's epsilon. Raises SettingError when that is out of range."""
    perturbation = studio.perturbation(pattern, network, own)
    check_level(perturbation.ball, epsilon)
    return perturbation.scaled_to(epsilon / 255)


def check_level(ball: Ball, epsilon: Any) -> None:
    """Raise SettingError when the slider's epsilon is none for patterns of ``ball``."""
    if not isinstance(epsilon, (int, float)) or not 0 <= epsilon <= largest_level(ball):
        raise SettingError(_("Epsilon must lie between 0 and {largest:g}/255.").format(largest=largest_level(ball)))


def _slider_for(perturbation: Any, level: float | None = None) -> Any:
    """The slider for a pattern, at ``level`` or at the epsilon that it was made for (255ths)."""
    ball = perturbation.ball
    value, top = own_level(ball) if level is None else level, largest_level(ball)
    if ball.p == "linf":
        return gr.update(maximum=top, step=0.5, value=value, info=_("how far a pixel may move"))
    return gr.update(maximum=top, step=round(top / 80, 2), value=value, info=_("length of the pattern (l2)"))


def _ball_of(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> Ball | None:
    """The ball of a pattern; None of one that is gone."""
    try:
        return told_of(key, network, own, studio).ball
    except PerturbationError:
        return None
