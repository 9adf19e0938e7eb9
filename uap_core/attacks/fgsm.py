"""The fast gradient sign method: x' = x + eps * sign(grad J(x, y)) (Goodfellow et al., ICLR 2015, section 4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.result import AttackResult, summarise
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier


@dataclass(frozen=True)
class FGSM:
    """One step of size ``epsilon`` (l_inf, units of [0,1] pixels) up the cross-entropy of ``labels``, or down if targeted."""

    epsilon: float = 10 / 255

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon <= 1:
            raise SettingError("Epsilon must lie between 0 and 255/255.")

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool = False) -> AttackResult:
        """``images`` (N,3,H,W) in [0,1], ``labels`` (N,): the clean predictions, or the targets."""
        return next(self.stream(classifier, images, labels, targeted))

    def stream(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool = False) -> Iterator[AttackResult]:
        """One result: there is only one step."""
        started = time.perf_counter()
        direction = loss_gradient(classifier, images, labels).sign()
        adversarial = (images + (-1 if targeted else 1) * self.epsilon * direction).clamp(0, 1)
        with torch.inference_mode():
            predicted = classifier(adversarial).argmax(dim=1)
        yield summarise(images, adversarial, predicted, labels, targeted, 1, time.perf_counter() - started)


def loss_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient (N,3,H,W) of each image's own cross-entropy. The losses are summed, so images do not share a mean."""
    x = images.detach().requires_grad_(True)
    loss = F.cross_entropy(classifier(x), labels, reduction="sum")
    return torch.autograd.grad(loss, x)[0]
