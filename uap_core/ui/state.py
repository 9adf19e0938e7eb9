"""What all visitors share: networks, ready-made patterns, class impressions. Nothing of any one visitor is kept here."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from uap_core.datasets import imagenette
from uap_core.errors import DatasetError, ImageError, ModelError, PerturbationError
from uap_core.i18n import _, ngettext
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import square
from uap_core.io.paths import RESULTS
from uap_core.models.card import Card
from uap_core.models.imagenet import imagenet_classes
from uap_core.models.weights import HERE, state
from uap_core.models.zoo import PAGE_MODEL, QUICK_MODEL, Zoo, dreams_for
from uap_core.perturbations.library import library
from uap_core.settings import limits
from uap_core.ui.gallery import dream_pixels, picture_square
from uap_core.ui.html.words import listed, listed_networks, plain
from uap_core.ui.runtime.run_queue import Line
from uap_core.ui.said import in_both_halves
from uap_core.ui.uploads import uploaded

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation

log = logging.getLogger("uap_core.ui")
RANDOM_SIGNS = "random-signs"


@dataclass(frozen=True)
class Pattern:
    """A visitor's own pattern as plain data, fit for a session's state: (3,H,W) float32, norm, radius.

    ``origin``: it was opened from ``file``, kept under a name, or left behind by a run. ``provenance``: what it says of itself.
    """

    name: str
    values: np.ndarray
    p: str
    radius: float
    provenance: dict[str, Any] = field(default_factory=dict)
    origin: Literal["opened", "kept", "run"] = "opened"
    file: str = ""

    def as_perturbation(self) -> Perturbation:
        """The same for the rest of the package."""
        import torch

        from uap_core.norms import Ball
        from uap_core.perturbations.perturbation import Perturbation

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
        self._lock, self._twice = threading.Lock(), 0

    def networks(self) -> list[tuple[str, str]]:
        """(shown name, key) of every network whose weights are here: the one that the page opens with, then large ones."""
        cards = [card for card in self.zoo.cards().values() if state(card) == HERE]
        if not cards:
            raise ModelError(_("No network has its weights on this machine."))
        first = PAGE_MODEL if any(card.key == PAGE_MODEL for card in cards) else QUICK_MODEL
        cards.sort(key=lambda card: (card.key != first, -card.input_size))
        return listed_networks(cards)

    def first_network(self) -> str:
        """Key of the network that the page opens with."""
        return self.networks()[0][1]

    def missing(self) -> str:
        """What to install where the page cannot open with the network that it is made for, in a sentence; else empty."""
        wanted, first = self.zoo.cards().get(PAGE_MODEL), self.card(self.first_network())
        if wanted is None or wanted.key == first.key:
            return ""
        said = _(
            "{wanted} is not here, so this page opens with {first}, which names 100 things: `pip install {package}` brings it."
        )
        return said.format(wanted=wanted.name, first=plain(first.name), package=wanted.package)

    def card(self, network: str) -> Card:
        """The card of a network."""
        return self.zoo.card(network)

    def classifier(self, network: str) -> Classifier:
        """The network, loaded once for everybody."""
        return self.zoo.load(network)

    def labels(self, network: str) -> list[str]:
        """Class names of a network in alphabetical order, told without torch."""
        classes = self.card(network).classes
        names = [entry["name"] for entry in classes] if isinstance(classes, list) else imagenet_classes()[0]
        return sorted(set(names))

    def patterns(self, network: str, own: dict[str, Pattern]) -> list[tuple[str, str]]:
        """(shown name, key) of the patterns of this network's size: ready-made ones, yours, random noise.

        Those crafted on it come first. Where none was crafted on it alone, those crafted on most networks do: they go furthest.
        """
        size = self.card(network).input_size
        fitting = [entry for entry in library() if entry.side == size]
        has_own = any(entry.networks == (network,) for entry in fitting)
        fitting.sort(key=lambda entry: (network not in entry.networks, 0 if has_own else -len(entry.networks)))
        ready = [(listed(entry, network), entry.key) for entry in fitting]
        mine = [
            (_("{pattern} (yours)").format(pattern=pattern.name), f"own:{key}")
            for key, pattern in own.items()
            if pattern.values.shape[1] == size
        ]
        return [*ready, *mine, (_("Random noise, to compare"), RANDOM_SIGNS)]

    def perturbation(self, key: str, network: str, own: dict[str, Pattern]) -> Perturbation:
        """The chosen pattern at its own epsilon. Raises PerturbationError when it is unknown."""
        import torch

        from uap_core.norms import Ball
        from uap_core.perturbations.perturbation import Perturbation

        if key == RANDOM_SIGNS:
            size, ball = self.card(network).input_size, Ball("linf", 10 / 255)
            signs = ball.random_signs((3, size, size), torch.Generator().manual_seed(0))
            return Perturbation("random noise", signs, ball)
        if key.startswith("own:") and key[4:] in own:
            return own[key[4:]].as_perturbation()
        found = [entry for entry in library() if entry.key == key]
        if not found:
            raise PerturbationError(_("This perturbation is no longer there. Choose another one."))
        return _load_pattern(found[0].path)

    def image(self, photo: str, network: str) -> Tensor:
        """The chosen photograph as this network sees it, (1,3,S,S) on the 8-bit grid."""
        from uap_core.images.reading import from_array

        card = self.card(network)
        return from_array(self.pixels(photo, card))

    def pixels(self, photo: str, card: Card) -> np.ndarray:
        """uint8 (S,S,3) of "sample:lion", "dream:3" or "upload:<path>", as the network of ``card`` takes it."""
        shape = (card.resize_size, card.input_size, card.interpolation)
        kind, name = photo.partition(":")[::2]
        if kind == "sample":
            chosen = [sample for sample in SAMPLE_PHOTOS if sample.key == name]
            if chosen:
                return picture_square(chosen[0], *shape)
        if kind == "dream" and name.isdecimal():
            dreams = dream_pixels()
            if int(name) < len(dreams):
                from PIL import Image

                return np.asarray(square(Image.fromarray(dreams[int(name)]), *shape))
        if kind == "upload":
            return picture_square(uploaded(name), *shape)
        raise ImageError(_("Choose a photograph first, or upload one."))

    def craft_and_held_out(self, network: str) -> tuple[ImageSet, ImageSet]:
        """Sets for live runs: the folder named at the start, else dreams that tell the truth about this network, else
        Imagenette if it was fetched. Raises DatasetError where there is none of them."""
        from uap_core.datasets.image_sets import open_splits

        card = self.card(network)
        source = self.live_source(network)
        if source is None:
            raise DatasetError(self.why_not_live(network))
        key = (str(source), card.resize_size, card.input_size, card.interpolation)
        with self._lock:
            if key not in self._sets:
                self._sets[key] = open_splits(source, card.resize_size, card.input_size, limits().images, card.interpolation)
                self._twice = self._sets[key][0].left_out
                while len(self._sets) > 4:
                    self._sets.popitem(last=False)
            return self._sets[key]

    def some(self, network: str, craft: int, held_out: int) -> tuple[ImageSet, ImageSet]:
        """At most so many images to craft on and to measure on, drawn from all classes; the same ones every time."""
        import torch

        parts = zip(self.craft_and_held_out(network), (craft, held_out), strict=True)
        craft_set, measured = (part.shuffled(torch.Generator().manual_seed(0)).prefix(count) for part, count in parts)
        return craft_set, measured

    def live_set_name(self, network: str, count: int = 2, briefly: bool = False) -> str:
        """What live runs of a network measure on, in words: ``count`` of them, or some; for names ``briefly``."""
        if self.images:
            name = self.images.name + in_both_halves(0 if briefly else self._twice)
            return ngettext("picture of yours ({name})", "pictures of yours ({name})", count).format(name=name)
        if self.live_source(network) == imagenette.folder():
            return ngettext("photograph of Imagenette", "photographs of Imagenette", count)
        return ngettext("class impression", "class impressions", count)

    def live_source(self, network: str) -> Path | None:
        """Where the pictures of a network's live runs lie; None where all that is here would give wrong answers."""
        return self.images or dreams_for(self.card(network)) or (imagenette.folder() if imagenette.is_here() else None)

    def why_not_live(self, network: str) -> str:
        """Why no live run is offered for a network, and what to do about it, in a sentence; empty where one is."""
        if self.live_source(network) is not None:
            return ""
        said = _(
            "No live runs with {network}: no pictures are here that tell the truth about it. Choose {quick} below, start"
            " the app with --images and a folder or zip of pictures, or fetch Imagenette under Networks ({size} MB)."
        )
        name, quick = (plain(self.card(key).name) for key in (network, QUICK_MODEL))
        return said.format(network=name, quick=quick, size=imagenette.MEGABYTES)

    def may_share(self, network: str, other: str) -> bool:
        """Whether live runs of ``network`` may measure ``other``, too: photographs may, dreams where they were checked."""
        source = self.live_source(network)
        return source is not None and source in (self.images, imagenette.folder(), dreams_for(self.card(other)))

    def precomputed(self, name: str, row_type: type) -> Any:
        """A table of assets/results, or None when this network has none."""
        from uap_core.io.results import read_table

        path = RESULTS / f"{name}.json"
        try:
            return read_table(path, row_type) if path.is_file() else None
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            log.warning("passed over %s, which is no table of results: %s", path.name, error)
            return None


@lru_cache(maxsize=32)
def _load_pattern(path: Path) -> Perturbation:
    from uap_core.perturbations.perturbation import load_perturbation

    return load_perturbation(path)
