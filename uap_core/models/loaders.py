"""From a card to a network: one short function a kind. Nothing that could run code is ever unpickled."""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from uap_core.errors import ModelError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Enlarge, Normalise
from uap_core.models.embedded import EMBEDDED
from uap_core.models.faster import convolve_neighbours, fold_batch_norm
from uap_core.models.weights import file_hash, how_to_get
from uap_core.texts import _

WNIDS = Path(__file__).parent / "imagenet_wnids.txt"  # WordNet ids of ImageNet's classes, in the networks' output order
# torchvision's DenseNet weights are older than its layers' names: norm.1 became norm1.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])")

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
            _("The weights of {network} are not on this machine. {how}").format(network=card.name, how=how_to_get(card))
        )
    found = file_hash(path)
    if not found.startswith(card.sha256):
        raise ModelError(
            _("The weights of {network} are not the file that its card describes (SHA-256 differs). {how}").format(
                network=card.name, how=how_to_get(card)
            )
        )
    network = {"embedded": _embedded, "exported": _exported, "torchvision": _torchvision}[card.kind](card, path)
    labels, class_ids = _classes(card)
    classifier = Classifier(network, card, labels, class_ids, found)
    _try(classifier)
    return classifier


@torch.no_grad()
def _try(classifier: Classifier) -> None:
    """Raise ModelError unless two pictures of the card's size give a score for each of its classes."""
    card, count = classifier.card, len(classifier.labels)
    try:
        shape = tuple(classifier(torch.zeros(2, 3, card.input_size, card.input_size)).shape)
    except Exception as error:  # whatever a network of a stranger raises
        raise ModelError(
            _("{network} does not take batches of {side} x {side} pixels, as its card says.").format(
                network=card.name, side=card.input_size
            )
        ) from error
    if shape != (2, count):
        raise ModelError(
            _("{network} gives {scores} scores a picture, its card lists {classes} classes.").format(
                network=card.name, scores=shape[-1], classes=count
            )
        )


def _embedded(card: Card, path: Path) -> nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if card.architecture not in EMBEDDED:
        raise ModelError(
            _("The card of {network} names an architecture that is not known: {architecture!r}.").format(
                network=card.name, architecture=card.architecture
            )
        )
    network = EMBEDDED[card.architecture].build(len(card.classes))
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(
            _("The weights file of {network} does not fit {architecture}.").format(
                network=card.name, architecture=card.architecture
            )
        ) from error
    enlarge = [Enlarge(card.view_size)] if card.view_size else []
    return _channels_last(nn.Sequential(Normalise(), *enlarge, fold_batch_norm(network)))


def _torchvision(card: Card, path: Path) -> nn.Module:
    tv_models = import_torchvision().models
    if card.architecture not in tv_models.list_models(module=tv_models):
        raise ModelError(
            _("torchvision has no architecture {architecture!r}, which the card of {network} names.").format(
                architecture=card.architecture, network=card.name
            )
        )
    try:
        tensors = torch.load(path, weights_only=True, map_location="cpu")
        network = _without_weights(tv_models.get_model, card)
        network.load_state_dict({OLD_DENSENET.sub(r"\1\2", name): value for name, value in tensors.items()}, assign=True)
    except Exception as error:  # torch raises many kinds here; all mean that the file does not fit
        raise ModelError(
            _("The weights file of {network} does not fit {architecture}.").format(
                network=card.name, architecture=card.architecture
            )
        ) from error
    return _channels_last(nn.Sequential(Normalise(), fold_batch_norm(network)))


def _without_weights(build: Callable[..., nn.Module], card: Card) -> nn.Module:
    try:
        with torch.device("meta"):  # no time and memory for random weights
            return build(card.architecture, weights=None, **card.options)
    except NotImplementedError:  # RegNet looks at its weights while they are made
        return build(card.architecture, weights=None, **card.options)


def _channels_last(network: nn.Module) -> nn.Module:
    """A processor takes a sixth to a third less time when the channels of a pixel lie side by side."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return network


def _exported(card: Card, path: Path) -> nn.Module:
    refuse_code(path)
    try:
        return _channels_last(_movable(convolve_neighbours(torch.export.load(path).module())))
    except Exception as error:  # whatever a damaged archive makes torch raise
        raise ModelError(
            _("The exported program of {network} cannot be opened by torch {version}.").format(
                network=card.name, version=torch.__version__
            )
        ) from error


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
        raise ModelError(_("{file!r} is not an exported program.").format(file=path.name)) from error
    plain = sorted(set(names)) == listed and all(map(PLAIN_ENTRY.fullmatch, names))
    if not (plain and all(_is_harmless(*entry) for tree in trees for entry in _entries(tree)) and all(map(_is_plain, saved))):
        raise ModelError(
            _("{file!r} holds more than a plain program, which could run code, so it is not opened.").format(file=path.name)
        )


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
        raise ModelError(_("The card of {network} must list its classes or say 'imagenet'.").format(network=card.name))
    tv_models = import_torchvision().models
    labels = tv_models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    return tuple(labels), tuple(WNIDS.read_text(encoding="utf-8").split())


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
