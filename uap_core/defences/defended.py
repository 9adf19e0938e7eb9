"""A network behind a defence: one more classifier, attacked like any other, [0,1] pixels in and logits out."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from uap_core.defences.transforms import Defence
from uap_core.models.classifier import Classifier


class Front(nn.Module):
    """A defence as the first layer of a network."""

    def __init__(self, defence: Defence) -> None:
        super().__init__()
        self.defence = defence
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Image batch (N,3,H,W) to the pictures that come out of the defence."""
        return self.defence(images)


def defended(classifier: Classifier, defence: Defence) -> Classifier:
    """``classifier`` behind ``defence``: the same weights, classes and labels, and a name that says so."""
    card = replace(
        classifier.card,
        key=f"{classifier.card.key}+{defence.name.replace(' ', '-')}",
        name=f"{classifier.card.name} behind {defence.name}",
    )
    network = nn.Sequential(Front(defence), classifier.network)
    kind = type(classifier)
    found = kind(network, card, classifier.labels, classifier.class_ids, classifier.weights_hash, classifier.shape)
    found.shape = classifier.shape  # none for a wrapped module that takes any size
    return found
