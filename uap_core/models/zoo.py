"""The zoo of networks: cards in assets/models, in folders that the user names, of torchvision, and of timm.

Timm's are listed once they are downloaded; others are found by key, "timm:NAME". Listing reads cards only. Loading is lazy;
visitors share one copy, and the least recently used networks are evicted.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from uap_core.checks import check_type, shown
from uap_core.errors import ModelError
from uap_core.io.paths import MODELS, dreams_path
from uap_core.models.card import Card, read_card, torchvision_cards
from uap_core.models.kept import MEGABYTE, KeptNetworks
from uap_core.models.timm_table import PREFIX, fetched_cards, timm_card
from uap_core.models.weights import HERE, state, torchvision_folder
from uap_core.settings import limits

if TYPE_CHECKING:
    from uap_core.models.classifier import Classifier

MOST_HEADER = 10_000_000  # bytes
FOLDERS_VARIABLE = "UAP_MODELS"
# The page's first network: the fastest with good accuracy on photographs.
PAGE_MODEL = "efficientnet_lite0"
# For training, tests and live work: it ships with the project and takes milliseconds. The page opens with it where the package
# of the other one is not installed.
QUICK_MODEL = "resnet64"


class Zoo:
    """List and load networks: the cards of several folders, by key, then torchvision's; the first that has a key wins.

    They compute where UAP_DEVICE says. At most ``memory`` megabytes of weights are kept (see ``KeptNetworks``).

    Args:
        folders: further folders of network cards, beside those of UAP_MODELS.
        memory: megabytes of weights that are kept; UAP_MEMORY, else 1 500, when left out.

    Example:
        >>> import uap_core
        >>> uap_core.Zoo().card("resnet64").input_size
        64
    """

    def __init__(self, folders: list[Path] | None = None, memory: float | None = None) -> None:
        extra = os.environ.get(FOLDERS_VARIABLE, "")
        named = [Path(part) for part in extra.split(os.pathsep) if part]
        self.folders = [MODELS, *(folders or []), *named]
        self.memory = memory if memory is not None else limits().network_megabytes
        self._kept = KeptNetworks(self.memory)

    def cards(self) -> dict[str, Card]:
        """All cards by key, but for ``faults``. Raises ModelError for a named folder that is not there."""
        return self._read()[0]

    def faults(self) -> list[str]:
        """What is wrong with each card that cannot be read, in a sentence."""
        return self._read()[1]

    def _read(self) -> tuple[dict[str, Card], list[str]]:
        cards: list[Card] = []
        faults: list[str] = []
        for folder in self.folders:
            if not folder.is_dir():
                raise ModelError(f"There is no folder of network cards at {str(folder)!r}.")
            for path in sorted(folder.glob("*.json")):
                try:
                    cards.append(read_card(path))
                except ModelError as error:
                    faults.append(str(error))
        found: dict[str, Card] = {}
        for card in (*cards, *torchvision_cards(torchvision_folder()), *fetched_cards()):
            found.setdefault(card.key, card)
        return found, faults

    def card(self, key: str) -> Card:
        """One card. Raises ModelError when there is no such network."""
        cards = self.cards()
        if not isinstance(key, str):  # a program may send something else than text
            raise ModelError(f"A network is called by a text, not by {shown(key)}.")
        if key not in cards and key.startswith(PREFIX):
            return timm_card(key.removeprefix(PREFIX))
        if key not in cards:
            raise ModelError(" ".join([f"There is no network called {key!r}. Known: {', '.join(cards)}.", *self.faults()]))
        return cards[key]

    def load(self, key: str) -> Classifier:
        """The classifier called ``key``, from memory when it is there. Raises ModelError.

        A second request for a network that is being loaded waits for that copy; other networks are not blocked.
        """
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        card = self.card(key)
        needed = expected_megabytes(card) if state(card) == HERE else 0.0  # what cannot be loaded drives nobody out
        self.check_room(card, needed)

        def load() -> Classifier:
            from uap_core.models import device, loaders

            return loaders.load(card).to(device.chosen_device())

        return self._kept.load(key, needed, load)

    def check_room(self, card: Card, needed: float) -> None:
        """Raise ModelError where the ``needed`` megabytes of ``card`` are more than all networks together may take."""
        if needed > self.memory:
            raise ModelError(
                f"{card.name} needs {needed:.0f} MB, more than the {self.memory:.0f} MB that networks may take. Set "
                "UAP_MEMORY to a larger number of megabytes and start again."
            )

    def in_memory(self) -> dict[str, float]:
        """Megabytes of weights kept, by key, the one unused for longest first."""
        return self._kept.sizes()


def expected_megabytes(card: Card) -> float:
    """What the weights of ``card`` will take: their file, or twice that where it holds 16-bit numbers."""
    path = card.weights_path
    return (2 if _of_halves(path) else 1) * path.stat().st_size / MEGABYTE if os.path.isfile(path) else 0.0


def _of_halves(path: Path) -> bool:
    """Whether a .safetensors file says in its header that it holds 16-bit numbers."""
    if path.suffix != ".safetensors":
        return False
    with path.open("rb") as stream:
        header = stream.read(min(int.from_bytes(stream.read(8), "little"), MOST_HEADER))
    return b'"F16"' in header or b'"BF16"' in header


def load_model(key: str = QUICK_MODEL) -> Classifier:
    """Load a network by its key, as a ``Classifier``: [0,1] pixels in, logits out. A copy of your own; a ``Zoo`` shares one.

    Args:
        key: as ``uap models`` lists it; the quick one when left out, which is always here.

    Raises:
        ModelError: there is no such network, or its weights are not here, changed or unsafe; says what to do.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> network.size, len(network.labels)
        (64, 100)
    """
    check_type("the key of a network", key, str, "a text")
    return Zoo().load(key)


def dreams_for(card: Card) -> Path | None:
    """The class impressions that are valid for a network: its own, or those whose card lists it as checked; else None.

    Checked means that accuracy and fooling rates on them are within 10 points of those on photographs.
    """
    own = dreams_path(card.key)
    if own.exists():
        return own
    return next((path for path in sorted(own.parent.glob("*.zip")) if card.key in checked_networks(path)), None)


def checked_networks(dreams: Path) -> list[str]:
    """Keys of the other networks that these class impressions are valid for, according to their card."""
    try:
        stated = json.loads(dreams.with_suffix(".json").read_text(encoding="utf-8"))
        return [str(key) for key in stated.get("valid_for", [])]
    except (OSError, ValueError, AttributeError, TypeError):
        return []
