"""Exported programs (.pt2) from untrusted sources: opened only if nothing in them can run code."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from uap_core.errors import ModelError
from uap_core.models.card import Card

# What torch.export.save writes for a network of plain tensors, and what its JSON then says.
PLAIN_ENTRY = re.compile(
    r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)|models/model\.json"
    r"|data/(weights|constants|sample_inputs)/(model\.pt|model_(weights|constants)_config\.json|(weight|tensor)_\d+)"
)
SIZE_WORD = re.compile(r"[us]\d+|Symbol|Integer|Add|Mul|Mod|FloorDiv|Max|Min|integer|positive|nonnegative|True|False")
WORD = re.compile(r"[^\W\d]\w*")
HUGE = re.compile(r"\*\*|\d{13}|\de")  # sizes that take for ever to work out
OPERATION = re.compile(
    r"torch\.ops\.aten\.(?!from_file)\w+\.\w+|_operator\.(add|sub|mul|floordiv|mod|neg|getitem|eq|ne|le|lt|ge|gt)"
)


def open_program(card: Card, path: Path) -> nn.Module:
    """The program of ``card``. Raises ModelError when it could run code, or cannot be opened."""
    refuse_code(path)
    try:
        return _movable(torch.export.load(path).module())
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise ModelError(f"The exported program of {card.name} cannot be opened by torch {torch.__version__}.") from error


def _movable(program: nn.Module) -> nn.Module:
    """An exported program keeps its constants as plain tensors, which ``.to(device)`` would leave behind: make them buffers."""
    for name, value in list(vars(program).items()):
        if isinstance(value, torch.Tensor):
            delattr(program, name)
            program.register_buffer(name, value, persistent=False)
    return program


def refuse_code(path: Path) -> None:
    """Raise ModelError when opening or running a .pt2 archive could run code of its author's.

    torch.export.load unpickles what the archive's configurations call ``use_pickle``, constants of some names, and any
    torch.save file that does not open with weights_only=True; it loads compiled libraries, evaluates the sizes and guards of
    model.json as Python, and takes any function within reach of torch for an operation. So only the entries that a plain
    program has may be there, listed once and read by the reader that torch uses.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = sorted(name.partition("/")[2] for name in archive.namelist())
        reader = torch._C.PyTorchFileReader(str(path))
        names = reader.get_all_records()
        trees = [json.loads(reader.get_record(name)) for name in names if name.endswith(".json")]
        saved = [reader.get_record(name) for name in names if name.endswith(".pt")]
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, KeyError) as error:
        raise ModelError(f"{path.name!r} is not an exported program.") from error
    plain = sorted(set(names)) == listed and all(map(PLAIN_ENTRY.fullmatch, names))
    if not (plain and all(_is_harmless(*entry) for tree in trees for entry in _entries(tree)) and all(map(_is_plain, saved))):
        raise ModelError(f"{path.name!r} holds more than a plain program, which could run code, so it is not opened.")


def _is_harmless(key: str, value: object) -> bool:
    """Whether one entry of an archive's JSON keeps torch from running anything but its own arithmetic."""
    if key == "use_pickle":
        return value is False
    if key == "guards_code":
        return not value
    if key == "expr_str":
        return isinstance(value, str) and not HUGE.search(value) and all(map(SIZE_WORD.fullmatch, WORD.findall(value)))
    return key != "target" or (isinstance(value, str) and bool(OPERATION.fullmatch(value)))


def _is_plain(data: bytes) -> bool:
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception:  # any failure makes torch.export.load fall back to unpickling
        return False
    return True


def _entries(node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _entries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _entries(value)
