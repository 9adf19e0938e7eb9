from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from servers import serving
from torchvision_names import tv_datasets

from uap_core.datasets import imagenette
from uap_core.errors import DatasetError, DownloadError
from uap_core.ui.state import Studio

IMAGENET_CLASSES = ("n01440764", "n02102040")


def archive(names: list[str]) -> bytes:
    """A .tgz of small pictures, each another, under ``names``."""
    stream, random = io.BytesIO(), np.random.default_rng(0)
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name in names:
            picture = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (90, 80, 3), dtype=np.uint8)).save(picture, "JPEG")
            entry = tarfile.TarInfo(name)
            entry.size = len(picture.getvalue())
            packed.addfile(entry, io.BytesIO(picture.getvalue()))
    return stream.getvalue()


WHOLE = archive(
    [
        f"imagenette2-320/{split}/{wnid}/{wnid}_{number}.JPEG"
        for split in ("train", "val")
        for wnid in IMAGENET_CLASSES
        for number in range(3)
    ]
)
Offer = Callable[[bytes], None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offer:
    """Serve an archive in Imagenette's place, into a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def make(data: bytes) -> None:
        server = serving({"imagenette2-320.tgz": data})
        monkeypatch.setattr(imagenette, "URL", f"{server.__enter__()}/imagenette2-320.tgz")
        monkeypatch.setattr(imagenette, "MD5", hashlib.md5(data).hexdigest())
        servers.append(server)

    servers: list = []
    yield make
    for server in servers:
        server.__exit__(None, None, None)


def test_it_is_what_torchvision_fetches() -> None:
    assert tv_datasets.Imagenette._ARCHIVES["320px"] == (imagenette.URL, imagenette.MD5)


def test_fetched_unpacked_and_measured_on(offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio()
    with pytest.raises(DatasetError, match=r"No live runs with AlexNet: .*fetch Imagenette under Networks \(342 MB\)"):
        studio.craft_and_held_out("alexnet")
    assert studio.live_set_name("alexnet") == "class impressions"
    offer(WHOLE)
    assert not imagenette.is_here()
    told = list(imagenette.fetch())
    assert told[-1].done == len(WHOLE)
    assert imagenette.is_here()
    assert [path.name for path in imagenette.folder().parent.iterdir()] == ["imagenette2-320"]
    craft, held_out = studio.craft_and_held_out("alexnet")
    assert (len(craft), len(held_out)) == (6, 6)
    assert craft.pixels.shape[1:] == (3, 224, 224)
    assert set(craft.classes) == set(IMAGENET_CLASSES)
    assert not set(craft.files) & set(held_out.files)
    assert studio.live_set_name("alexnet") == "photographs of Imagenette"
    assert studio.live_set_name("resnet64") == "class impressions"
    assert torch.equal(studio.craft_and_held_out("alexnet")[0].pixels, craft.pixels)


@pytest.mark.parametrize(
    "data",
    [WHOLE[: len(WHOLE) // 2], b"no archive", archive(["elsewhere/a.JPEG"]), archive(["../../out.JPEG"])],
    ids=["cut", "no archive", "another folder", "climbs out"],
)
def test_what_cannot_be_unpacked_leaves_nothing(data: bytes, offer: Offer, tmp_path: Path) -> None:
    offer(data)
    with pytest.raises(DownloadError, match="could not be unpacked"):
        list(imagenette.fetch())
    assert not imagenette.is_here()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_cancelled_halfway_leaves_nothing(offer: Offer, tmp_path: Path) -> None:
    offer(WHOLE)
    running = imagenette.fetch()
    next(running)
    running.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
