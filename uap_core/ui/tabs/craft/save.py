"""What becomes of a crafted pattern: it is used in all tabs, kept under a name, downloaded, cleared away, forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import gradio as gr
import numpy as np

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.ui.html.lesson import does
from uap_core.ui.pattern_names import LONGEST_NAME, clean_name, file_name, unused
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.session_patterns import add_own, gone_sentence
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import QUICK, npy_bytes, offer, status


@dataclass(frozen=True)
class Keeping:
    """The components around a finished pattern."""

    result: gr.Column
    use: gr.Button
    name: gr.Textbox
    keep: gr.Button
    clear: gr.Button
    said: gr.HTML
    row: gr.Row
    kept: gr.Dropdown
    choose: gr.Button
    forget: gr.Button


@dataclass(frozen=True)
class Files:
    """The downloads of a finished pattern."""

    npy: gr.DownloadButton
    file: gr.DownloadButton


def lay_out() -> Keeping:
    """What stands beside the result, seen once there is one, and the list of what was kept, seen once there is any."""
    with gr.Column(visible=False, elem_id="craft-result") as result:
        with gr.Row(equal_height=True):
            use = gr.Button(_("Use it"), variant="primary", scale=0, min_width=90, elem_id="craft-use")
            gr.HTML(does(_("All tabs show this pattern from now on.")))
        with gr.Row(equal_height=True):
            keep = gr.Button(_("Keep"), scale=0, min_width=90, elem_id="craft-keep")
            gr.HTML(does(_("It joins the list of patterns as")))
            name = gr.Textbox(
                label=_("Name it"),
                show_label=False,
                container=False,
                placeholder=_("any name; left empty, it says how it was made"),
                max_length=LONGEST_NAME,
                max_lines=1,
                scale=3,
                min_width=140,
                elem_id="craft-name",
            )
        with gr.Row(equal_height=True):
            clear = gr.Button(_("Clear"), scale=0, min_width=90, elem_id="craft-clear")
            gr.HTML(does(_("This result goes; what was used or kept stays.")))
    said = gr.HTML(elem_id="craft-kept-note")
    with gr.Row(equal_height=True, visible=False, elem_id="craft-kept-row") as row:
        kept = gr.Dropdown([], label=_("Kept so far"), show_label=False, container=False, min_width=140, elem_id="craft-kept")
        choose = gr.Button(_("Use this one"), scale=0, min_width=120, elem_id="craft-choose")
        forget = gr.Button(_("Forget it"), scale=0, min_width=100, elem_id="craft-forget")
    return Keeping(result, use, name, keep, clear, said, row, kept, choose, forget)


def lay_out_files() -> Files:
    """The downloads."""
    with gr.Row():
        npy = gr.DownloadButton(_("Pattern (.npy)"), size="sm", interactive=False, min_width=200, elem_id="craft-npy")
        file = gr.DownloadButton(
            _("Pattern with its provenance (.safetensors)"), size="sm", interactive=False, min_width=300, elem_id="craft-file"
        )
    return Files(npy, file)


def wire(studio: Studio, setup: Setup, keeping: Keeping, files: Files, draft: gr.State) -> None:
    """``draft`` holds the pattern that was crafted last (a ``Pattern``), or None."""
    places = {
        "said": keeping.said,
        "own": setup.own,
        "pattern": setup.pattern,
        "asked": setup.asked,
        "row": keeping.row,
        "kept": keeping.kept,
        "npy": files.npy,
        "file": files.file,
    }
    session = [setup.network, setup.own, setup.asked]

    def on(button: gr.Button, handler: Any, inputs: list[Any]) -> None:
        answered = filling(handler, places, studio)
        button.click(answered, [*inputs, *session], list(places.values()), **QUICK)

    on(keeping.use, use_it, [draft, setup.pattern])
    on(keeping.keep, keep_it, [draft, keeping.name, setup.pattern])
    on(keeping.choose, choose_it, [keeping.kept])
    on(keeping.forget, forget_it, [keeping.kept, setup.pattern])
    # By the button, which is not there while a run makes the draft.
    keeping.name.submit(None, None, None, js="() => document.querySelector('#craft-keep')?.click()")
    # Other tabs keep what they made as well, and ask for it. Not the last wish alone: the list of patterns waits for that.
    listed = {name: places[name] for name in ("said", "row", "kept")}
    setup.asked.change(
        filling(list_kept, listed), [setup.own, keeping.kept], list(listed.values()), trigger_mode="multiple", **QUICK
    )


def ready(draft: Pattern | None) -> dict[str, Any]:
    """What can be done with a finished pattern; nothing without one."""
    if draft is None:
        return {"result": gr.update(visible=False), **dict.fromkeys(("npy", "file"), gr.update(interactive=False))}
    return {"result": gr.update(visible=True), "name": gr.update(placeholder=draft.name), **_files(draft)}


def use_it(
    studio: Studio,
    draft: Pattern | None,
    pattern: str,
    network: str,
    own: dict[str, Pattern],
    asked: tuple[str, int],
    origin: Literal["kept", "run"] = "run",
) -> dict[str, Any]:
    """All tabs use it, under the name that it was kept by, or else under its own, numbered where that is another one's."""
    draft = _there(draft)
    same = [name for name, value in own.items() if np.array_equal(value.values, draft.values)]
    before, named = own, draft
    if not same:
        named = replace(draft, name=unused(draft.name, own), origin=origin)
        own = add_own(own, named, pattern)
    name = same[-1] if same else named.name
    said = f"{name}: {_where(studio, network, named)}{gone_sentence(before, own)}"
    return {"said": status(said), "own": own} | _chosen(studio, network, own, name, asked)


def keep_it(
    studio: Studio,
    draft: Pattern | None,
    typed: str,
    pattern: str,
    network: str,
    own: dict[str, Pattern],
    asked: tuple[str, int],
) -> dict[str, Any]:
    """It joins the list of patterns under its name; what is chosen stays chosen."""
    draft = _there(draft)
    named = replace(draft, name=clean_name(str(typed or "")) or unused(draft.name, own), origin="kept")
    fits = named.values.shape[1] == studio.card(network).input_size
    listed = _("it is in the list of patterns while this page is open, and nobody else sees it.")
    sentence = _("Kept as {name}: {where}")
    if named.name in own:
        sentence = _("Kept as {name}, in place of the one of that name: {where}")
    before, own = own, add_own(own, named, pattern)
    where = listed if fits else _where(studio, network, named)
    said = sentence.format(name=named.name, where=where) + gone_sentence(before, own)
    choices = {"pattern": gr.update(choices=studio.patterns(network, own))}
    return {"said": status(said), "own": own} | choices | _listed(own, named.name) | _files(named)


def choose_it(studio: Studio, key: str | None, network: str, own: dict[str, Pattern], asked: tuple[str, int]) -> dict[str, Any]:
    """All tabs use one that was kept."""
    wanted = _of(own, key)
    said = status(f"{wanted.name}: {_where(studio, network, wanted)}")
    return {"said": said} | _chosen(studio, network, own, wanted.name, asked)


def forget_it(
    studio: Studio, key: str | None, pattern: str, network: str, own: dict[str, Pattern], asked: tuple[str, int]
) -> dict[str, Any]:
    """One that was kept goes."""
    gone = _of(own, key).name
    own = {other: value for other, value in own.items() if other != key}
    choices = studio.patterns(network, own)
    found: dict[str, Any] = {"pattern": gr.update(choices=choices)}
    if pattern == f"own:{key}":  # then the first of the list is chosen instead
        found = {"pattern": gr.update(choices=choices, value=choices[0][1]), "asked": (choices[0][1], asked[1] + 1)}
    return {"said": status(_("{name} is forgotten.").format(name=gone)), "own": own} | found | _listed(own, None)


def list_kept(own: dict[str, Pattern], chosen: str | None) -> dict[str, Any]:
    """The list of what was kept, here or in another tab; what is chosen in it stays so while it is there."""
    return _listed(own, chosen if chosen in own else None)


def own_format(pattern: Pattern) -> bytes:
    """The pattern with its ball and provenance, as ``save_perturbation`` writes it."""
    from uap_core.perturbations.perturbation import save_perturbation

    with TemporaryDirectory() as folder:
        path = Path(folder) / "pattern.safetensors"
        save_perturbation(pattern.as_perturbation(), path)
        return path.read_bytes()


def _files(pattern: Pattern) -> dict[str, Any]:
    """Both downloads, under the pattern's name."""
    stem = file_name(pattern.name)
    return {
        "npy": gr.update(value=offer(f"{stem}.npy", npy_bytes(pattern.values)), interactive=True),
        "file": gr.update(value=offer(f"{stem}.safetensors", own_format(pattern)), interactive=True),
    }


def _there(draft: Pattern | None) -> Pattern:
    if draft is None:
        raise PerturbationError(_("Craft a pattern first."))
    return draft


def _of(own: dict[str, Pattern], key: str | None) -> Pattern:
    if key is None or key not in own:
        raise PerturbationError(_("This pattern is no longer there."))
    return own[key]


def _chosen(studio: Studio, network: str, own: dict[str, Pattern], name: str, asked: tuple[str, int]) -> dict[str, Any]:
    """The list of patterns, and the wish to choose this one of it, if the network takes it."""
    choices = studio.patterns(network, own)
    fits = f"own:{name}" in [key for _, key in choices]
    wish = {"asked": (f"own:{name}", asked[1] + 1)} if fits else {}
    return {"pattern": gr.update(choices=choices)} | wish


def _where(studio: Studio, network: str, pattern: Pattern) -> str:
    side = studio.card(network).input_size
    if pattern.values.shape[1] == side:
        return _("chosen, and all tabs use it.")
    size = pattern.values.shape[1]
    return _("it fits networks of {size} x {size} pixels, the chosen one takes {side} x {side}: choose another one.").format(
        size=size, side=side
    )


def _listed(own: dict[str, Pattern], name: str | None) -> dict[str, Any]:
    """The row of what was kept, hidden while that is nothing."""
    names = [key for key, value in own.items() if value.origin == "kept"]
    value = name if name is not None else names[-1] if names else None
    return {"row": gr.update(visible=bool(names)), "kept": gr.update(choices=names, value=value)}
