from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from servers import serving

from uap_core.errors import DownloadError, PerturbationError
from uap_core.models.zoo import Zoo
from uap_core.norms import Ball
from uap_core.perturbations.importers import UNIT, detect, read_arrays
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.perturbations.remote import CATALOGUE, Published, fetch, published


@pytest.fixture
def offered(shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Published]]:
    """The catalogue as it would be fetched, from a server of this machine, into a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names = {entry.url.rpartition("/")[2] for entry in CATALOGUE}
    files = {name: (shared / "perturbations" / name).read_bytes() for name in names}
    with serving(files) as address:
        yield [replace(entry, url=f"{address}/{entry.url.rpartition('/')[2]}") for entry in CATALOGUE]


def test_the_hashes_are_those_of_the_published_files(shared: Path) -> None:
    for entry in CATALOGUE:
        path = shared / "perturbations" / entry.url.rpartition("/")[2]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
        assert detect(read_arrays(path)).scale == UNIT


def test_every_entry_says_whose_it_is_and_names_a_network_of_the_zoo() -> None:
    cards = Zoo().cards()
    for entry in CATALOGUE:
        assert entry.network in cards
        assert entry.licence == "MIT"
        assert entry.url.startswith("https://")
        assert cards[entry.network].name in entry.name


def test_what_is_fetched_joins_the_library(offered: list[Published], shared: Path) -> None:
    before = {entry.key for entry in library()}
    for entry in offered:
        list(fetch(entry))
    new = [entry for entry in library() if entry.key not in before]
    assert [(entry.name, entry.side, entry.networks) for entry in new] == [(e.name, 224, (e.network,)) for e in offered]
    for entry, offer in zip(new, offered, strict=True):
        loaded = load_perturbation(entry.path)
        theirs = torch.load(shared / "perturbations" / offer.url.rpartition("/")[2], weights_only=True)
        assert torch.equal(loaded.pattern, theirs)
        assert loaded.ball == Ball("linf", 10 / 255)
        assert (loaded.provenance["licence"], loaded.provenance["source"]) == ("MIT", offer.source)


def test_another_file_in_its_place_is_refused(offered: list[Published]) -> None:
    first, second = offered
    with pytest.raises(DownloadError, match="its SHA-256 does not begin with"):
        list(fetch(replace(first, url=second.url)))
    with pytest.raises(DownloadError, match="no connection"):
        list(fetch(replace(first, url="http://127.0.0.1:9/v.pth")))
    assert not first.path.exists()


def test_unknown() -> None:
    with pytest.raises(PerturbationError, match=r"The catalogue has no 'x'\. It has: sgd-resnet50-linf10, sgd-vgg16-linf10\."):
        published("x")
