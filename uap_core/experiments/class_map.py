"""Which places of a picture speak for a class: class activation maps (Zhou et al., CVPR 2016), before and after a pattern.

Where a network ends with the mean of its last feature maps A and one linear layer W, b, the logit of class c is
b_c + sum over places of W_c A / (h w): the terms are the map, and they add up to the logit. Other networks get the gradient-
weighted map of Grad-CAM (Selvaraju et al., ICCV 2017), which adds up to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from uap_core.errors import SettingError
from uap_core.experiments.class_map_rows import BY_GRADIENT, EXACT, MapRow
from uap_core.models.last_layer import LastLayer, Seen, last_layer, look
from uap_core.norms import quantise

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


@torch.inference_mode(False)
def class_maps(classifier: Classifier, images: Tensor, classes: Tensor | None = None) -> tuple[Tensor, Tensor, str]:
    """Maps (n,h,w) of ``classes`` (n,), the predicted ones when left out, of images (n,3,H,W); the logits (n,K); the kind.

    Raises SettingError for a network without feature maps near its end.
    """
    last = last_layer(classifier, (images.shape[2], images.shape[3]))
    if last.maps is None:
        raise SettingError(f"{classifier.card.name} has no feature maps near its end, so a class has no map.")
    with torch.set_grad_enabled(not last.maps_add_up):
        seen = look(classifier, images.clone().requires_grad_(not last.maps_add_up))
    chosen = seen.logits.argmax(dim=1) if classes is None else classes.clone().to(seen.logits.device)
    found = _exact(last, seen, chosen) if last.maps_add_up else _by_gradient(seen, chosen)
    kind = EXACT if last.maps_add_up else BY_GRADIENT
    return found.detach().cpu(), seen.logits.detach().cpu(), kind


def _exact(last: LastLayer, seen: Seen, classes: Tensor) -> Tensor:
    assert seen.maps is not None, "asked by class_maps"
    found = torch.einsum("nc,nchw->nhw", last.weight[classes].to(seen.maps.device), seen.maps)
    if last.each_place:
        found = found + last.bias[classes].to(found.device)[:, None, None]
        found = found.relu() if last.rectified else found
    return found / (found.shape[1] * found.shape[2])


def _by_gradient(seen: Seen, classes: Tensor) -> Tensor:
    assert seen.maps is not None, "asked by class_maps"
    (slopes,) = torch.autograd.grad(seen.logits.gather(1, classes[:, None]).sum(), seen.maps)
    return (slopes.mean(dim=(2, 3), keepdim=True) * seen.maps).sum(dim=1).relu()


def map_rows(classifier: Classifier, image: Tensor, perturbation: Perturbation) -> list[MapRow]:
    """The map of what the network says of ``image`` (1,3,H,W), and of it under the pattern, both on the 8-bit grid."""
    return pair_rows(classifier, torch.cat([image, quantise(image, perturbation.apply(image), perturbation.ball)]))


def pair_rows(classifier: Classifier, pair: Tensor) -> list[MapRow]:
    """The same of a picture before and after, (2,3,H,W)."""
    maps, logits, kind = class_maps(classifier, pair)
    sure = logits.softmax(dim=1)
    return [
        MapRow(
            of,
            classifier.labels[int(sure[place].argmax())],
            round(float(sure[place].max()), 4),
            kind,
            maps.shape[1],
            [round(float(value), 5) for value in maps[place].flatten()],
        )
        for place, of in enumerate(("clean", "pattern"))
    ]
