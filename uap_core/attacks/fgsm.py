"""The fast gradient sign method: one step of size epsilon along the sign of the loss gradient.

    x' = clamp(x + epsilon sign(grad_x J(x, y)), 0, 1)    away from the label y
    x' = clamp(x - epsilon sign(grad_x J(x, t)), 0, 1)    towards the target t

Goodfellow, Shlens & Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4; targeted: Kurakin et al.,
ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from uap_core.attacks.base import Attack, check_epsilon
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import AttackRun
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
    """Attack with one signed step: x' = x + epsilon sign(grad_x J(x, y)), or x - epsilon sign(grad_x J(x, t)) for a target t.

    J is the cross-entropy. Costs one gradient an image. Goodfellow et al., "Explaining and harnessing adversarial examples",
    ICLR 2015, section 4.

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
        super().__post_init__()
        check_epsilon(self.epsilon)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """Take the step; ``run.images`` are x (N,3,H,W), ``run.criterion.y`` the labels y, or the targets t, (N,)."""
        x, y = run.images.detach().requires_grad_(True), run.criterion.y
        J = F.cross_entropy(run.logits(x), y, reduction="none")  # (N,), so that images do not share a mean
        sign = run.gradient(J, x).sign()
        run.judge(apply(run.images, -self.epsilon * sign if run.criterion.targeted else self.epsilon * sign))
        yield 1.0
