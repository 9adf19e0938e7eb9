"""What the pictures of live runs are, said where such a run is offered."""

from __future__ import annotations

from uap_core.datasets import imagenette
from uap_core.i18n import _
from uap_core.ui.state import Studio
from uap_core.ui.widgets import status

DRAWN = _(
    "Live runs look at class impressions: pictures that a network drew itself, until it was sure of a class. Photographs"
    " cannot all be shipped."
)


def about_live(studio: Studio, network: str) -> str:
    """Why no live run of ``network`` is offered, or what pictures it looks at where their name needs explaining, as a note."""
    reason = studio.why_not_live(network)
    if reason:
        return status(reason)
    real = (studio.images, imagenette.folder())
    return f'<p class="live-pictures">{DRAWN}</p>' if studio.live_source(network) not in real else ""
