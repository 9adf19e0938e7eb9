"""The library of perturbations: shipped and downloaded files, listed by their headers alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from uap_core.errors import SettingError
from uap_core.io.paths import PERTURBATIONS, cache_folder
from uap_core.norms import LEVELS, LINF, Ball

log = logging.getLogger("uap_core.perturbations.library")


@dataclass(frozen=True)
class Entry:
    """One ready-made perturbation: ``side`` pixels wide, within ``ball``, with its ``provenance``. Nothing here needs torch."""

    path: Path
    name: str
    side: int
    ball: Ball
    provenance: dict[str, Any]

    @property
    def key(self) -> str:
        """The file's name, which is how page and command line call it."""
        return self.path.name

    @property
    def networks(self) -> tuple[str, ...]:
        """Keys of the networks that it was crafted on."""
        return tuple(str(self.provenance.get("network", "")).split(", "))

    @property
    def target(self) -> str:
        """The label that it turns images into; empty when any other will do."""
        return str(self.provenance.get("target", ""))

    @property
    def verdict(self) -> str:
        """See ``verdict``."""
        return verdict(self.provenance)


def read_levels(path: Path) -> np.ndarray:
    """A pattern as float32 (side,side,3) in 255ths, for looking at, read without torch."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as archive:
        pattern = archive.get_tensor("pattern")
    scale = 1 if pattern.dtype.kind == "i" else LEVELS
    return np.asarray(pattern.transpose(1, 2, 0) * scale, dtype=np.float32)


def verdict(provenance: dict[str, Any]) -> str:
    """Its stated rates in words, like "fools 84.5% of 300 images of ..."; empty when none is stated.

    For an ensemble one rate per network, in their order. With a target the target rate.
    """
    stated = provenance.get("held_out", {})
    each = [stated.get(key, stated) for key in str(provenance.get("network", "")).split(", ")]
    target = provenance.get("target")
    name = "target_rate" if target else "fooling_rate"
    rates = " / ".join(f"{rates[name]:.1%}" for rates in each if name in rates)
    if not rates:
        return ""
    images = stated.get("set", "its held-out images")
    if target:
        return f"turns {rates} into {target!r}, of those among {images} that were something else"
    return f"fools {rates} of {images}"


def library() -> tuple[Entry, ...]:
    """The shipped entries, then the downloaded ones."""
    return _read_once(PERTURBATIONS) + read_library(fetched_folder())


def maker_name(network: str) -> str:
    """What patterns call the network with this key, of which no card need be here; the key where no pattern is its alone."""
    return next((entry.name.partition(",")[0] for entry in library() if entry.networks == (network,)), network)


def fetched_folder() -> Path:
    """Where fetched perturbations are kept."""
    return cache_folder() / "perturbations"


@lru_cache(maxsize=1)
def _read_once(folder: Path) -> tuple[Entry, ...]:
    return read_library(folder)


def read_library(folder: Path) -> tuple[Entry, ...]:
    """Every perturbation of ``folder``: small first, one network before several, free before targeted, l_inf before l2,
    strong before faint."""
    return tuple(sorted(_entries(folder), key=_order))


def _entries(folder: Path) -> Iterator[Entry]:
    from safetensors import SafetensorError

    for path in folder.glob("*.safetensors"):
        try:
            yield _entry(path)
        except (SafetensorError, SettingError, OSError, KeyError, IndexError, ValueError) as error:
            log.warning("passed over %s, which holds no perturbation of this app: %s", path.name, error)


def _order(entry: Entry) -> tuple[Any, ...]:
    kind = len(entry.networks), bool(entry.target), entry.networks, entry.ball.p != LINF
    return entry.side, *kind, -entry.ball.radius, len(entry.key), entry.key


def _entry(path: Path) -> Entry:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as archive:
        header = archive.metadata() or {}
        side = archive.get_slice("pattern").get_shape()[-1]
    ball, provenance = Ball(header["p"], float(header["radius"])), json.loads(header.get("provenance", "{}"))
    if not isinstance(provenance, dict):
        raise ValueError("Its provenance is no list of names and values.")
    return Entry(path, header.get("name", path.stem), side, ball, provenance)
