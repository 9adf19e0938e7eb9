"""How many megabytes of networks visitors may let the page fetch: fetched ones stay on the disk."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from uap_core.errors import DownloadError
from uap_core.i18n import _
from uap_core.models.card import Card
from uap_core.models.weights import ABSENT, state

RESERVE = 2000.0  # megabytes that a download leaves free on its disk


class Allowance:
    """``most`` megabytes in all, until the page ends. Safe to use from many threads."""

    def __init__(self, most: float) -> None:
        self.most = most
        self._fetched = 0.0
        self._under_way = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def taking(self, card: Card) -> Iterator[None]:
        """Count the download of ``card`` while the block lasts, and for good when it ends well.

        Raises DownloadError where it would be too much for the page or for the disk. What is here counts nothing.
        """
        megabytes = card.download_megabytes if state(card) == ABSENT else 0.0
        with self._lock:
            self._check(card, megabytes)
            self._under_way += megabytes
        try:
            yield
            with self._lock:
                self._fetched += megabytes
        finally:
            with self._lock:
                self._under_way -= megabytes

    def _check(self, card: Card, megabytes: float) -> None:
        left = self.most - self._fetched - self._under_way
        if megabytes > left:
            raise DownloadError(
                _(
                    "{network} has {size:.0f} MB, and of the {most:.0f} MB that this page may fetch, {left:.0f} are left. Use a"
                    " network that is here, or set UAP_FETCH_MB to a larger number and start again."
                ).format(network=card.name, size=megabytes, most=self.most, left=left)
            )
        free = _free_megabytes(card) - self._under_way
        if megabytes and free - megabytes < RESERVE:
            raise DownloadError(
                _(
                    "{network} has {size:.0f} MB, and {free:.0f} MB are free on the disk, of which {reserve:.0f} stay so. Make"
                    " room, or use a network that is here."
                ).format(network=card.name, size=megabytes, free=free, reserve=RESERVE)
            )


def _free_megabytes(card: Card) -> float:
    """On the disk where its weights go."""
    place = next(folder for folder in card.weights_path.parents if os.path.isdir(folder))
    return shutil.disk_usage(place).free / 1e6
