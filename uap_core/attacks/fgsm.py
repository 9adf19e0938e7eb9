"""The fast gradient sign method: one step of size epsilon along the sign of the loss gradient.

    x' = clamp(x + epsilon sign(grad_x J(x, y)), 0, 1)    away from the label y
    x' = clamp(x - epsilon sign(grad_x J(x, t)), 0, 1)    towards a target t

J(x, y) is the cross-entropy of the network's logits at x with the class y.

Goodfellow, Shlens & Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4; targeted: Kurakin et al.,
ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.base import Attack, check_epsilon
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import AttackRun
from uap_core.models.gradients import input_gradient
from uap_core.perturbations.perturbation import apply


@torch.enable_grad()
def fgsm(f: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, epsilon: float, targeted: bool = False) -> Tensor:
    """Take the step; returns x' (N,3,H,W).

    Args:
        f: any module or function that maps pixels (N,3,H,W) in [0,1] to logits (N,K).
        x: images (N,3,H,W) in [0,1].
        y: labels (N,) to leave, or targets to approach when ``targeted``.
        epsilon: l_inf length of the step in units of [0,1] pixels.
        targeted: which of the two formulas.
    """
    x = x.detach().requires_grad_(True)
    J = F.cross_entropy(f(x), y, reduction="none")  # (N,), a loss for each image: a mean would divide each gradient by N
    gradient = input_gradient(J.sum(), x)  # image i is in J_i alone, so these are N gradients of their own
    step = epsilon * gradient.sign()
    return apply(x.detach(), -step if targeted else step)  # clamp(x + step, 0, 1)


@register_attack(
    "fgsm",
    "FGSM",
    "Goodfellow et al., 2015",
    norm="linf",
    bounded=True,
    place=10,
    chosen=True,
    build=lambda wanted: FGSM(wanted.epsilon),
)
@dataclass(frozen=True)
class FGSM(Attack):
    """Attack with one signed step of size epsilon, away from the labels or towards targets. Costs one gradient an image.

    Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015, section 4.

    ``FGSM(epsilon)(network, x, y, targeted=False)`` takes images x (N,3,H,W) in [0,1] and labels (or targets) y (N,), and
    returns x' as ``adversarial`` (N,3,H,W) with ``success`` (N,); ``fgsm`` is the step alone, for any function f.

    Args:
        epsilon: l_inf length of the step in units of [0,1] pixels.

    Raises:
        SettingError: ``epsilon`` is not between 0 and 1, or, at the call, images or labels do not fit the network.

    Example:
        >>> import torch, uap_core
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))  # any module: pixels in [0,1] to logits
        >>> x, y = torch.rand(4, 3, 2, 2), torch.tensor([0, 1, 2, 0])
        >>> result = uap_core.FGSM(8 / 255)(network, x, y)
        >>> tuple(result.adversarial.shape), tuple(result.success.shape), bool(result.linf.max() <= 8 / 255 + 1e-6)
        ((4, 3, 2, 2), (4,), True)
    """

    key: ClassVar[str] = "fgsm"
    epsilon: float = 10 / 255

    def __post_init__(self) -> None:
        super().__post_init__()
        check_epsilon(self.epsilon)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> None:
        """Hand in x'. It succeeds where the network's label for it is not y any more, or is the target."""
        y, targeted = run.criterion.y, run.criterion.targeted
        x_adv = fgsm(run.logits, run.images, y, self.epsilon, targeted)
        run.gradients += 1
        run.judge(x_adv)  # success = (argmax_k Z_k(x') == y) == targeted, Z the logits
