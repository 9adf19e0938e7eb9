"""The entropy of deep features: under a universal pattern a few features dominate, whatever the picture shows.

(Sun, Sun and Zhao, Democratic Training, ICLR 2025.) The scores are the means of the channels of the last feature maps, the
probabilities their softmax.
"""

from __future__ import annotations

from torch import Tensor

from uap_core.models.classifier import Classifier
from uap_core.models.features import features_at

DEPTH = 16  # the last maps whose side is still a sixteenth of the picture's


def deep_entropy(network: Classifier, images: Tensor) -> Tensor:
    """Entropies (N,) in nats of softmax(mean of each channel) of the last feature maps, for images (N,3,H,W).

    Differentiable with respect to the images; the result is on their device.
    """
    shape = images.shape[2], images.shape[3]
    scores = features_at(network, DEPTH, shape)(images.to(network.device)).mean(dim=(2, 3)).to(images.device)
    logs = scores.log_softmax(dim=1)
    return -(logs.exp() * logs).sum(dim=1)
