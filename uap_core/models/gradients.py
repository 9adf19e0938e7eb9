"""The gradient of what a network says of its input: there, and finite, or one sentence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.errors import ModelError
from uap_core.models.classifier import Classifier


def loss_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """grad_x J(x, y) (N,3,H,W), J the cross-entropy of each image with its own label; no mean over the batch.

    Raises ModelError as ``input_gradient``, and where a network of 16 bits rounds the whole gradient of an image to zero.
    """
    x = images.detach().requires_grad_(True)
    loss = F.cross_entropy(classifier(x), labels, reduction="sum")
    found = input_gradient(loss, x)
    if classifier.dtype == torch.float16 and not bool(found.flatten(1).any(dim=1).all()):
        raise ModelError(
            f"{classifier.card.name} is so sure of some of these pictures that its 16-bit numbers round the gradient to zero: "
            "an attack would seem to fail. Give it in 32 bits, as `module.float()`."
        )
    return found


def input_gradient(value: Tensor, x: Tensor, retain_graph: bool = False) -> Tensor:
    """d ``value`` / d ``x`` for a single value.

    Raises ModelError where the network lets no gradient through, or one that is NaN or infinite: steps along it would be
    none, or make every score NaN.
    """
    found = torch.autograd.grad(value, x, retain_graph=retain_graph, allow_unused=True)[0] if value.requires_grad else None
    if found is None:
        raise ModelError(
            "No gradient reaches the pixels: something inside the network rounds, detaches or is not differentiable. Attacks "
            "that ask for scores alone, such as Square, still work."
        )
    if not bool(found.isfinite().all()):
        raise ModelError(
            "The gradient of this network is NaN or infinite for some of these pictures, so no step can be taken along it."
        )
    return found
