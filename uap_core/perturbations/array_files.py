"""Arrays in .npy, .npz, .pth, .mat and .safetensors files, by name. Nothing in them is run."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from uap_core.errors import PerturbationError
from uap_core.perturbations.mat_files import read_mat
from uap_core.perturbations.pickled_work import check_work

if TYPE_CHECKING:
    from torch import Tensor

ENDINGS = (".npy", ".npz", ".safetensors", ".pth", ".pt", ".mat")
MAX_BYTES = 30_000_000
MAX_VALUES = 3 * 1024 * 1024
MOST_ARRAYS = 1_000  # a network's weights beside its pattern are some hundred
LONGEST_NAME = 200  # characters, of an array
MAX_HEADER = 1_000_000  # bytes, of a .safetensors file: where its arrays lie, and what it says of itself
DEEPEST = 8  # dictionaries and lists within each other


def read_file(path: Path) -> dict[str, np.ndarray]:
    """Every array of a file by name, of any shape and type. Raises PerturbationError.

    Nothing is unpickled but what torch.load(weights_only=True) admits.
    """
    if path.suffix.lower() not in ENDINGS:
        raise PerturbationError(f"A perturbation file ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, not {path.suffix!r}.")
    if not path.is_file():
        raise PerturbationError(f"There is no perturbation file at {path.name!r}.")
    if path.stat().st_size > MAX_BYTES:
        raise PerturbationError(f"This file has {path.stat().st_size / 1e6:.0f} MB; no perturbation is that large.")
    reader = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors, ".pth": _torch, ".pt": _torch, ".mat": _matlab}
    return reader[path.suffix.lower()](path)


@contextmanager
def _or(said: str) -> Iterator[None]:
    """Raise PerturbationError with what is ``said`` for anything else that is raised: damaged files make readers raise much."""
    try:
        yield
    except PerturbationError:
        raise
    except Exception as error:
        raise PerturbationError(said) from error


def _npy(path: Path) -> dict[str, np.ndarray]:
    return {path.stem: _numpy_array(path.read_bytes())}


def _npz(path: Path) -> dict[str, np.ndarray]:
    with _or("This .npz file is damaged: its arrays could not be unpacked."), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise PerturbationError("Unpacked, this .npz file would be far larger than any perturbation.")
        arrays = {entry.filename: entry for entry in entries if entry.filename.endswith(".npy")}
        _check_names(arrays)
        packed = {name: _unpacked(archive, entry) for name, entry in arrays.items()}
    return {name.removesuffix(".npy"): _numpy_array(data) for name, data in packed.items()}


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read no more than the size that ``entry`` states: zipfile would unpack everything before it checks."""
    with archive.open(entry) as stream:
        return stream.read(entry.file_size)


def _numpy_array(data: bytes) -> np.ndarray:
    """One .npy array, its size checked before any memory is taken."""
    stream = io.BytesIO(data)
    with _or("This NumPy file is damaged: its array could not be read."):
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(stream)
        _check_size(shape)
        values = stream.read()
        if dtype.hasobject:
            raise PerturbationError(
                "This NumPy file holds pickled objects, which could run code, so it is not opened. Save a plain float array."
            )
        if len(values) != math.prod(shape) * dtype.itemsize:
            raise ValueError("its size is not what its header says")
        return np.frombuffer(values, dtype).reshape(shape, order="F" if fortran else "C")


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import safe_open

    check_header(path)
    with (
        _or("This .safetensors file is damaged: its arrays could not be read."),
        safe_open(path, framework="pt") as archive,
    ):
        names = list(archive.keys())
        _check_names(names)
        return _plain({name: archive.get_tensor(name) for name in names})


def check_header(path: Path) -> None:
    """Raise PerturbationError where the header of a .safetensors file, of which all is kept, is longer than any pattern's."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
    if MAX_HEADER < length < path.stat().st_size:  # one that is longer than its file is damaged
        raise PerturbationError(
            f"The header of this file has {length / 1e6:.0f} MB; that of a pattern has some thousand letters."
        )


def check_said(header: dict[str, str]) -> None:
    """Raise PerturbationError where a file with this ``header`` could not be opened again."""
    if len(json.dumps(header)) > MAX_HEADER // 2:  # the rest is for the arrays
        raise PerturbationError("The name and provenance of this pattern are too long for a file. Shorten them.")


def _torch(path: Path) -> dict[str, np.ndarray]:
    import torch

    said = (
        "This PyTorch file is damaged, or holds more than tensors, which could run code; it is not opened. Save the pattern "
        "alone, as a tensor."
    )
    with _or(said):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                    raise PerturbationError("Unpacked, this file would be far larger than any perturbation.")
        check_work(path)
        held = torch.load(path, weights_only=True, map_location="cpu")
        return _plain(_tensors(held) if not isinstance(held, torch.Tensor) else {path.stem: held})


def _tensors(held: object) -> dict[str, Tensor]:
    """Every tensor of what torch.load gave, at any depth of dictionaries and lists; ``state.uap`` is one level deep.

    Each dictionary and list is looked through once, however often others hold it. Raises PerturbationError for too many.
    """
    import torch

    found: dict[str, Tensor] = {}
    seen, level = set[int](), {"": held}
    for _depth in range(DEEPEST + 1):
        below: dict[str, object] = {}
        for above, holder in level.items():
            if id(holder) in seen or not isinstance(holder, (dict, list, tuple)):
                continue
            seen.add(id(holder))
            for name, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
                if isinstance(value, torch.Tensor):
                    found[f"{above}{name}"] = value
                elif isinstance(value, (dict, list, tuple)):
                    below[_checked(f"{above}{name}.")] = value
        level = below
    _check_names(found)
    return found


def _plain(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """The plain ones, as NumPy has them; 16-bit floats, of which NumPy lacks one, as 32-bit ones.

    Of other numbers and of truth values only the type is asked, so that a sentence can name it.
    """
    import torch

    floats = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    whole = (torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.int64)
    named = (torch.bool, torch.complex64, torch.complex128)
    found = {}
    if sum(value.numel() for value in tensors.values()) > MAX_BYTES:  # of a byte at least
        raise PerturbationError("Unpacked, this file would be far larger than any perturbation.")
    for name, value in tensors.items():
        plain = value.layout is torch.strided and not value.is_nested and value.device.type == "cpu"
        if plain and value.dtype in (*floats, *whole, *named):
            _check_size(tuple(value.shape))  # a few bytes may claim to be repeated a million times
            found[name] = (value.float() if value.dtype in floats[:2] else value).detach().resolve_conj().resolve_neg().numpy()
    if tensors and not found:
        odd = sorted({f"{str(value.layout)[6:]} {str(value.dtype)[6:]}".removeprefix("strided ") for value in tensors.values()})
        raise PerturbationError(f"The tensors of this file are {', '.join(odd)}. Save the pattern as dense floats.")
    return found


def _matlab(path: Path) -> dict[str, np.ndarray]:
    with _or("This .mat file is damaged: its arrays could not be read."):
        found = read_mat(path.read_bytes(), MAX_BYTES, MAX_VALUES, MOST_ARRAYS)
        _check_names(found)
        return found


def _check_names(names: Collection[str]) -> None:
    """Raise PerturbationError for more arrays than a pattern file has, or names that no page could show."""
    if len(names) > MOST_ARRAYS:
        raise PerturbationError(f"This file holds {len(names)} arrays, a pattern file some few. Save the pattern alone.")
    for name in names:
        _checked(name)


def _checked(name: str) -> str:
    """``name``, of an array. Raises PerturbationError for one that is too long, or holds half characters (surrogates)."""
    if len(name) > LONGEST_NAME or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise PerturbationError(
            f"An array of this file has a name of {len(name)} characters, or one that is no text. Save the pattern alone."
        )
    return name


def _check_size(shape: tuple[int, ...]) -> None:
    """Before any memory is taken. Raises PerturbationError for what no network could take."""
    if math.prod(shape) > MAX_VALUES:
        raise PerturbationError(f"An array of the shape {shape} is far larger than any perturbation.")
