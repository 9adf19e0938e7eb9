"""A section of the tab Networks: photographs to measure on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.datasets import imagenette
from uap_core.i18n import _
from uap_core.ui.runtime.fetching import told
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.state import Studio
from uap_core.ui.widgets import FETCHING, QUICK, status

IMAGES = _(
    "Live runs on most networks need photographs. Imagenette has 13 394 of ten classes"
    " ({size} MB, Apache-2.0); or start the app with --images and a folder or zip of your own."
).format(size=imagenette.MEGABYTES)


@dataclass(frozen=True)
class Views:
    """What the section's events answer."""

    studio: Studio

    def look_at_pictures(self, loading: bool) -> dict[str, Any]:
        """A sentence, and which of the two buttons there is."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        if loading:
            return {"get": hidden, "stop": shown}
        if self.studio.images:
            return {"said": status(_("Yours: {name}.").format(name=self.studio.images.name)), "get": hidden, "stop": hidden}
        if imagenette.is_here():
            return {"said": status(_("Imagenette is here.")), "get": hidden, "stop": hidden}
        return {"said": status(IMAGES), "get": shown, "stop": hidden}

    def get_them(self) -> Iterator[dict[str, Any]]:
        """Fetch Imagenette."""
        asking = status(_("Asking for Imagenette…"))
        yield {"said": asking, "get": gr.update(visible=False), "stop": gr.update(visible=True), "loading": True}
        for sentence in told("Imagenette", imagenette.fetch()):
            yield {"said": sentence}
        yield {**self.look_at_pictures(False), "loading": False}

    def buttons_after(self) -> dict[str, Any]:
        """The buttons when fetching has ended: whatever it said stays."""
        return self.look_at_pictures(False) | {"said": gr.skip()}


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
    loading = gr.State(False)
    places = {"said": said, "get": get, "stop": stop, "loading": loading}
    look, parts = filling(views.look_at_pictures, places), list(places.values())
    tab.select(look, loading, parts, **QUICK)
    fetching = get.click(filling(views.get_them, places), None, parts, **FETCHING)
    ended = fetching.then(lambda: False, None, loading, **QUICK)
    ended.then(filling(views.buttons_after, places), None, parts, **QUICK)
    stopped = stop.click(None, None, None, cancels=[fetching]).then(lambda: False, None, loading, **QUICK)
    stopped.then(look, loading, parts, **QUICK)
