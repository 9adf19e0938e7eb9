"""The fast gradient sign method: x' = x + eps * sign(grad J(x, y)) (Goodfellow et al., ICLR 2015, section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.attack import Attack, check_epsilon
from uap_core.attacks.subject import Subject
from uap_core.models.classifier import Classifier
from uap_core.perturbation import apply


@dataclass(frozen=True)
class FGSM(Attack):
    """One step of ``epsilon`` (l_inf, units of [0,1] pixels) up the cross-entropy of the label, or down that of a target."""

    key: ClassVar[str] = "fgsm"
    epsilon: float = 10 / 255

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``: one gradient, and one more query to see what came of it."""
        x = subject.images.detach().requires_grad_(True)
        gradient = subject.gradient(subject.aim.loss(subject.logits(x, subject.all)), x, subject.all)
        adversarial = apply(subject.images, -self.epsilon * gradient.sign())
        with torch.inference_mode():
            logits = subject.logits(adversarial, subject.all)
        subject.settle(adversarial, logits, subject.all)
        yield 1.0


def loss_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient (N,3,H,W) of each image's own cross-entropy. The losses are summed, so images do not share a mean."""
    x = images.detach().requires_grad_(True)
    loss = F.cross_entropy(classifier(x), labels, reduction="sum")
    return torch.autograd.grad(loss, x)[0]
