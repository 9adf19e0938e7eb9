"""Pattern files that nobody should open without care: traps, bombs, damage; each with what must come of it."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as save_tensors
from scipy.io import savemat
from traps import Trap

SIDE = 12
PATTERN = (np.random.default_rng(0).choice([-8, 8], (3, SIDE, SIDE)) / 255).astype(np.float32)
DAMAGED_EACH = 14


@dataclass(frozen=True)
class PatternFile:
    """A file called ``name``: it gives ``PATTERN`` (``whole``), or is ``refused``, or, where neither is said, one of both."""

    name: str
    data: bytes
    whole: bool = False
    refused: bool = False


def written() -> dict[str, bytes]:
    """The pattern in every kind of file."""
    npy, npz, mat, pth = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, PATTERN)
    np.savez_compressed(npz, v=PATTERN)
    savemat(mat, {"r": PATTERN}, do_compression=True)
    torch.save(torch.from_numpy(PATTERN.copy()), pth)
    own = {"p": "linf", "radius": repr(8 / 255), "provenance": "{}", "name": "mine"}
    return {
        "npy": npy.getvalue(),
        "npz": npz.getvalue(),
        "mat": mat.getvalue(),
        "pth": pth.getvalue(),
        "safetensors": save_tensors({"v": PATTERN}),
        "own.safetensors": save_tensors({"pattern": PATTERN}, own),
    }


def pattern_files(canary: Path) -> Iterator[PatternFile]:
    """All of them. Whatever is executed on opening one creates ``canary``."""
    whole = written()
    for ending, data in whole.items():
        yield PatternFile(f"whole.{ending}", data, whole=True)
    yield from _damaged(whole)
    yield from _trapped(Trap(canary))
    yield from _impossible_arrays()
    yield from _impossible_tensors()
    yield from _bombs()
    for ending in ("npy", "npz", "mat", "pth", "safetensors"):
        yield PatternFile(f"empty.{ending}", b"", refused=True)
        yield PatternFile(f"text.{ending}", b"Dear all, please find attached\n" * 30, refused=True)
        yield PatternFile(f"zeros.{ending}", bytes(3000), refused=True)
        other = "npz" if ending == "npy" else "npy"
        yield PatternFile(f"in truth {other}.{ending}", whole[other], refused=True)


def _damaged(whole: dict[str, bytes]) -> Iterator[PatternFile]:
    draw = random.Random(0)
    for ending, data in whole.items():
        for number in range(DAMAGED_EACH):
            broken = bytearray(data)
            if number % 3:
                for _ in range(draw.randint(1, 5)):
                    broken[draw.randrange(min(len(data), 150) if number % 2 else len(data))] ^= 1 << draw.randrange(8)
            keep = len(data) if number % 3 else draw.randrange(len(data))
            yield PatternFile(f"damaged {number}.{ending}", bytes(broken[:keep]))


def _trapped(trap: Trap) -> Iterator[PatternFile]:
    objects, packed, module, legacy = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(objects, np.array([trap], dtype=object), allow_pickle=True)
    np.savez(packed, v=np.array([trap], dtype=object))
    torch.save({"v": torch.zeros(3, 4, 4), "more": trap}, module)
    torch.save(trap, legacy, _use_new_zipfile_serialization=False)
    bare = pickle.dumps(trap)
    for name, data in {
        "objects.npy": objects.getvalue(),
        "objects.npz": packed.getvalue(),
        "more than tensors.pth": module.getvalue(),
        "of old.pth": legacy.getvalue(),
        "bare.pth": bare,
        "bare.pt": bare,
        "bare.npy": bare,
        "bare.npz": bare,
        "bare.mat": bare,
        "bare.safetensors": bare,
        "archive.pth": _tar(bare),
        "other archive.pth": _zip({"archive/data.pkl": bare, "archive/version": b"3"}),
        "within.npz": _zip({"v.npy": bare}),
        "code.pt": _zip(
            {"x/code/__torch__.py": trap.code.encode(), "x/data.pkl": bare, "x/constants.pkl": bare, "x/version": b"3"}
        ),
        "header.npy": b"\x93NUMPY\x01\x00" + _npy_header(trap.code),
    }.items():
        yield PatternFile(name, data, refused=True)


def _impossible_arrays() -> Iterator[PatternFile]:
    for number, shape in enumerate(
        ((-3, 4, 4), (3, -4, -4), (3, 0, 4), (0,), (), (3,), (3, 4), (4, 4, 4), (3, 2**31, 2), (2**63, 3, 1), (3, 10**9, 10**9))
    ):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape!r}, }}"
        yield PatternFile(f"shape {number}.npy", b"\x93NUMPY\x01\x00" + _npy_header(header) + bytes(192), refused=True)
    for number, kind in enumerate(("<c8", "|S4", "<U1", "<M8[s]", "|V4", "|O", "<f99", "[('a', '<f4')]", "|b1")):
        header = f"{{'descr': {kind if kind[0] == '[' else repr(kind)}, 'fortran_order': False, 'shape': (3, 4, 4), }}"
        yield PatternFile(f"kind {number}.npy", b"\x93NUMPY\x01\x00" + _npy_header(header) + bytes(192), refused=True)
    for name, value in {"nan": np.nan, "infinite": np.inf, "minus infinite": -np.inf, "enormous": 3e38}.items():
        values = PATTERN.copy()
        values[1, 2, 3] = value
        stream = io.BytesIO()
        np.save(stream, values)
        yield PatternFile(f"{name}.npy", stream.getvalue(), refused=True)
        yield PatternFile(f"{name}.safetensors", save_tensors({"v": values}), refused=True)
        own = {"p": "linf", "radius": "0.1"}
        yield PatternFile(f"{name}.own.safetensors", save_tensors({"pattern": values}, own), refused=True)
    yield PatternFile("version 9.npy", b"\x93NUMPY\x09\x00" + _npy_header("{}"), refused=True)
    yield PatternFile("deep.npy", b"\x93NUMPY\x01\x00" + _npy_header("(" * 9000), refused=True)


def _impossible_tensors() -> Iterator[PatternFile]:
    def header(text: bytes, length: int | None = None, data: bytes = bytes(192)) -> bytes:
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    entry = {"dtype": "F32", "shape": [3, 4, 4], "data_offsets": [0, 192]}
    for name, changes in {
        "negative shape": {"shape": [3, -4, -4]},
        "huge shape": {"shape": [3, 2**40, 2**40]},
        "overflowing shape": {"shape": [3, 2**62, 4]},
        "beyond the end": {"data_offsets": [0, 10**12]},
        "backwards": {"data_offsets": [192, 0]},
        "no such type": {"dtype": "F1"},
        "of truths": {"dtype": "BOOL", "shape": [3, 8, 8]},
        "no shape": {"shape": None},
        "flat": {"shape": [48]},
    }.items():
        text = json.dumps({"v": {**entry, **changes}}).encode()
        yield PatternFile(f"{name}.safetensors", header(text), refused=True)
    yield PatternFile("long header.safetensors", header(b"{}", 2**63), refused=True)
    yield PatternFile("deep header.safetensors", header(b"[" * 40_000), refused=True)
    yield PatternFile("no tensors.safetensors", header(b"{}", data=b""), refused=True)
    for name, metadata in {
        "no number": {"p": "linf", "radius": "ten"},
        "nan": {"p": "linf", "radius": "nan"},
        "infinite": {"p": "linf", "radius": "inf"},
        "negative": {"p": "linf", "radius": "-1"},
        "other norm": {"p": "<b>", "radius": "0.1"},
        "too small": {"p": "linf", "radius": "0.001"},
        "no dictionary": {"p": "linf", "radius": "0.1", "provenance": "[1]"},
        "no json": {"p": "linf", "radius": "0.1", "provenance": "{"},
        "deep json": {"p": "linf", "radius": "0.1", "provenance": "[" * 30_000},
    }.items():
        yield PatternFile(f"{name} radius.safetensors", save_tensors({"pattern": PATTERN}, metadata), refused=True)
    for name, value in {
        "no": None,
        "number": 3,
        "words": {"a": "b"},
        "repeated": torch.zeros(1).expand(3, 5000, 5000),
        "sparse": torch.zeros(3, 4, 4).to_sparse(),
        "complex": torch.zeros(3, 4, 4, dtype=torch.complex64),
        "truths": torch.zeros(3, 4, 4, dtype=torch.bool),
        "meta": torch.zeros(3, 4, 4, device="meta"),
        "nan": torch.full((3, 4, 4), float("nan")),
        "flat": torch.zeros(48),
        "list": [torch.full((3, 4, 4), 0.1), [torch.full((3, 4, 4), -0.1)]],
    }.items():
        stream = io.BytesIO()
        torch.save(value, stream)
        yield PatternFile(f"{name} tensor.pth", stream.getvalue(), refused=True)
    for name, cells in {
        "words": "abc",
        "cell": np.array([1, "a"], dtype=object),
        "struct": {"a": 1},
        "flat": np.zeros(9),
    }.items():
        stream = io.BytesIO()
        savemat(stream, {"r": cells})
        yield PatternFile(f"{name}.mat", stream.getvalue(), refused=True)


def _bombs() -> Iterator[PatternFile]:
    zeros = b"\x93NUMPY\x01\x00" + _npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5000, 5000), }")
    huge = zeros + bytes(100_000_000)
    bomb = _zip({"v.npy": huge})
    yield PatternFile("bomb.npz", bomb, refused=True)
    yield PatternFile("liar.npz", bomb.replace(struct.pack("<I", len(huge)), struct.pack("<I", 500)), refused=True)
    yield PatternFile("bomb.pth", _zip({"archive/data.pkl": huge, "archive/version": b"3"}), refused=True)
    many = {f"{number}.npy": zeros[:140] for number in range(20_000)}
    yield PatternFile("many.npz", _zip(many), refused=True)
    element = struct.pack("<II", 9, 100_000_000) + bytes(100_000_000)
    packed = zlib.compress(element)
    yield PatternFile("bomb.mat", _mat() + struct.pack("<II", 15, len(packed)) + packed, refused=True)
    yield PatternFile("claims.mat", _mat() + struct.pack("<II", 14, 2**31 - 1) + bytes(64), refused=True)
    yield PatternFile("73.mat", b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(600), refused=True)


def _mat() -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def _npy_header(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


def _zip(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _tar(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("storages", "tensors", "pickle"):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
