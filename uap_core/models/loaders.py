"""From a card to a network: one short function a kind. Nothing that could run code is ever unpickled."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from uap_core.errors import ModelError
from uap_core.models.architectures.efficientnet_lite import SCALES, EfficientNetLite
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Enlarge, Normalise
from uap_core.models.embedded import EMBEDDED
from uap_core.models.exported import open_program
from uap_core.models.fusion import fold_batch_norm
from uap_core.models.imagenet import imagenet_classes
from uap_core.models.libraries import import_timm, import_torchvision
from uap_core.models.tensors import UnfitError, fitting, read_tensors
from uap_core.models.weights import file_hash, how_to_get
from uap_core.models.wrapping import OnlyScores, scores_in

# torchvision's DenseNet weights are older than its layers' names: norm.1 became norm1.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])")


def load(card: Card, fold: bool = True) -> Classifier:
    """Build the classifier of ``card``. Raises ModelError with what to do when its weights are absent, changed or unsafe.

    Without ``fold`` batch norms stay layers of their own, which hold the statistics of training: slower, the same function.
    """
    path = card.weights_path
    if not os.path.isfile(path):
        raise ModelError(f"The weights of {card.name} are not on this machine. {how_to_get(card)}")
    found = file_hash(path)
    # Of a pickle the whole hash must be known, since its reader is the second lock and not the first.
    if not found.startswith(card.sha256) or (path.suffix == ".pkl" and found != card.sha256):
        raise ModelError(
            f"The weights of {card.name} are not the file that its card describes (SHA-256 differs). {how_to_get(card)}"
        )
    build = {"embedded": _embedded, "exported": open_program, "torchvision": _torchvision, "timm": _timm}[card.kind]
    network = build(card, path)
    if fold and isinstance(network, nn.Sequential):
        network[-1] = fold_batch_norm(network[-1])
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    labels, class_ids = _classes(card)
    classifier = Classifier(network, card, labels, class_ids, found)
    _try(classifier)
    return classifier


@torch.no_grad()
def _try(classifier: Classifier) -> None:
    """Raise ModelError unless two pictures of the card's size give a score for each of its classes."""
    card, count = classifier.card, len(classifier.labels)
    if classifier.dtype not in (None, torch.float32):
        raise ModelError(
            f"{card.name} computes in {str(classifier.dtype).rpartition('.')[2]}, and pixels are float32. Export it "
            "again after model.float()."
        )
    try:
        scores = classifier.network(torch.zeros(2, 3, card.input_size, card.input_size))
    except Exception as error:  # an unknown network may raise anything
        raise ModelError(
            f"{card.name} does not take batches of {card.input_size} x {card.input_size} pixels, as its card says."
        ) from error
    if not isinstance(scores, Tensor) and isinstance(alone := scores_in(scores), Tensor):
        classifier.network, scores = OnlyScores(classifier.network), alone
    if not isinstance(scores, Tensor):
        raise ModelError(
            f"{card.name} gives a {type(scores).__name__} where its scores are needed alone, (N, classes). Export a "
            "module that returns them."
        )
    shape = tuple(scores.shape)
    if shape != (2, count):
        raise ModelError(f"{card.name} gives {shape[-1] if shape else 0} scores a picture, its card lists {count} classes.")


def _embedded(card: Card, path: Path) -> nn.Module:
    if card.architecture not in EMBEDDED:
        raise ModelError(f"The card of {card.name} names an unknown architecture: {card.architecture!r}.")
    network = EMBEDDED[card.architecture].build(len(card.classes))
    with _fitting(card):
        network.load_state_dict(fitting(read_tensors(path), network.state_dict()))
    enlarge = [Enlarge(card.view_size)] if card.view_size else []
    return nn.Sequential(Normalise(card.mean, card.std), *enlarge, network)


def _torchvision(card: Card, path: Path) -> nn.Module:
    tv_models = import_torchvision().models
    if card.architecture not in tv_models.list_models(module=tv_models):
        raise ModelError(f"torchvision has no architecture {card.architecture!r}, which the card of {card.name} names.")
    with _fitting(card):
        network = _without_weights(partial(tv_models.get_model, card.architecture, weights=None, **card.options))
        tensors = {OLD_DENSENET.sub(r"\1\2", name): value for name, value in read_tensors(path).items()}
        network.load_state_dict(fitting(tensors, network.state_dict()), assign=True)
    return nn.Sequential(Normalise(card.mean, card.std), network)


def _timm(card: Card, path: Path) -> nn.Module:
    if card.architecture in SCALES and not card.hub and not card.options:
        return _in_order(card, path, partial(EfficientNetLite, *SCALES[card.architecture]))
    timm = import_timm()
    if not timm.is_model(card.architecture.partition(".")[0]):
        raise ModelError(f"timm has no architecture {card.architecture!r}, which the card of {card.name} names.")
    with _fitting(card):
        if card.hub:  # timm knows which names and shapes of a file are older than its layers'
            overlay = {"file": str(path), "custom_load": False}
            network = timm.create_model(card.architecture, pretrained=True, pretrained_cfg_overlay=overlay)
            return nn.Sequential(Normalise(card.mean, card.std), network)
    return _in_order(card, path, partial(timm.create_model, card.architecture, pretrained=False, **card.options))


def _in_order(card: Card, path: Path, build: Callable[[], nn.Module]) -> nn.Module:
    with _fitting(card):
        network = _without_weights(build)
        own = network.state_dict()
        network.load_state_dict(in_order(fitting(read_tensors(path), own), own), assign=True)
    return nn.Sequential(Normalise(card.mean, card.std), network)


def in_order(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` under the names of ``own``: unchanged if the names agree, else matched by order, with equal shapes.

    The EfficientNet-Lites of the package index were saved by another library, with the same layers in the same order.
    Raises ValueError when they do not fit.
    """
    if set(tensors) == set(own):
        return tensors
    if [value.shape for value in tensors.values()] != [value.shape for value in own.values()]:
        raise ValueError("other shapes")
    return dict(zip(own, tensors.values(), strict=True))


@contextmanager
def _fitting(card: Card) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # torch, safetensors and builders raise many kinds; all mean that the file does not fit
        raise ModelError(f"The weights file of {card.name} does not fit {card.architecture}.{why_not(error)}") from error


def why_not(error: Exception) -> str:
    """The first mismatch in torch's message, as a sentence that follows another one."""
    said = str(error)
    sizes = re.search(r"size mismatch for (\S+): .*?torch\.Size\((\[.*?\])\).*?torch\.Size\((\[.*?\])\)", said, re.DOTALL)
    missing = re.search(r'Missing key\(s\) in state_dict: "(\S+?)"', said)
    foreign = re.search(r'Unexpected key\(s\) in state_dict: "(\S+?)"', said)
    if isinstance(error, UnfitError):
        return f" {error}"
    if isinstance(error, pickle.UnpicklingError):
        return " It holds more than tensors. Save the state dict alone: torch.save(model.state_dict(), file)."
    if sizes:
        return f" In the file {sizes[1]} has the shape {sizes[2]}, in the network {sizes[3]}; is the number of classes right?"
    if missing:
        return f" It lacks {missing[1]}."
    return f" The network has no {foreign[1]}." if foreign else ""


def _without_weights(build: Callable[[], nn.Module]) -> nn.Module:
    try:
        with torch.device("meta"):  # no time and memory for random weights
            network = build()
    except (NotImplementedError, RuntimeError):  # some look at their weights while they are made
        return build()
    # Tables that are worked out while a network is made, and not kept in its file, must be worked out.
    return network if {name for name, _ in network.named_buffers()} <= set(network.state_dict()) else build()


def _classes(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(card.classes, list):
        return tuple(c["name"] for c in card.classes), tuple(c.get("wnid", "") for c in card.classes)
    if card.classes != "imagenet":
        raise ModelError(f"The card of {card.name} must list its classes or say 'imagenet'.")
    return imagenet_classes()
