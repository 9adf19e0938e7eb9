"""What all visitors share: networks, ready-made patterns, dreamt images. Nothing of any one visitor is kept here."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from uap_core import imagenette
from uap_core.assets import RESULTS, dreams_path
from uap_core.errors import DatasetError, ImageError, ModelError, PerturbationError
from uap_core.images import SAMPLE_PHOTOS, open_image, sample_photos, square
from uap_core.library import library
from uap_core.limits import limits
from uap_core.models.card import Card
from uap_core.models.weights import HERE, state
from uap_core.models.zoo import DEFAULT_MODEL, Zoo, dreams_for
from uap_core.texts import _, ngettext
from uap_core.ui.line import Line, in_line
from uap_core.ui.widgets import uploaded
from uap_core.ui.zero_gpu import lent

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbation import Perturbation

log = logging.getLogger("uap_core.ui")

RANDOM_SIGNS = "random-signs"
DREAMS_SHOWN = 6


@dataclass(frozen=True)
class Pattern:
    """A visitor's own pattern as plain data, fit for a session's state: (3,H,W) float32, norm, radius.

    ``origin``: it was opened from a file, kept under a name, or left behind by a run. ``provenance`` is that of a pattern which
    was crafted here; others have none.
    """

    name: str
    values: np.ndarray
    p: str
    radius: float
    provenance: dict[str, Any] = field(default_factory=dict)
    origin: Literal["opened", "kept", "run"] = "opened"

    def as_perturbation(self) -> Perturbation:
        """The same for the rest of the package."""
        import torch

        from uap_core.norms import Ball
        from uap_core.perturbation import Perturbation

        return Perturbation(self.name, torch.from_numpy(self.values), Ball(self.p, self.radius), self.provenance)


@dataclass
class Studio:
    """One for the process. ``images`` is the visitor's own folder or zip of held-out pictures, named at the start."""

    zoo: Zoo = field(default_factory=Zoo)
    images: Path | None = None

    def __post_init__(self) -> None:
        self.line = Line(limits().waiting)
        self.looked_at = threading.Event()  # somebody has the page before their eyes
        self._sets: OrderedDict[tuple[str, int, int, str], tuple[ImageSet, ImageSet]] = OrderedDict()
        self._lock = threading.Lock()

    def heavy(self, outputs: int, message: int) -> Callable[[Callable[..., Iterator[Any]]], Callable[..., Any]]:
        """For handlers that stream a run: they wait their turn, and compute on a lent card where a Space has one."""
        return lambda run: in_line(self.line, outputs, message)(lent(self, run))

    def networks(self) -> list[tuple[str, str]]:
        """(shown name, key) of every network whose weights are here, the embedded one first."""
        cards = [card for card in self.zoo.cards().values() if state(card) == HERE]
        if not cards:
            raise ModelError(_("No network has its weights on this machine."))
        return [(f"{card.name}, {card.input_size} px", card.key) for card in cards]

    def card(self, network: str) -> Card:
        """The card of a network."""
        return self.zoo.card(network)

    def classifier(self, network: str) -> Classifier:
        """The network, loaded once for everybody."""
        return self.zoo.load(network)

    def labels(self, network: str) -> list[str]:
        """Class names of a network in alphabetical order, from its card when it lists them (that needs no torch)."""
        classes = self.card(network).classes
        if isinstance(classes, list):
            return sorted({entry["name"] for entry in classes})
        return sorted(set(self.classifier(network).labels))

    def patterns(self, network: str, own: dict[str, Pattern]) -> list[tuple[str, str]]:
        """(shown name, key) of the patterns of this network's size: its own, other ready-made ones, yours, random signs."""
        size = self.card(network).input_size
        fitting = sorted((entry for entry in library() if entry.side == size), key=lambda entry: network not in entry.networks)
        ready = [(entry.name, entry.key) for entry in fitting]
        mine = [
            (_("{pattern} (yours)").format(pattern=pattern.name), f"own:{key}")
            for key, pattern in own.items()
            if pattern.values.shape[1] == size
        ]
        return [*ready, *mine, (_("Random signs, the baseline"), RANDOM_SIGNS)]

    def perturbation(self, key: str, network: str, own: dict[str, Pattern]) -> Perturbation:
        """The chosen pattern at its own epsilon. Raises PerturbationError when it is unknown."""
        import torch

        from uap_core.norms import Ball
        from uap_core.perturbation import Perturbation

        if key == RANDOM_SIGNS:
            size, ball = self.card(network).input_size, Ball("linf", 10 / 255)
            signs = ball.random_signs((3, size, size), torch.Generator().manual_seed(0))
            return Perturbation("random signs", signs, ball)
        if key.startswith("own:") and key[4:] in own:
            return own[key[4:]].as_perturbation()
        found = [entry for entry in library() if entry.key == key]
        if not found:
            raise PerturbationError(_("This perturbation is no longer there. Choose another one."))
        return _load_pattern(found[0].path)

    def image(self, photo: str, network: str) -> Tensor:
        """The chosen photograph as this network sees it, (1,3,S,S) on the 8-bit grid."""
        from uap_core.images import from_array

        card = self.card(network)
        return from_array(self.pixels(photo, card))

    def pixels(self, photo: str, card: Card) -> np.ndarray:
        """uint8 (S,S,3) of "sample:lion", "dream:3" or "upload:<path>", as the network of ``card`` takes it."""
        shape = (card.resize_size, card.input_size, card.interpolation)
        kind, name = photo.partition(":")[::2]
        if kind == "sample":
            chosen = [sample for sample in SAMPLE_PHOTOS if sample.key == name]
            if chosen:
                return _square(str(chosen[0].path), *shape)
        if kind == "dream" and name.isdecimal():
            dreams = dream_pixels()
            if int(name) < len(dreams):
                from PIL import Image

                return np.asarray(square(Image.fromarray(dreams[int(name)]), *shape))
        if kind == "upload":
            return _square(str(uploaded(name)), *shape)
        raise ImageError(_("Choose a photograph first, or upload one."))

    def craft_and_held_out(self, network: str) -> tuple[ImageSet, ImageSet]:
        """Sets for live runs: the folder named at the start, else the network's dreams, else Imagenette if it was fetched."""
        from uap_core.datasets import open_splits

        card = self.card(network)
        source = self._live_source(network)
        if not source.exists():
            raise DatasetError(
                _(
                    "There are no images to measure {network} on: dreams ship for embedded networks alone. Fetch Imagenette"
                    " under Networks ({size} MB), or start the app with --images and a folder or zip of pictures."
                ).format(network=card.name, size=imagenette.MEGABYTES)
            )
        key = (str(source), card.resize_size, card.input_size, card.interpolation)
        with self._lock:
            if key not in self._sets:
                self._sets[key] = open_splits(source, card.resize_size, card.input_size, limits().images, card.interpolation)
                while len(self._sets) > 4:
                    self._sets.popitem(last=False)
            return self._sets[key]

    def some(self, network: str, craft: int, held_out: int) -> tuple[ImageSet, ImageSet]:
        """At most so many images to craft on and to measure on, drawn from all classes; the same ones every time."""
        import torch

        parts = zip(self.craft_and_held_out(network), (craft, held_out), strict=True)
        craft_set, measured = (part.shuffled(torch.Generator().manual_seed(0)).prefix(count) for part, count in parts)
        return craft_set, measured

    def live_set_name(self, network: str, count: int = 2) -> str:
        """What live runs of a network measure on, in words: ``count`` of them, or some."""
        if self.images:
            named = ngettext("picture of yours ({name})", "pictures of yours ({name})", count)
            return named.format(name=self.images.name)
        if self._live_source(network) == imagenette.folder():
            return ngettext("photograph of Imagenette", "photographs of Imagenette", count)
        return ngettext("dreamt image", "dreamt images", count)

    def _live_source(self, network: str) -> Path:
        dreams = dreams_for(self.card(network))
        return self.images or (dreams if dreams.exists() or not imagenette.is_here() else imagenette.folder())

    def precomputed(self, name: str, row_type: type) -> Any:
        """A table of assets/results, or None when this network has none."""
        from uap_core.tables import read_table

        path = RESULTS / f"{name}.json"
        try:
            return read_table(path, row_type) if path.is_file() else None
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            log.warning("passed over %s, which is no table of results: %s", path.name, error)
            return None


def photo_choices() -> list[tuple[str, str]]:
    """(caption, photo) of what the gallery offers: the sample photographs, then a few dreams."""
    samples = [(photo.title, f"sample:{photo.key}") for photo in sample_photos()]
    dreams = [(_("Dream {number}").format(number=i + 1), f"dream:{i}") for i in range(len(dream_pixels()))]
    return samples + dreams


def photo_name(photo: str) -> str:
    """What the page calls it: its caption in the gallery, or that it is the visitor's own."""
    return next((caption for caption, offered in photo_choices() if offered == photo), _("your picture"))


def thumbnails() -> list[tuple[np.ndarray, str]]:
    """Pictures and captions of the gallery, in the order of ``photo_choices``."""
    samples = [(_square(str(photo.path), 128, 128, "bilinear"), photo.title) for photo in sample_photos()]
    dreams = [
        (pixels.repeat(2, axis=0).repeat(2, axis=1), _("Dream {number}").format(number=i + 1))
        for i, pixels in enumerate(dream_pixels())
    ]
    return samples + dreams


@lru_cache(maxsize=1)
def dream_pixels() -> tuple[np.ndarray, ...]:
    """The first held-out dreams of the default network, read without torch so that the page opens at once."""
    import io
    import zipfile
    import zlib

    from PIL import Image

    path = dreams_path(DEFAULT_MODEL)
    if not path.is_file():
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.startswith("held_out/")]
            chosen = names[:: max(1, len(names) // DREAMS_SHOWN)][:DREAMS_SHOWN]
            return tuple(np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")) for name in chosen)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("passed over %s, which holds no dreams: %s", path.name, error)
        return ()


_opening = threading.Lock()


@lru_cache(maxsize=64)
def _square(path: str, resize: int, crop: int, interpolation: str) -> np.ndarray:
    """Cached, since a large upload takes a second to decode and is asked for at every click."""
    with _opening:  # a picture of 50 megapixels takes half a gigabyte while it is opened: one after another
        pixels = np.asarray(square(open_image(path), resize, crop, interpolation))
    pixels.setflags(write=False)
    return pixels


@lru_cache(maxsize=32)
def _load_pattern(path: Path) -> Perturbation:
    from uap_core.perturbation import load_perturbation

    return load_perturbation(path)
