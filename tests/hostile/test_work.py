"""Small files that ask for much time or memory get a sentence at once; files with a network beside the pattern are read."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from patterns import PATTERN, _mat, _zip, written
from safetensors.numpy import save as save_tensors

from uap_core.errors import PerturbationError
from uap_core.perturbations.array_files import MOST_ARRAYS
from uap_core.perturbations.perturbation import load_perturbation

SECONDS, MEGABYTES = 5, 120
MANY = 20_000
PATTERN_TENSOR = torch.from_numpy(PATTERN.copy())


def pth(value: Any, **how: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **how)
    return stream.getvalue()


def shared(depth: int, width: int) -> list[Any]:
    """Lists that hold the next one ``width`` times: ``width`` ** ``depth`` ways lead to the last."""
    held: list[Any] = [1]
    for _ in range(depth):
        held = [held] * width
    return held


def zip_of(words: bytes) -> bytes:
    """A torch file with a pickle that torch.save would not write."""
    return _zip({"x/data.pkl": b"\x80\x02" + words + b".", "x/version": b"3\n", "x/byteorder": b"little"})


def of_old(words: bytes) -> bytes:
    """The same as torch wrote it before version 1.6."""
    head = [119547037146038801333356, 1001, {"little_endian": True}]
    return b"".join(pickle.dumps(part, 2) for part in head) + b"\x80\x02" + words + b"."


def named_by_tuples(depth: int) -> bytes:
    """A dictionary whose one entry is named by a tuple that holds the one before it twice, and so on."""
    words = b"K\x01\x85q\x00"
    for number in range(depth):
        words += bytes((*b"h", number, *b"h", number, 0x86, *b"q", number + 1))
    return words + b"}h" + bytes([depth]) + b"K\x01s"


def copies(count: int) -> bytes:
    """A list of pairs, and ``count`` dictionaries made of it, by way of a tuple that was kept while the list was empty."""
    pairs = b"".join(b"M" + struct.pack("<H", number) + b"K\x01\x86" for number in range(9_000))
    kept = b"]q\x00\x85q\x01ccollections\nOrderedDict\nq\x02h\x00(" + pairs + b"e"
    return kept + b"](" + b"h\x02h\x01R" * count + b"e"


def twice() -> bytes:
    """One storage, which torch finds by two names."""
    files = {"x/version": b"3\n", "x/byteorder": b"little", "x/data/a": PATTERN.tobytes()}
    with zipfile.ZipFile(io.BytesIO(pth([PATTERN_TENSOR, PATTERN_TENSOR.clone()]))) as archive:
        written = next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
    text = b"X\x01\x00\x00\x00"
    return _zip({"x/data.pkl": written.replace(text + b"0", text + b"a").replace(text + b"1", text + b"A"), **files})


def npz_of_many() -> bytes:
    stream = io.BytesIO()
    np.save(stream, PATTERN)
    return _zip({f"{number}.npy": stream.getvalue() for number in range(MANY // 10)})


def safetensors_header(name: str) -> bytes:
    entry = {"dtype": "F32", "shape": [3, 12, 12], "data_offsets": [0, PATTERN.nbytes]}
    text = json.dumps({name: entry}, ensure_ascii=False).encode()
    return struct.pack("<Q", len(text)) + text + PATTERN.tobytes()


def mat_in_parts(*parts: tuple[int, int]) -> bytes:
    """Compressed elements of so many zeros each, of a type of element."""
    found = _mat()
    for kind, count in parts:
        packing = zlib.compressobj(9)
        packed = packing.compress(struct.pack("<II", kind, count))
        packed += b"".join(packing.compress(bytes(1_000_000)) for _ in range(count // 1_000_000))
        packed += packing.compress(bytes(count % 1_000_000)) + packing.flush()
        found += struct.pack("<II", 15, len(packed)) + packed
    return found


def mat_of_bytes(count: int) -> bytes:
    """Arrays of doubles, each of which is stored as a byte."""
    values = 3 * 1000 * 1000
    flags, sides = struct.pack("<IIII", 6, 8, 6, 0), struct.pack("<IIIIII", 5, 12, 3, 1000, 1000, 0)
    found = _mat()
    for number in range(count):
        name = struct.pack("<HH4s", 1, 1, b"%c\0\0\0" % (97 + number))
        inner = flags + sides + name + struct.pack("<II", 2, values) + bytes(values)
        found += struct.pack("<II", 14, len(inner)) + inner
    return found


def mat_of_many() -> bytes:
    data = written()["mat"]
    return data + data[128:] * MOST_ARRAYS


ASKING: dict[str, Callable[[], bytes]] = {
    "lists in lists.pth": lambda: pth(shared(7, 10)),
    "lists in lists of old.pth": lambda: pth(shared(7, 10), _use_new_zipfile_serialization=False),
    "words.pth": lambda: zip_of(b"]" * 3_000_000),
    "words of old.pth": lambda: of_old(b"]" * 3_000_000),
    "named by tuples.pth": lambda: zip_of(named_by_tuples(28)),
    "named by tuples of old.pth": lambda: of_old(named_by_tuples(28)),
    "copies.pth": lambda: zip_of(copies(1_000)),
    "one storage twice.pth": twice,
    "many.pth": lambda: pth([PATTERN_TENSOR] * MANY),
    "repeated.pth": lambda: pth({str(number): torch.zeros(1).expand(3, 1000, 1000) for number in range(50)}),
    "long name.pth": lambda: pth({"a" * 1_000_000: PATTERN_TENSOR}),
    "names in names.pth": lambda: pth({"a" * 1_000_000: [[PATTERN_TENSOR] for _ in range(100)]}),
    "no text.pth": lambda: pth({"\ud800": PATTERN_TENSOR}),
    "many.npz": npz_of_many,
    "many.safetensors": lambda: save_tensors({str(number): PATTERN for number in range(MOST_ARRAYS + 1)}),
    "long name.safetensors": lambda: safetensors_header("a" * 100_000),
    "long header.safetensors": lambda: safetensors_header("a" * 20_000_000),
    "said at length.safetensors": lambda: save_tensors(
        {"pattern": PATTERN}, {"p": "linf", "radius": "0.04", "name": "a" * 25_000_000}
    ),
    "no room left.mat": lambda: mat_in_parts((9, 30_000_000 - 8), (9, 300_000_000)),
    "bytes for doubles.mat": lambda: mat_of_bytes(9),
    "many.mat": mat_of_many,
}


@pytest.mark.parametrize("name", ASKING)
def test_it_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ASKING[name]())
    started = time.process_time()
    with pytest.raises(PerturbationError) as refused:
        load_perturbation(path)
    assert time.process_time() - started < SECONDS
    assert re.fullmatch(r"[A-Z][^\n]{10,400}\.", str(refused.value))
    if name.startswith("words"):  # tracing takes ten times as long as reading
        return
    tracemalloc.start()
    with pytest.raises(PerturbationError):
        load_perturbation(path)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert peak < MEGABYTES


@pytest.mark.parametrize("new", [True, False])
def test_a_training_beside_the_pattern_is_not_too_much(new: bool, tmp_path: Path) -> None:
    def weights() -> OrderedDict[str, torch.Tensor]:
        return OrderedDict((f"layer{number}.weight", torch.nn.Parameter(torch.ones(2))) for number in range(320))

    moments = {number: {"step": torch.tensor(3.0)} for number in range(320)}
    losses = [1 / (1 + number) for number in range(10_000)]
    held = {"state_dict": weights(), "mean": weights(), "optimiser": {"state": moments}, "losses": losses}
    torch.save(held | {"state": {"uap": PATTERN_TENSOR}}, tmp_path / "run.pth", _use_new_zipfile_serialization=new)
    assert np.allclose(load_perturbation(tmp_path / "run.pth").pattern.numpy(), PATTERN)


def test_what_is_held_twice_is_found_by_one_of_its_names(tmp_path: Path) -> None:
    state = {"uap": PATTERN_TENSOR}
    held: dict[str, Any] = {"best": state, "last": [state]}
    held["itself"] = held
    torch.save(held, tmp_path / "v.pth")
    assert np.allclose(load_perturbation(tmp_path / "v.pth").pattern.numpy(), PATTERN)
