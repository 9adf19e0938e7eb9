"""What becomes of a crafted pattern: it is named, kept in the visitor's session, chosen for all tabs, downloaded, forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gradio as gr

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.ui.session_patterns import OWN_KEPT, add_own, gone_sentence
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import QUICK, guarded, npy_bytes, offer, status

LONGEST_NAME = 60


@dataclass(frozen=True)
class Keeping:
    """``outputs``: name, button and both downloads; ``ready`` fills them from the draft, or switches them off without one."""

    outputs: list[Any]
    ready: Callable[[Pattern | None], tuple[Any, ...]]


def build(studio: Studio, setup: Setup, draft: gr.State) -> Keeping:
    """Lay the row out and wire it. ``draft`` holds the pattern that was crafted last (a ``Pattern``), or None."""
    with gr.Row(equal_height=True):
        name = gr.Textbox(
            label=_("Name it"),
            placeholder=_("any name; left empty, it gets one that says how it was made"),
            max_length=LONGEST_NAME,
            max_lines=1,
            scale=3,
            min_width=280,
            elem_id="craft-name",
        )
        keep = gr.Button(
            _("Keep it: use it in the other tabs"),
            variant="primary",
            interactive=False,
            scale=2,
            min_width=260,
            elem_id="craft-keep",
        )
    with gr.Row():
        npy = gr.DownloadButton(_("Pattern (.npy)"), size="sm", interactive=False, min_width=200, elem_id="craft-npy")
        file = gr.DownloadButton(
            _("Pattern with its provenance (.safetensors)"), size="sm", interactive=False, min_width=300, elem_id="craft-file"
        )
    promise = _(
        "A kept pattern joins the list on the left for as long as this page is open, the newest {count} of them; nobody else"
        " sees it."
    )
    said = gr.HTML(status(promise.format(count=OWN_KEPT)), elem_id="craft-kept-note")
    with gr.Row(equal_height=True, visible=False, elem_id="craft-kept-row") as row:
        kept = gr.Dropdown([], label=_("Kept so far"), scale=3, min_width=280, elem_id="craft-kept")
        use = gr.Button(_("Use it in the other tabs"), scale=1, min_width=200, elem_id="craft-use")
        forget = gr.Button(_("Forget it"), scale=1, min_width=120, elem_id="craft-forget")

    def ready(draft_now: Pattern | None) -> tuple[Any, ...]:
        if draft_now is None:
            return gr.skip(), *(gr.update(interactive=False),) * 3
        return gr.update(placeholder=draft_now.name), gr.update(interactive=True), *_files(draft_now)

    def keep_it(
        draft_now: Pattern | None, typed: str, network: str, own: dict[str, Pattern], asked: tuple[str, int]
    ) -> tuple[Any, ...]:
        if draft_now is None:
            raise PerturbationError(_("Craft a pattern first."))
        named = replace(draft_now, name=clean_name(typed) or unused(draft_now.name, own), origin="kept")
        sentence = _("Kept as {name}. {where}")
        if named.name in own:
            sentence = _("Kept as {name} in place of the one of that name. {where}")
        before, own = own, add_own(own, named)
        said_now = sentence.format(name=named.name, where=_where(studio, network, named))
        return (
            status(said_now + gone_sentence(before, own)),
            own,
            *_chosen(studio, network, own, named.name, asked),
            *_listed(own, named.name),
            *_files(named),
        )

    def use_it(key: str | None, network: str, own: dict[str, Pattern], asked: tuple[str, int]) -> tuple[Any, ...]:
        wanted = _of(own, key)
        sentence = status(f"{wanted.name}: {_where(studio, network, wanted)}")
        return sentence, *_chosen(studio, network, own, wanted.name, asked)

    def forget_it(
        key: str | None, network: str, pattern: str, own: dict[str, Pattern], asked: tuple[str, int]
    ) -> tuple[Any, ...]:
        gone = _of(own, key).name
        own = {other: value for other, value in own.items() if other != key}
        choices = studio.patterns(network, own)
        if pattern == f"own:{key}":  # then the first of the list is chosen instead
            fallback: tuple[Any, ...] = gr.update(choices=choices, value=choices[0][1]), (choices[0][1], asked[1] + 1)
        else:
            fallback = gr.update(choices=choices), gr.skip()
        return status(_("{name} is forgotten.").format(name=gone)), own, *fallback, *_listed(own, None)

    listing = [setup.own, setup.pattern, setup.asked, row, kept]
    keeping = [draft, name, setup.network, setup.own, setup.asked]
    keep.click(guarded(8, 0)(keep_it), keeping, [said, *listing, npy, file], **QUICK)
    # By the button, which is switched off while a run makes the draft.
    name.submit(None, None, None, js="() => document.querySelector('#craft-keep').click()")
    use.click(guarded(3, 0)(use_it), [kept, setup.network, setup.own, setup.asked], [said, *listing[1:3]], **QUICK)
    forget.click(
        guarded(6, 0)(forget_it), [kept, setup.network, setup.pattern, setup.own, setup.asked], [said, *listing], **QUICK
    )
    return Keeping([name, keep, npy, file], ready)


def clean_name(typed: str) -> str:
    """Any text as a name: on one line, without invisible characters, not too long; empty where nothing is left."""
    visible = "".join(letter if letter.isprintable() else " " for letter in typed)
    return " ".join(visible.split())[:LONGEST_NAME].strip()


def unused(name: str, own: dict[str, Pattern]) -> str:
    """``name``, with a number behind it if it is taken."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(found for found in numbered if found not in own)


def file_name(name: str) -> str:
    """A name that every file system takes, without its ending."""
    return f"uap-{re.sub('[^A-Za-z0-9]+', '-', name).strip('-').lower() or 'pattern'}"


def own_format(pattern: Pattern) -> bytes:
    """The pattern with its ball and provenance, as ``save_perturbation`` writes it."""
    from uap_core.perturbations.perturbation import save_perturbation

    with TemporaryDirectory() as folder:
        path = Path(folder) / "pattern.safetensors"
        save_perturbation(pattern.as_perturbation(), path)
        return path.read_bytes()


def _files(pattern: Pattern) -> tuple[Any, Any]:
    """Both downloads, under the pattern's name."""
    stem = file_name(pattern.name)
    return (
        gr.update(value=offer(f"{stem}.npy", npy_bytes(pattern.values)), interactive=True),
        gr.update(value=offer(f"{stem}.safetensors", own_format(pattern)), interactive=True),
    )


def _of(own: dict[str, Pattern], key: str | None) -> Pattern:
    if key is None or key not in own:
        raise PerturbationError(_("This pattern is no longer there."))
    return own[key]


def _chosen(studio: Studio, network: str, own: dict[str, Pattern], name: str, asked: tuple[str, int]) -> tuple[Any, Any]:
    """The list on the left, and the wish to choose this pattern of it, if the network takes it."""
    choices = studio.patterns(network, own)
    fits = f"own:{name}" in [key for _, key in choices]
    return gr.update(choices=choices), (f"own:{name}", asked[1] + 1) if fits else gr.skip()


def _where(studio: Studio, network: str, pattern: Pattern) -> str:
    side = studio.card(network).input_size
    if pattern.values.shape[1] == side:
        return _("It is chosen on the left, and all tabs use it.")
    size = pattern.values.shape[1]
    return _(
        "It fits networks of {size} x {size} pixels, the chosen one takes {side} x {side}: choose another one on the left."
    ).format(size=size, side=side)


def _listed(own: dict[str, Pattern], name: str | None) -> tuple[Any, Any]:
    """The row of what was kept, hidden while that is nothing."""
    names = [key for key, value in own.items() if value.origin == "kept"]
    value = name if name is not None else names[-1] if names else None
    return gr.update(visible=bool(names)), gr.update(choices=names, value=value)
