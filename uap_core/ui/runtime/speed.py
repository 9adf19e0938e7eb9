"""How fast a network is on this machine: what a run's expected time is made of."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uap_core.ui.state import Studio

PROBED = 8  # pictures

_paces: dict[str, float] = {}
_probing = threading.Lock()


def picture_seconds(studio: Studio, network: str) -> float:
    """What one picture takes to go through a network here, measured once a process."""
    import torch

    if network in _paces:
        return _paces[network]
    classifier = studio.classifier(network)  # before the lock: nobody else waits while it is loaded
    with _probing:
        if network not in _paces:
            pictures = torch.full((PROBED, 3, classifier.size, classifier.size), 0.5)
            with torch.inference_mode():
                classifier(pictures)  # the first time takes longer
                started = time.perf_counter()
                classifier(pictures)
            _paces[network] = (time.perf_counter() - started) / PROBED
        return _paces[network]
