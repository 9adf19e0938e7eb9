"""Pattern files and sets of pictures of every kind that people have, each with the right answer: the pattern, or a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from safetensors.numpy import save as save_tensors
from scipy.io import savemat

HEIGHT, WIDTH = 10, 14
SEEDS = range(4)
Array = np.ndarray


@dataclass(frozen=True)
class KindFile:
    """A file called ``name`` that gives ``pattern`` (3,H,W), or is refused where there is none."""

    name: str
    data: bytes
    pattern: Array | None


def _npy(arrays: dict[str, Array]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, next(iter(arrays.values())))
    return stream.getvalue()


def _npz(arrays: dict[str, Array]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _pth(arrays: dict[str, Array]) -> bytes:
    stream = io.BytesIO()
    held = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    torch.save({"state": held, "epoch": 3}, stream)
    return stream.getvalue()


def _mat(arrays: dict[str, Array]) -> bytes:
    stream = io.BytesIO()
    savemat(stream, arrays, do_compression=True)
    return stream.getvalue()


def _safetensors(arrays: dict[str, Array]) -> bytes:
    return save_tensors({name: np.ascontiguousarray(value) for name, value in arrays.items()})


WRITERS: dict[str, Callable[[dict[str, Array]], bytes]] = {
    "npy": _npy,
    "npz": _npz,
    "pth": _pth,
    "mat": _mat,
    "safetensors": _safetensors,
}


def _levels(seed: int) -> Array:
    """A pattern in whole levels, with both ends of its ball in it."""
    found = np.random.default_rng(seed).choice([-1.0, 1.0], (3, HEIGHT, WIDTH)) * (4 + 3 * seed)
    found[0, 0, :2] = found.min(), found.max()
    return found


def _photo(seed: int) -> Array:
    """A smooth picture, floats from 0 to 255."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    turn = 1 + seed / 3
    return np.stack([127 + 100 * np.sin(turn * rows / 3 + k) * np.cos(turn * columns / 4 + k) for k in range(3)])


# Ways of writing a pattern of whole levels that its numbers tell.
READABLE: dict[str, Callable[[Array], Array]] = {
    "floats of 0 to 1": lambda v: (v / 255).astype(np.float32),
    "doubles of 0 to 1": lambda v: v / 255,
    "half": lambda v: (v / 255).astype(np.float16),
    "floats of 0 to 255": lambda v: v.astype(np.float32),
    "int8": lambda v: v.astype(np.int8),
    "int16": lambda v: v.astype(np.int16),
    "int32": lambda v: v.astype(np.int32),
    "int64": lambda v: v.astype(np.int64),
    "around 128": lambda v: (v + 128).astype(np.uint8),
    "around 127, floats": lambda v: (v + 127).astype(np.float32),
    "around a half": lambda v: v / 255 + 0.5,
    "wrapped": lambda v: v.astype(np.int8).view(np.uint8),
    "channels last": lambda v: (v / 255).transpose(1, 2, 0),
    "a batch of one": lambda v: v[None] / 255,
    "columns first in memory": lambda v: np.asfortranarray(v / 255),
}
# What may be anything else, so it is to be refused.
DOUBTFUL: dict[str, Callable[[Array, Array], Array]] = {
    "a photograph": lambda v, x: x.astype(np.uint8),
    "a photograph, int16": lambda v, x: x.astype(np.int16),
    "a photograph of 0 to 1": lambda v, x: x / 255,
    "a dark photograph": lambda v, x: (x / 5).astype(np.uint8),
    "a dark photograph of 0 to 1": lambda v, x: x / 255 / 5,
    "less its mean": lambda v, x: x - x.mean(),
    "from -1 to 1": lambda v, x: x / 127.5 - 1,
    "from -0.5 to 0.5": lambda v, x: x / 255 - 0.5,
    "int8 of a photograph": lambda v, x: (x - 128).astype(np.int8),
    "normalised": lambda v, x: (x / 255 - 0.45) / 0.225,
    "signs": lambda v, x: np.sign(v),
    "signs, int8": lambda v, x: np.sign(v).astype(np.int8),
    "a mask": lambda v, x: (v > 0).astype(np.uint8),
    "a direction": lambda v, x: v / np.linalg.norm(v),
    "divided twice": lambda v, x: v / 255 / 255,
    "stretched to be seen": lambda v, x: ((v - v.min()) / (v.max() - v.min()) * 255).astype(np.uint8),
    "16 bits": lambda v, x: ((v / 255 + 0.5) * 65535).astype(np.uint16),
    "not a number": lambda v, x: np.where(v > 0, v / 255, np.nan),
    "infinite": lambda v, x: np.where(v > 0, v / 255, np.inf),
    "two patterns": lambda v, x: np.stack([v, -v]) / 255,
    "four channels": lambda v, x: np.concatenate([v, v[:1]]) / 255,
    "one channel": lambda v, x: v[:1] / 255,
    "truth values": lambda v, x: v > 0,
    "normalised as for ImageNet": lambda v, x: v / 255 / np.array((0.229, 0.224, 0.225)).reshape(3, 1, 1),
    "normalised, channels last": lambda v, x: (v / 255).transpose(1, 2, 0) / np.array((0.2470, 0.2435, 0.2616)),
    "stronger": lambda v, x: (np.sign(v) * 90 + 128).astype(np.uint8),
    "complex": lambda v, x: (v / 255).astype(np.complex64),
}


def kind_files() -> Iterator[KindFile]:
    """All of them: 15 kinds of one array that are read, 24 that are refused, and several arrays, in every format."""
    for seed, (ending, write) in product(SEEDS, WRITERS.items()):
        v, x = _levels(seed), _photo(seed)
        for name, change in READABLE.items():
            if not (ending == "mat" and name == "half"):  # MATLAB has none
                yield KindFile(f"{name} {seed}.{ending}", write({"v": change(v)}), v / 255)
        for name, doubt in DOUBTFUL.items():
            yield KindFile(f"{name} {seed}.{ending}", write({"v": doubt(v, x)}), None)
        if ending != "npy":
            yield from _several(seed, ending, v, x)


def _several(seed: int, ending: str, v: Array, x: Array) -> Iterator[KindFile]:
    write, small = WRITERS[ending], v / 255
    attacked = (x + v).clip(0, 255)
    for name, arrays, right in (
        ("picture, attacked, pattern", {"clean": x.astype(np.uint8), "adv": attacked.astype(np.uint8), "uap": small}, small),
        ("pattern first", {"a": small, "b": x / 255}, small),
        ("normalised beside", {"x": (x / 255 - 0.45) / 0.225, "delta": small}, small),
        ("less its mean beside", {"x": x - x.mean(), "delta": small}, small),
        ("twice", {"uap": small, "best": small.astype(np.float32)}, small),
        ("on two scales", {"uap": small, "levels": v.astype(np.int16)}, small),
        ("channels first and last", {"uap": small, "shown": small.transpose(1, 2, 0)}, small),
        ("a mask beside", {"uap": small, "mask": (v > 0).astype(np.uint8)}, small),
        ("momentum beside", {"uap": small, "momentum": v / 1e4}, None),
        ("labels beside", {"labels": np.arange(5), "uap": small}, small),
        ("two patterns apart", {"first": small, "second": -small}, None),
        ("two photographs", {"clean": x.astype(np.uint8), "adv": attacked.astype(np.uint8)}, None),
        ("signs and a photograph", {"signs": np.sign(v), "x": x / 255}, None),
    ):
        yield KindFile(f"{name} {seed}.{ending}", write(arrays), right)  # type: ignore[arg-type]
