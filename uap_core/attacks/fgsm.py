"""The fast gradient sign method: x' = x + eps * sign(grad J(x, y)) (Goodfellow et al., ICLR 2015, section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.base import Attack, check_epsilon
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import Subject
from uap_core.models.classifier import Classifier
from uap_core.perturbations.perturbation import apply


@register_attack(
    "fgsm",
    "FGSM",
    "Goodfellow et al., 2015",
    "linf",
    True,
    place=10,
    chosen=True,
    build=lambda wanted: FGSM(wanted.epsilon),
)
@dataclass(frozen=True)
class FGSM(Attack):
    """Attack with one signed step: x' = x + epsilon sign(grad_x J(x, y)), or x - epsilon sign(...) for a target y.

    Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015, section 4. J is the cross-entropy. Costs one
    gradient an image.

    Args:
        epsilon: l_inf length of the step in units of [0,1] pixels.

    Raises:
        SettingError: ``epsilon`` is not between 0 and 1.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.FGSM(8 / 255))
        >>> bool(result.linf.max() <= 8 / 255 + 1e-6)
        True
    """

    key: ClassVar[str] = "fgsm"
    epsilon: float = 10 / 255

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``: one gradient, and one more query to see what came of it."""
        x = subject.images.detach().requires_grad_(True)
        y, uphill = subject.aim.labels, -1 if subject.aim.targeted else 1
        J = F.cross_entropy(subject.logits(x, subject.all), y, reduction="none")
        gradient = subject.gradient(J, x, subject.all)
        adversarial = apply(subject.images, uphill * self.epsilon * gradient.sign())
        with torch.inference_mode():
            logits = subject.logits(adversarial, subject.all)
        subject.settle(adversarial, logits, subject.all)
        yield 1.0


def loss_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient (N,3,H,W) of each image's own cross-entropy. The losses are summed, so images do not share a mean."""
    x = images.detach().requires_grad_(True)
    loss = F.cross_entropy(classifier(x), labels, reduction="sum")
    return torch.autograd.grad(loss, x)[0]
