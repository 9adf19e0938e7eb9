"""Which networks there are: the cards shipped in assets/models and those in folders that the user names.

Listing reads cards only. Loading is lazy, once for all visitors, and guarded so that two clicks share one copy.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from uap_core.assets import MODELS
from uap_core.errors import ModelError
from uap_core.models.card import Card, read_card

if TYPE_CHECKING:
    from uap_core.models.classifier import Classifier

FOLDERS_VARIABLE = "UAP_MODELS"
DEFAULT_MODEL = "resnet64"


class Zoo:
    """The cards of several folders, by key; the first folder that has a key wins."""

    def __init__(self, folders: list[Path] | None = None) -> None:
        extra = os.environ.get(FOLDERS_VARIABLE, "")
        named = [Path(part) for part in extra.split(os.pathsep) if part]
        self.folders = [MODELS, *(folders or []), *named]
        self._loaded: dict[str, Classifier] = {}
        self._lock = threading.Lock()

    def cards(self) -> dict[str, Card]:
        """All cards by key. Raises ModelError for a named folder that is not there or a card that cannot be read."""
        found: dict[str, Card] = {}
        for folder in self.folders:
            if not folder.is_dir():
                raise ModelError(f"There is no folder of network cards at {str(folder)!r}.")
            for path in sorted(folder.glob("*.json")):
                card = read_card(path)
                found.setdefault(card.key, card)
        return found

    def load(self, key: str) -> Classifier:
        """The classifier called ``key``, from memory when it was loaded before. Raises ModelError."""
        if key in self._loaded:
            return self._loaded[key]
        cards = self.cards()
        if key not in cards:
            raise ModelError(f"There is no network called {key!r}. Known: {', '.join(cards)}.")
        with self._lock:
            if key not in self._loaded:
                from uap_core.models.loaders import load

                self._loaded[key] = load(cards[key])
        return self._loaded[key]


def load_model(key: str = DEFAULT_MODEL, folders: list[Path] | None = None) -> Classifier:
    """The classifier called ``key`` from the shipped cards, ``folders`` and UAP_MODELS. Raises ModelError."""
    return Zoo(folders).load(key)
