"""What a network computes just before its logits: the features that its last layer reads, and the maps they are means of.

Most networks end with feature maps, their mean over the picture, and one linear layer. Here those are found by computing: a
probe goes through once, and of all maps on the way the last ones whose means the last layer reads are taken. So no
architecture is named, and both modules and exported programs (which are lists of operations) are read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.last_layer_watch import Call, Found, watched

_known: WeakKeyDictionary[Classifier, dict[tuple[int, int], LastLayer]] = WeakKeyDictionary()
_lock = threading.Lock()


@dataclass(frozen=True)
class Seen:
    """Of one batch: the ``features`` (n,C) that the last layer reads, the ``logits`` (n,K), and the last feature ``maps``
    (n,D,h,w), None where a network has none near its end."""

    features: Tensor
    maps: Tensor | None
    logits: Tensor


@dataclass(frozen=True)
class LastLayer:
    """The last layer of a network: ``weight`` (K,C), ``bias`` (K,), and ``again``, a forward pass that stops by at some places.

    ``layer`` and ``maps`` are the places of this layer and of the last feature maps, None where there are none. ``pooled`` says
    that the logits are this layer of the maps' means, ``each_place`` that it is applied at each place of the maps and the means
    come last, of max(0, .) where ``rectified``. Where neither holds, the maps stand further back. ``cut``: the maps are
    max(0, .) of what stands at their place.
    """

    weight: Tensor
    bias: Tensor
    again: Callable[[Tensor, Collection[int]], Found]
    layer: int
    maps: int | None
    pooled: bool = False
    each_place: bool = False
    rectified: bool = False
    cut: bool = False

    @property
    def maps_add_up(self) -> bool:
        """Whether logits are sums over the places of the maps, so that a class has an exact map."""
        return self.pooled or self.each_place


def last_layer(classifier: Classifier, shape: tuple[int, int] | None = None) -> LastLayer:
    """Find the last layer of a network for images (H,W) of ``shape``, its own when left out; looked for once.

    Raises SettingError for a network that does not end with a layer of weights.
    """
    height, width = shape or classifier.shape or (classifier.size, classifier.size)
    with _lock:
        found = _known.setdefault(classifier, {})
        if (height, width) not in found:
            probe = torch.rand((2, 3, height, width), generator=torch.Generator().manual_seed(0))
            found[height, width] = _found(classifier, probe)
        return found[height, width]


def look(classifier: Classifier, images: Tensor) -> Seen:
    """A forward pass of images (n,3,H,W) that keeps what stands before the logits; differentiable, on the network's device.

    Raises SettingError for a network that does not end with a layer of weights.
    """
    last = last_layer(classifier, (images.shape[2], images.shape[3]))
    found = last.again(classifier.fitting(images), {last.layer} | (set() if last.maps is None else {last.maps}))
    read, maps = found.read[last.layer].float(), None
    if last.maps is not None:
        maps = read if last.each_place else found.values[last.maps].float()
        maps = maps.relu() if last.cut else maps
    features = read.mean(dim=(2, 3)) if last.each_place else read.flatten(1)
    return Seen(features, maps, classifier.checked(found.logits).float())


def _found(classifier: Classifier, probe: Tensor) -> LastLayer:
    with torch.no_grad():
        run = watched(classifier.network, classifier.fitting(probe))
    layers = [call for call in run.calls if call.weight is not None and _is_last(call, run.logits)]
    if not layers:
        raise SettingError(
            f"The features of {classifier.card.name} cannot be reached: it does not end with one layer of weights that gives a "
            "score for each class. Choose another network."
        )
    layer = layers[-1]
    weight, read = layer.weight, layer.read
    assert weight is not None, "they were chosen by it"
    assert read is not None, "a layer of weights reads something"
    matrix = weight.flatten(1).detach().float()
    bias = torch.zeros(len(matrix), device=matrix.device) if layer.bias is None else layer.bias.detach().float()
    if read.ndim == 4 and min(read.shape[2:]) > 1:
        scores = torch.einsum("kc,nchw->nkhw", matrix, read.float()) + bias[:, None, None]
        rectified = _same(scores.relu().mean(dim=(2, 3)), run.logits)
        if rectified or _same(scores.mean(dim=(2, 3)), run.logits):
            return LastLayer(matrix, bias, run.again, layer.place, layer.place, each_place=True, rectified=rectified)
    means = read.flatten(1).float()
    before = [call for call in run.calls if call.place < layer.place and _is_wide(call.value)]
    late = [call for call in before if 2 * call.place >= layer.place]  # a transformer's patches are no features
    fitting = [call for call in before if call.value.shape[1] == means.shape[1]]
    for cut in (False, True):  # some networks rectify by a function, which is no layer
        adding = [call for call in fitting if _same(_means(call.value.relu() if cut else call.value), means)]
        if adding and _same(layer.value.flatten(1).float(), run.logits.float()):
            return LastLayer(matrix, bias, run.again, layer.place, adding[-1].place, pooled=True, cut=cut)
    return LastLayer(matrix, bias, run.again, layer.place, late[-1].place if late else None)


def _is_last(call: Call, logits: Tensor) -> bool:
    """Whether a layer scores the classes: so many outputs, of a picture or of each of its places."""
    assert call.weight is not None, "only layers of weights are asked"
    is_plain = call.weight.ndim == 2 or set(call.weight.shape[2:]) == {1}
    return is_plain and len(call.weight) == logits.shape[1] and call.value.shape[:2] == logits.shape


def _is_wide(value: Tensor) -> bool:
    return value.ndim == 4 and min(value.shape[2:]) > 1


def _means(maps: Tensor) -> Tensor:
    return maps.float().mean(dim=(2, 3))


def _same(one: Tensor, other: Tensor) -> bool:
    """Up to rounding, of numbers that are not all the same."""
    scale = float(other.abs().max())
    return scale > 0 and bool((one - other).abs().max() <= 1e-3 * scale)
