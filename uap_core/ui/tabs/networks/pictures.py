"""A section of the tab Networks: photographs to measure on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.datasets import imagenette
from uap_core.i18n import _
from uap_core.ui.runtime.fetching import told
from uap_core.ui.state import Studio
from uap_core.ui.widgets import FETCHING, QUICK, guarded, status

IMAGES = _(
    "Live runs on most networks need photographs. Imagenette has 13 394 of ten classes"
    " ({size} MB, Apache-2.0); or start the app with --images and a folder or zip of your own."
).format(size=imagenette.MEGABYTES)


@dataclass(frozen=True)
class Views:
    """What the section's events answer."""

    studio: Studio

    def look_at_pictures(self, loading: bool) -> tuple[Any, ...]:
        """A sentence, and which of the two buttons there is."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        if loading:
            return gr.skip(), hidden, shown
        if self.studio.images:
            return status(_("Yours: {name}.").format(name=self.studio.images.name)), hidden, hidden
        if imagenette.is_here():
            return status(_("Imagenette is here.")), hidden, hidden
        return status(IMAGES), shown, hidden

    def get_them(self) -> Iterator[tuple[Any, ...]]:
        """Fetch Imagenette."""
        yield status(_("Asking for Imagenette…")), gr.update(visible=False), gr.update(visible=True), True
        for sentence in told("Imagenette", imagenette.fetch()):
            yield sentence, gr.skip(), gr.skip(), gr.skip()
        yield *self.look_at_pictures(False), False

    def buttons_after(self) -> tuple[Any, ...]:
        """The buttons when fetching has ended: whatever it said stays."""
        return self.look_at_pictures(False)[1:]


def build(studio: Studio, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    views = Views(studio)
    gr.Markdown(_("#### Photographs to measure on"))
    said = gr.HTML(elem_id="networks-pictures")
    size = imagenette.MEGABYTES
    with gr.Row():
        get = gr.Button(
            _("Download Imagenette, {size} MB").format(size=size),
            visible=False,
            scale=0,
            min_width=260,
            elem_id="pictures-fetch",
        )
        stop = gr.Button(_("Cancel"), variant="stop", visible=False, scale=0, min_width=120, elem_id="pictures-stop")
    loading, parts = gr.State(False), [said, get, stop]
    look = guarded(3, 0)(views.look_at_pictures)
    tab.select(look, loading, parts, **QUICK)
    fetching = get.click(guarded(4, 0)(views.get_them), None, [*parts, loading], **FETCHING)
    ended = fetching.then(lambda: False, None, loading, **QUICK)
    ended.then(views.buttons_after, None, parts[1:], **QUICK)
    stopped = stop.click(None, None, None, cancels=[fetching]).then(lambda: False, None, loading, **QUICK)
    stopped.then(look, loading, parts, **QUICK)
