"""How far can a change of the picture move the logits? Upper bounds layer by layer, and what their product certifies.

Szegedy et al. (2013, section 4.3): with ||phi(x) - phi(x + r)|| <= L ||r||, a small L rules adversarial examples out and a
large one says nothing. It is compared with the smallest change that an attack found for the same pictures.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import median

import torch
from torch import Tensor, nn

from uap_core.attacks.deepfool import deepfool
from uap_core.bounds.network import NamedLayer, layers
from uap_core.datasets.image_sets import ImageSet
from uap_core.models.classifier import Classifier
from uap_core.perturbations.perturbation import apply

IMAGES = 16
# Layer by layer, from the picture on: Szegedy et al., "Intriguing properties of neural networks", ICLR 2014, section 4.3.
ALEXNET = (2.75, 10.0, 7.0, 7.5, 11.0, 3.12, 4.0, 4.0)


@dataclass(frozen=True)
class LayerRow(NamedLayer):
    """One layer (see ``Layer`` of ``bounds/network.py``); the last row is the whole network.

    ``bound`` is an upper bound of the layer's l2 norm, for a convolution that of the circular layer; None where branches
    meet. ``real`` is the power method's value for a convolution with zeros around, at its real size: an estimate from below.
    ``running`` is the bound of the network up to here. Infinite where no bound is known: ``note`` then says why.
    """

    name: str
    number: int
    kind: str
    shape: str
    stride: str
    bound: float | None
    real: float | None
    running: float
    note: str = ""


@dataclass(frozen=True)
class RadiusRow:
    """One picture: no change shorter than ``certified`` can alter its label; one of length ``found`` does (None: none found).

    ``margin`` is the highest logit less the second. ``steepness`` is how far the found change moved the logits for its
    length: no bound can be below it. Lengths are l2, in units of [0,1] pixels.
    """

    image: str
    label: str
    margin: float
    certified: float
    found: float | None
    steepness: float


def layer_rows(classifier: Classifier, generator: torch.Generator) -> Iterator[LayerRow]:
    """A row a layer, from the picture to the logits; ``generator`` gives the power method its starts.

    Computed on the CPU in float32, on whatever device and in whatever precision the network is. Raises ModelError when the
    network cannot be followed.
    """
    for layer in layers(_at_rest(classifier), classifier.size):
        real = layer.convolution.real_norm(generator) if layer.convolution else None
        yield LayerRow(
            layer.name, layer.number, layer.kind, layer.shape, layer.stride, layer.bound, real, layer.running, layer.note
        )


def _at_rest(classifier: Classifier) -> nn.Module:
    """The network, or a copy where it is elsewhere, in another precision or in training (a wrapped module may be)."""
    network = classifier.network
    elsewhere = classifier.device.type != "cpu" or classifier.dtype not in (None, torch.float32)
    if not elsewhere and not any(part.training for part in network.modules()):
        return network
    network = deepcopy(network).to("cpu", torch.float32)
    for part in network.modules():
        part.training = False
    return network


def certified_radius(logits: Tensor, bound: float) -> Tensor:
    """(N,) lengths below which no change can alter the highest of ``logits`` (N,K): m / (sqrt(2) L), in 64 bits.

    The change of z_i - z_j is that of the logits along a vector of length sqrt(2). Bounds of 1e40 are common: in 32 bits
    certified radii are treated as 0.
    """
    return margins(logits).double() / (math.sqrt(2) * bound) if bound else torch.full(logits.shape[:1], math.inf)


def margins(logits: Tensor) -> Tensor:
    """The highest of ``logits`` (N,K) less the second, (N,)."""
    first, second = logits.topk(2, dim=1).values.unbind(dim=1)
    return first - second


def radii(classifier: Classifier, images: ImageSet, bound: float, batch_size: int = 4) -> Iterator[RadiusRow]:
    """One row per picture: the radius that the network's ``bound`` certifies, and the step that DeepFool finds (l2).

    Clean logits are those that DeepFool starts from.
    """
    for start in range(0, len(images), batch_size):
        batch = images.images(slice(start, start + batch_size))
        ways = deepfool(lambda x: classifier(x.clamp(0, 1)), batch)
        clean = next(ways).logits
        end = deque(ways, maxlen=1).pop()
        lengths = (apply(batch, end.steps) - batch).flatten(1).norm(dim=1)
        moved = (end.logits - clean).norm(dim=1)
        certified = certified_radius(clean, bound)
        for i, margin in enumerate(margins(clean).tolist()):
            yield RadiusRow(
                PurePosixPath(images.files[start + i]).name,
                classifier.labels[int(clean[i].argmax())],
                margin,
                float(certified[i]),
                float(lengths[i]) if end.crossed[i] else None,
                float(moved[i] / lengths[i]) if lengths[i] > 0 else 0.0,
            )


def as_text(row: LayerRow) -> str:
    """A row as one line of a table of fixed width."""
    numbers = ("" if value is None else f"{value:.4g}" for value in (row.bound, row.real, row.running))
    bound, real, running = numbers
    said = f"{row.label:28} {row.kind_name:26} {row.shape:18} {row.stride:6} {bound:>9} {real:>9} {running:>10} {row.reason}"
    return said.rstrip()


def conclusion(bound: float, rows: Sequence[RadiusRow]) -> str:
    """What the bound is worth on these pictures, in a sentence or two."""
    if math.isinf(bound):
        return "No bound is known for one of the layers, so nothing is certified."
    found = [row.found for row in rows if row.found is not None]
    certified, steepest = (median(row.certified for row in rows), max(row.steepness for row in rows)) if rows else (0.0, 0.0)
    if not (found and certified and steepest):
        return f"L = {bound:.3g}; DeepFool found no change to compare with."
    nearest = median(found)
    return (
        f"L = {bound:.3g} certifies changes below {certified:.2g} (median of {len(rows)} images); DeepFool needs "
        f"{nearest:.2g}, {nearest / certified:.2g} times as much. The steepest that it met is {steepest:.3g}: L lies "
        f"{bound / steepest:.2g} times above it, and between the two nothing is proved."
    )
