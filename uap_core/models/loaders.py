"""From a card to a network: one short function a kind. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from uap_core.errors import ModelError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Enlarge, Normalise
from uap_core.models.faster import convolve_neighbours, fold_batch_norm
from uap_core.models.resnet64 import ResNet64

EMBEDDED = {"resnet64": ResNet64}

# What torch.export.save writes for a network of plain tensors, and what its JSON then says.
PLAIN_ENTRY = re.compile(
    r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)|models/model\.json"
    r"|data/(weights|constants|sample_inputs)/(model\.pt|model_(weights|constants)_config\.json|(weight|tensor)_\d+)"
)
SIZE_WORD = re.compile(r"[us]\d+|Symbol|Integer|Add|Mul|Mod|FloorDiv|Max|Min|integer|positive|nonnegative|True|False")
OPERATION = re.compile(
    r"torch\.ops\.aten\.(?!from_file)\w+\.\w+|_operator\.(add|sub|mul|floordiv|mod|neg|getitem|eq|ne|le|lt|ge|gt)"
)


def load(card: Card) -> Classifier:
    """Build the classifier of ``card``. Raises ModelError with what to do when its weights are absent, changed or unsafe."""
    path = card.weights_path
    if not path.is_file():
        raise ModelError(
            f"The weights of {card.name} are not on this machine. They belong at {card.weights!r} beside the card"
            f" {card.key!r}; source: {card.source}."
        )
    found = file_hash(path)
    if card.sha256 and found != card.sha256:
        raise ModelError(f"The weights of {card.name} are not the file that its card describes (SHA-256 differs).")
    network = {"embedded": _embedded, "exported": _exported, "torchvision": _torchvision}[card.kind](card, path)
    labels, class_ids = _classes(card)
    return Classifier(network, card, labels, class_ids, found)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()  # hashlib.file_digest would need Python 3.11
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _embedded(card: Card, path: Path) -> nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if card.architecture not in EMBEDDED:
        raise ModelError(f"The card of {card.name} names an architecture that is not known: {card.architecture!r}.")
    network = EMBEDDED[card.architecture](len(card.classes))
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f"The weights file of {card.name} does not fit {card.architecture}.") from error
    enlarge = [Enlarge(card.view_size)] if card.view_size else []
    return _channels_last(nn.Sequential(Normalise(), *enlarge, fold_batch_norm(network)))


def _torchvision(card: Card, path: Path) -> nn.Module:
    tv_models = import_torchvision().models
    if card.architecture not in tv_models.list_models(module=tv_models):
        raise ModelError(f"torchvision has no architecture {card.architecture!r}, which the card of {card.name} names.")
    network = tv_models.get_model(card.architecture, weights=None)
    try:
        network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    except Exception as error:  # torch raises many kinds here; all mean that the file does not fit
        raise ModelError(f"The weights file of {card.name} does not fit {card.architecture}.") from error
    return _channels_last(nn.Sequential(Normalise(), fold_batch_norm(network)))


def _channels_last(network: nn.Module) -> nn.Module:
    """A processor takes a sixth to a third less time when the channels of a pixel lie side by side."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return network


def _exported(card: Card, path: Path) -> nn.Module:
    refuse_code(path)
    try:
        return _channels_last(convolve_neighbours(torch.export.load(path).module()))
    except Exception as error:  # whatever a damaged archive makes torch raise
        raise ModelError(f"The exported program of {card.name} cannot be opened by torch {torch.__version__}.") from error


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
        return isinstance(value, str) and all(map(SIZE_WORD.fullmatch, re.findall(r"[^\W\d]\w*", value)))
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


def _classes(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(card.classes, list):
        return tuple(c["name"] for c in card.classes), tuple(c.get("wnid", "") for c in card.classes)
    if card.classes != "imagenet":
        raise ModelError(f"The card of {card.name} must list its classes or say 'imagenet'.")
    tv_models = import_torchvision().models
    labels = tv_models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    return tuple(labels), _wnids(card)


def _wnids(card: Card) -> tuple[str, ...]:
    """WordNet ids from the card's own CSV (columns index, wnid, ...), which only accuracy needs."""
    path = (card.folder / card.wnids).resolve() if card.wnids else None
    if path is None or not path.is_file():
        return ()
    rows = [line.split(",")[:2] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return tuple(wnid for _, wnid in sorted(rows, key=lambda row: int(row[0])))


def import_torchvision() -> ModuleType:
    """torchvision, also when its compiled operators want CUDA libraries that a CPU build of torch does not bring.

    Classification needs none of those operators; declaring the two missing names is enough for the import.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # the half-made import
    torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")
