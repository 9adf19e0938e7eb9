"""A set of class impressions: a zip of images, half craft set and half held out, and a card beside it."""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from uap_core.errors import SettingError
from uap_core.identity import identity
from uap_core.images.reading import to_array
from uap_core.io.atomic import write_whole
from uap_core.models.classifier import Classifier
from uap_core.perturbations.perturbation import versions
from uap_core.training.class_impressions import Dreamer
from uap_core.training.statistics import Moments

SPLITS = ("craft", "held_out")
STATE = "generator"  # in the file of a batch: the generator's state after it

OWN = "the network's batch normalisations"
SMALL = Dreamer()  # for the embedded networks


@dataclass(frozen=True)
class DreamSet:
    """Settings of a set of ``count`` class impressions by ``dreamer``; half craft, half held out, from independent draws of
    ``seed``.

    statistics_of: whose mean and deviation inside the network are kept to, for the card.
    quality: of the WebP files, 0 to 100; lossless when None.
    """

    dreamer: Dreamer = SMALL
    statistics_of: str = OWN
    quality: int | None = None
    count: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < len(SPLITS) or self.count % len(SPLITS):
            raise SettingError("The number of dreams must be even and at least 2: half to craft on, half held out.")

    @property
    def half(self) -> int:
        """Images a split."""
        return self.count // len(SPLITS)

    def stated(self) -> dict[str, object]:
        """The settings that the card states."""
        return identity(self.dreamer) | {"statistics_of": self.statistics_of, "webp_quality": self.quality}


LARGE = Dreamer(
    120, 64, rate=0.08, statistics=80.0, smoothness=2.0, least=0.75, most=0.99, coarse=85, heard=0.4, noise=0.025, pixels=30.0
)
# Tuned on 64 class impressions each: ``least`` is where the accuracy on them is about that on photographs.
SETS = {
    "efficientnet_lite0": DreamSet(replace(LARGE, noise=0.02), quality=50),
    "squeezenet1_1_caffe": DreamSet(replace(LARGE, least=0.4, heard=0.5, pixels=45.0), quality=56),
}


def set_for(network: str, count: int, seed: int, statistics_of: str = OWN) -> DreamSet:
    """The settings for a network's set. Raises SettingError when ``count`` is odd."""
    return replace(SETS.get(network, DreamSet()), count=count, seed=seed, statistics_of=statistics_of)


def dream_set(
    classifier: Classifier, path: Path, wanted: DreamSet, kept_to: list[Moments] | None = None
) -> Iterator[tuple[int, int]]:
    """Optimise a set and write it as a zip of images: split/class/number.webp. Yields (steps done, steps in all).

    Each finished batch is kept beside ``path``; when the same set is asked for again, the next batch continues from there.
    ``classifier`` has its batch norms as layers (``load(card, fold=False)``), or ``kept_to`` says what to keep to instead.
    """
    steps, size = wanted.dreamer.steps, wanted.dreamer.batch_size
    total = len(SPLITS) * math.ceil(wanted.half / size) * steps
    folder, done = path.with_name(f"{path.stem}-{_digest(classifier, wanted)}.part"), 0
    folder.mkdir(parents=True, exist_ok=True)
    finished, folders = [], _folders(classifier)
    for number, split in enumerate(SPLITS):
        generator = torch.Generator().manual_seed(wanted.seed * len(SPLITS) + number)
        classes = spread(wanted.half, number, len(classifier.labels))
        classes = classes[torch.randperm(wanted.half, generator=generator)]
        for first in range(0, wanted.half, size):
            finished.append(folder / f"{split}-{first:04}.zip")
            part, before = classes[first : first + size], done
            if finished[-1].is_file():
                generator.set_state(_state_after(finished[-1]))
            else:
                for step, dreams in wanted.dreamer.dream(classifier, part, generator, kept_to):
                    images = dreams
                    if step % 10 == 0:
                        yield before + step, total
                names = [f"{split}/{folders[label]}/{first + i:04d}" for i, label in enumerate(part.tolist())]
                write_whole(finished[-1], _batch_file(names, images, wanted.quality, generator))
            done += steps
    _join(finished, path)
    shutil.rmtree(folder)
    yield total, total


def _folders(classifier: Classifier) -> list[str]:
    """Names of the classes' folders: their WordNet ids, or, of a network that gives none, what it calls them."""
    named = classifier.class_ids if all(classifier.class_ids) else classifier.labels
    return [name.replace("/", " or ").replace("\\", " or ") for name in named]


def spread(half: int, number: int, classes: int) -> Tensor:
    """Classes (half,) of split ``number``: all of them in turn, or evenly from all over, each split between the other's."""
    if half >= classes:
        return torch.arange(half) % classes
    return (torch.arange(half) * len(SPLITS) + number) * classes // (half * len(SPLITS))


def write_dream_card(classifier: Classifier, path: Path, wanted: DreamSet) -> None:
    """Write the card beside the zip at ``path``: the network, the settings and the date."""
    card = {
        "network": classifier.card.key,
        "weights_sha256": classifier.weights_hash,
        "count": wanted.count,
        "splits": "half to craft on, half held out, from independent draws",
        **wanted.stated(),
        "seed": wanted.seed,
        **versions(),
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _digest(classifier: Classifier, wanted: DreamSet) -> str:
    """A hash of all that the class impressions depend on, so that batches of another set are not continued."""
    told = [wanted.stated(), wanted.count, wanted.seed, classifier.weights_hash]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _batch_file(names: list[str], images: Tensor, quality: int | None, generator: torch.Generator) -> bytes:
    """A zip of the images by name, and of the generator's state."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, image in zip(names, images, strict=True):
            archive.writestr(f"{name}.webp", _webp(image, quality))
        archive.writestr(STATE, generator.get_state().numpy().tobytes())
    return stream.getvalue()


def _state_after(batch: Path) -> Tensor:
    with zipfile.ZipFile(batch) as archive:
        return torch.frombuffer(bytearray(archive.read(STATE)), dtype=torch.uint8)


def _join(batches: list[Path], path: Path) -> None:
    """One zip of the images of all ``batches``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as whole:
        for batch in batches:
            with zipfile.ZipFile(batch) as archive:
                for entry in archive.infolist():
                    if entry.filename != STATE:
                        whole.writestr(entry, archive.read(entry))
    write_whole(path, stream.getvalue())


def _webp(image: Tensor, quality: int | None) -> bytes:
    stream = io.BytesIO()
    chosen = {"lossless": True, "quality": 100} if quality is None else {"quality": quality}
    Image.fromarray(to_array(image)).save(stream, format="WEBP", method=6, **chosen)
    return stream.getvalue()
