"""Perturbations published by others under an open licence: downloaded on request, never shipped.

Those without a licence (the six of Moosavi-Dezfooli et al.) are not listed; their files can be opened.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uap_core.errors import PerturbationError
from uap_core.io.download import Fetched, download, one_at_a_time, writing
from uap_core.perturbations.library import fetched_folder

LARGEST = 2_000_000
SGD_UAP = "https://raw.githubusercontent.com/kenny-co/sgd-uap-torch/1f58b7976f510386f40dfb94f79dd70482a150be/uaps/imagenet"


@dataclass(frozen=True)
class Published:
    """One pattern in its authors' own file at ``url``, crafted on the network that the zoo calls ``network``."""

    key: str
    name: str
    network: str
    url: str
    sha256: str
    licence: str
    source: str

    @property
    def path(self) -> Path:
        """Its path once it is downloaded, in this project's format."""
        return fetched_folder() / f"{self.key}.safetensors"


CATALOGUE = tuple(
    Published(
        key=f"sgd-{network}-linf10",
        name=f"{name} (torchvision), l_inf 10/255, by SGD-UAP",
        network=network,
        url=f"{SGD_UAP}/sgd-{network}-eps10.pth",
        sha256=sha256,
        licence="MIT",
        source="Co et al., github.com/kenny-co/sgd-uap-torch",
    )
    for network, name, sha256 in (
        ("resnet50", "ResNet-50", "9fc525f700f65428db3096e05c1343779a07748710b2166aec64d53142a1b2de"),
        ("vgg16", "VGG-16", "36b70d5d537804f609e05cba8f9d0dab811aa5bb626e645a6cf2dac4ff775e9c"),
    )
)


def published(key: str) -> Published:
    """The entry called ``key``. Raises PerturbationError when there is none."""
    for entry in CATALOGUE:
        if entry.key == key:
            return entry
    raise PerturbationError(f"The catalogue has no {key!r}. It has: {', '.join(entry.key for entry in CATALOGUE)}.")


def fetch(entry: Published) -> Iterator[Fetched]:
    """Download ``entry``, check it, and put it into the library in our own format; at once when it is there.

    Raises DownloadError, or PerturbationError when the file is no pattern.
    """
    from dataclasses import replace

    from uap_core.perturbations.perturbation import load_perturbation, save_perturbation

    if entry.path.is_file():
        return
    advice = f"Try again, or get {entry.url} elsewhere and open that file yourself."
    with one_at_a_time(entry.path), writing(entry.path.name, entry.path.parent), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / entry.url.rpartition("/")[2]
        yield from download(entry.url, path, entry.sha256, LARGEST, advice=advice)
        found = load_perturbation(path)
        origin = {name: getattr(entry, name) for name in ("network", "source", "licence", "url", "sha256")}
        save_perturbation(replace(found, name=entry.name, provenance=found.provenance | origin), entry.path)
