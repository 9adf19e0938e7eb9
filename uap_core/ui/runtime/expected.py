"""How long a run will take, said before it starts, and how long it still takes, while it goes."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _

if TYPE_CHECKING:
    from uap_core.ui.state import Studio

PROBED = 8  # pictures
SURE_AFTER = 2.0  # seconds, from when on what is left is told

_paces: dict[str, float] = {}
_probing = threading.Lock()


def picture_seconds(studio: Studio, network: str) -> float:
    """What one picture takes to go through a network here, measured once a process."""
    import torch

    with _probing:
        if network not in _paces:
            classifier = studio.classifier(network)
            pictures = torch.full((PROBED, 3, classifier.size, classifier.size), 0.5)
            with torch.inference_mode():
                classifier(pictures)  # the first time takes longer
                started = time.perf_counter()
                classifier(pictures)
            _paces[network] = (time.perf_counter() - started) / PROBED
        return _paces[network]


def about(seconds: float) -> str:
    """A duration in words, rounded as far as one can know it."""
    if seconds < 90:
        return _("about {seconds} s").format(seconds=max(5, 5 * round(seconds / 5)))
    return _("about {minutes} min").format(minutes=round(seconds / 60))


def counted(text: str, done: float, total: int, started: float) -> str:
    """A sentence with a meter: ``text``, how much of ``total`` is done, and what is left (countdown.js lets it run down).

    ``started`` is the time.monotonic() of the run's first step.
    """
    share, passed = done / total, time.monotonic() - started
    said = escape(_("{text} {done} of {total}").format(text=text, done=int(done), total=total))
    if share > 0 and passed > SURE_AFTER:
        words, left = _("about {seconds} s left"), max(1, round(passed * (1 - share) / share))
        shown = escape(words.format(seconds=left))
        said += f', <span data-seconds="{left}" data-words="{escape(words)}" aria-hidden="true">{shown}</span>'
    return (
        f'<div class="note" role="status">{said}'
        f'<div class="meter"><div style="width:{100 * min(1.0, share):.0f}%"></div></div></div>'
    )
