"""The gradient of a network's loss on its input."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.models.classifier import Classifier


def loss_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """grad_x J(x, y) (N,3,H,W), J the cross-entropy of each image with its own label; no mean over the batch."""
    x = images.detach().requires_grad_(True)
    loss = F.cross_entropy(classifier(x), labels, reduction="sum")
    return torch.autograd.grad(loss, x)[0]
