"""Networks that are kept in memory, so that all who ask for one share one copy."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uap_core.models.classifier import Classifier

MEGABYTE = 1_000_000


class KeptNetworks:
    """Keep networks by key in at most ``memory`` megabytes; the one unused for longest makes room. For several threads.

    Room is made before a network is loaded, since both together would be too much. A run keeps its network until it ends.
    """

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self._kept: OrderedDict[str, Classifier] = OrderedDict()  # the one unused for longest first
        self._loading: dict[str, float] = {}  # megabytes set aside for networks that are being loaded
        self._changed = threading.Condition()

    def get(self, key: str) -> Classifier | None:
        """The network called ``key``, if it is kept."""
        with self._changed:
            return self._used(key)

    def load(self, key: str, needed: float, load: Callable[[], Classifier]) -> Classifier:
        """The network called ``key``: the one that is kept, or else what ``load`` returns, of about ``needed`` megabytes.

        Waits while another thread loads the same one, or until those that are being loaded leave room for it.
        """
        with self._changed:
            self._changed.wait_for(lambda: key not in self._loading and (key in self._kept or self._fits(needed)))
            kept = self._used(key)
            if kept is not None:
                return kept
            self._make_room(needed)
            self._loading[key] = needed
        try:
            found = load()
            with self._changed:
                self._kept[key] = found
            return found
        finally:
            with self._changed:
                del self._loading[key]
                self._changed.notify_all()

    def sizes(self) -> dict[str, float]:
        """Megabytes of the networks that are kept, by key, the one unused for longest first."""
        with self._changed:
            return {key: megabytes(network) for key, network in self._kept.items()}

    def _used(self, key: str) -> Classifier | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _fits(self, needed: float) -> bool:
        """Whether there is room beside the networks that are being loaded, once all that are kept are let go."""
        return sum(self._loading.values()) + needed <= self.memory

    def _make_room(self, needed: float) -> None:
        taken = sum(self._loading.values()) + needed
        while self._kept and taken + sum(map(megabytes, self._kept.values())) > self.memory:
            self._kept.popitem(last=False)


def megabytes(network: Classifier) -> float:
    """What the weights of a network take."""
    tensors = (*network.parameters(), *network.buffers())
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / MEGABYTE
