"""The left panel: photograph, network, perturbation, epsilon. Chosen once, used by every tab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.images import SAMPLE_PHOTOS
from uap_core.library import library, verdict
from uap_core.models.weights import HERE, state
from uap_core.norms import Ball
from uap_core.texts import _
from uap_core.ui.links import NAMES, read
from uap_core.ui.own_patterns import READINGS, add_own, gone_sentence, read_pattern
from uap_core.ui.scene import DEFAULT_PHOTO, LARGEST_LEVEL, Scene, largest_level, own_level
from uap_core.ui.studio import RANDOM_SIGNS, Pattern, Studio, photo_choices, thumbnails
from uap_core.ui.widgets import QUICK, guarded, photo_input, picture_grid, status

NOWHERE = -1  # in the gallery: Gradio would not send None


@dataclass(frozen=True)
class Setup:
    """The components that other tabs read. ``photo`` and ``own`` live in the visitor's session.

    A tab that wants another perturbation chosen sets ``asked`` to its key and a number that it never used before, and
    ``wanted`` likewise for another network, and ``staged`` for a whole Scene. After each choice turns.js presses the button of
    ``turns`` that has the open tab's id, and a moment later the one called "later".
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
    choices = photo_choices()
    photo, own = gr.State(DEFAULT_PHOTO), gr.State({})
    asked, wanted, staged = gr.State(("", 0)), gr.State(("", 0)), gr.State((None, 0))
    networks = studio.networks()
    patterns = studio.patterns(networks[0][1], {})
    fitted = gr.State((networks[0][1], patterns[0][1]))  # what lists, notes and epsilon were last set for
    gr.Markdown(_("### 1 · Photograph"))
    gallery = picture_grid(thumbnails(), 4, "gallery")
    with gr.Accordion(_("Your own: upload, webcam, paste"), open=False, elem_id="own-photo"):
        upload = photo_input(
            show_label=False,
            format="png",
            sources=["upload", "webcam", "clipboard"],
            height=190,
            buttons=[],
            elem_id="upload",
        )
    photo_note = gr.HTML(_about(DEFAULT_PHOTO, studio, networks[0][1]), elem_id="photo-note")
    gr.Markdown(_("### 2 · Network"))
    network = gr.Dropdown(
        networks, value=networks[0][1], label=_("Network"), show_label=False, container=False, elem_id="network"
    )
    network_note = gr.HTML(_about_network(studio, networks[0][1]), elem_id="network-note")
    gr.Markdown(_("### 3 · Perturbation"))
    pattern = gr.Dropdown(
        patterns, value=patterns[0][1], label=_("Perturbation"), show_label=False, container=False, elem_id="pattern"
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
    pattern_note = gr.HTML(_about_pattern(patterns[0][1], networks[0][1], {}, studio), elem_id="pattern-note")
    gr.Markdown(_("### 4 · Strength"))
    epsilon = gr.Slider(
        0,
        LARGEST_LEVEL,
        value=10,
        step=0.5,
        label=_("epsilon, in 255ths"),
        info=_("how far a pixel may move"),
        buttons=[],  # Gradio's would go back to 10, whatever the pattern
        elem_id="epsilon",
    )
    epsilon_note = gr.HTML(elem_id="epsilon-note")

    def place_of(wanted_photo: str) -> int:
        return [offered_photo for _, offered_photo in choices].index(wanted_photo)

    def choose(network_now: str, event: gr.SelectData) -> tuple[str, str]:
        picked_photo = choices[event.index][1]
        return picked_photo, _about(picked_photo, studio, network_now)

    def accept(path: str | None, network_now: str, photo_now: str) -> tuple[Any, ...]:
        """An upload is looked at in place of what the gallery shows as chosen; once it is taken away, its first is."""
        if path is not None:
            studio.pixels(f"upload:{path}", studio.card(network_now))
            return f"upload:{path}", _about("upload:", studio, network_now), gr.update(selected_index=NOWHERE)
        if not photo_now.startswith("upload:"):
            return (gr.skip(),) * 3
        return DEFAULT_PHOTO, _about(DEFAULT_PHOTO, studio, network_now), gr.update(selected_index=place_of(DEFAULT_PHOTO))

    # Gradio calls it an input, too, when the keyboard only passes a list: then nothing may change.
    def switch_network(
        network_now: str, key: str, own_now: dict[str, Pattern], photo_now: str, before: tuple[str, str]
    ) -> tuple[Any, ...]:
        if network_now == before[0]:
            return (gr.skip(),) * 3
        fitting = studio.patterns(network_now, own_now)
        keys = [fitting_key for _, fitting_key in fitting]
        update = gr.update(choices=fitting) if key in keys else gr.update(choices=fitting, value=keys[0])
        return update, _about_network(studio, network_now), _about(photo_now, studio, network_now)

    def fit_epsilon(key: str, network_now: str, own_now: dict[str, Pattern], before: tuple[str, str]) -> tuple[Any, ...]:
        """Another pattern brings its own epsilon; another network leaves the one that was chosen."""
        if (network_now, key) == before:
            return (gr.skip(),) * 3
        slider = gr.skip() if key == before[1] else _slider_for(studio.perturbation(key, network_now, own_now))
        return slider, _about_pattern(key, network_now, own_now, studio), (network_now, key)

    def take(asked_now: tuple[str, int], network_now: str, own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        key = asked_now[0]
        wanted = studio.perturbation(key, network_now, own_now)
        note = _about_pattern(key, network_now, own_now, studio)
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
        parts = said_now + gone_sentence(before, own_now), _story(key, network_now, own_now, studio)
        return own_now, update, _slider_for(opened), status(" ".join(filter(None, parts))), (network_now, key)

    def show(scene: Scene, own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        """A whole scene, in the order of ``panel``."""
        wanted_pattern = studio.perturbation(scene.pattern, scene.network, own_now)
        return (
            scene.photo,
            gr.update(selected_index=place_of(scene.photo)),
            _about(scene.photo, studio, scene.network),
            gr.update(choices=studio.networks(), value=scene.network),
            _about_network(studio, scene.network),
            gr.update(choices=studio.patterns(scene.network, own_now), value=scene.pattern),
            _slider_for(wanted_pattern, scene.epsilon),
            _about_pattern(scene.pattern, scene.network, own_now, studio),
            (scene.network, scene.pattern),
        )

    def open_link(request: gr.Request) -> tuple[Any, ...]:
        """What the address names; without a word of ours in it the first view stays as it is, and torch unread."""
        if not any(name in request.query_params for name in NAMES):
            # What another visitor fetched since the page was built is in the list of whoever comes next.
            return *(gr.skip(),) * 3, gr.update(choices=studio.networks()), *(gr.skip(),) * 5
        return show(read(request.query_params, studio)[0], {})

    def stage(staged_now: tuple[Scene, int], own_now: dict[str, Pattern]) -> tuple[Any, ...]:
        return show(staged_now[0], own_now)

    panel = [photo, gallery, photo_note, network, network_note, pattern, epsilon, pattern_note, fitted]
    linked = demo.load(guarded(len(panel), 4)(open_link), None, panel, **QUICK)
    set_up = staged.change(guarded(len(panel), 4)(stage), [staged, own], panel, **QUICK)
    picked = gallery.select(choose, [network], [photo, photo_note], **QUICK)
    uploaded = upload.change(guarded(3, 1)(accept), [upload, network, photo], [photo, photo_note, gallery], **QUICK)

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
    for event in (linked, picked, uploaded, refitted, repatterned, opened, reread, taken, rewanted, set_up):
        event.then(None, None, None, js="() => uapTurns.chosen()")
    epsilon.change(None, None, None, js="() => uapTurns.moved()")

    def check_epsilon(network_now: str, key: str, own_now: dict[str, Pattern], level: float) -> str:
        check_level(_told(key, network_now, own_now, studio).ball, level)
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


def _about(photo: str, studio: Studio, network: str) -> str:
    """What the photograph is, and whether the network can know it."""
    kind, name = photo.partition(":")[::2]
    if kind == "dream":
        return status(_("Dreamt by the network: optimised from noise until it saw one of its classes."))
    if kind == "upload":
        return status(_("Your picture. It stays on the machine that runs this page."))
    sample = next(sample for sample in SAMPLE_PHOTOS if sample.key == name)
    names = {entry["name"] for entry in classes} if isinstance(classes := studio.card(network).classes, list) else None
    if names is not None and not names.intersection(sample.shows):
        return status(
            _("{credit}. Not among this network's {count} classes: it will name the nearest it knows.").format(
                credit=sample.credit, count=len(names)
            )
        )
    return status(f"{sample.credit}.")


def _about_network(studio: Studio, network: str) -> str:
    card = studio.card(network)
    top1 = card.measured.get("top1")
    measured = _("{top1:.1%} right on {images}.").format(top1=top1, images=card.measured["set"]) if top1 else ""
    others = sum(state(other) != HERE for other in studio.zoo.cards().values())
    more = _("{count} more to fetch under Networks.").format(count=others) if others else ""
    return status(" ".join(filter(None, (measured, card.note, more))))


def _told(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> Any:
    """What tells a pattern's ball and provenance: of a ready-made one without torch, so when the page is opened."""
    ready_made = (entry for entry in library() if entry.key == key)
    return next(ready_made, None) or studio.perturbation(key, network, own)


def _about_pattern(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> str:
    said = _story(key, network, own, studio)
    return status(said) if said else ""


def _story(key: str, network: str, own: dict[str, Pattern], studio: Studio) -> str:
    """Where a pattern comes from and what it does, in words; empty when that is not known."""
    if key == RANDOM_SIGNS:
        return _("Not crafted: every value is plus or minus epsilon by the toss of a coin.")
    provenance = _told(key, network, own, studio).provenance
    found = verdict(provenance)
    if not found:
        return ""
    maker, images = provenance.get("network"), provenance.get("craft_set", _("images"))
    signs = provenance["held_out"].get("random_signs")
    beside = _("; random signs of its size {rate:.1%}").format(rate=signs) if signs is not None else ""
    if maker == network:
        crafted = _("Crafted on {images}.").format(images=images)
        return f"{crafted} {found[0].upper()}{found[1:]}{beside}."
    cards = studio.zoo.cards()
    names = [cards[part].name if part in cards else part for part in str(maker).split(", ")]
    elsewhere = _("Crafted on {images} for {network}, where it {fools}.")
    return elsewhere.format(images=images, network=", ".join(names), fools=found + beside)
