"""FGSM's iterates: x'_i = clip_eps(x'_{i-1} + alpha * sign grad J(x'_{i-1}, y)), x'_0 = x (Kurakin et al., 2017).

With a random start it is PGD (Madry et al., ICLR 2018); with momentum, g_i = mu g_{i-1} + grad / ||grad||_1, it is MI-FGSM
(Dong et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from uap_core.attacks.base import Attack, check_counts, check_epsilon
from uap_core.attacks.criterion import between, unit_interval
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import Subject
from uap_core.i18n import N_


@register_attack(
    "iterates",
    N_("I-FGSM (BIM)"),
    "Kurakin et al., 2017",
    "linf",
    True,
    place=20,
    chosen=True,
    build=lambda w: IterativeFGSM(w.epsilon, w.epsilon / 10, 10 * w.effort, all_steps=w.all_steps),
)
@register_attack(
    "pgd",
    N_("PGD, random start"),
    "Madry et al., 2018",
    "linf",
    True,
    place=30,
    short_name="PGD",
    build=lambda w: IterativeFGSM(w.epsilon, w.epsilon / 4, 10 * w.effort, random_start=True, all_steps=w.all_steps),
)
@register_attack(
    "momentum",
    N_("MI-FGSM, momentum"),
    "Dong et al., 2018",
    "linf",
    True,
    place=40,
    short_name="MI-FGSM",
    build=lambda w: IterativeFGSM(w.epsilon, w.epsilon / 10, 10 * w.effort, momentum=1.0, all_steps=w.all_steps),
)
@dataclass(frozen=True)
class IterativeFGSM(Attack):
    """Attack with small signed steps within epsilon: I-FGSM (BIM), with a random start PGD, with momentum MI-FGSM.

    Kurakin et al., "Adversarial examples in the physical world", ICLR workshop 2017, equation 2; Madry et al., ICLR 2018; Dong
    et al., CVPR 2018, equations 6 and 7. An image stops at the first step that reaches its aim.

    Args:
        epsilon: l_inf bound in units of [0,1] pixels.
        alpha: length of a step, in the same units.
        steps: steps at most, a gradient each.
        random_start: start from a random point within the bound.
        momentum: how much of the last direction stays, each gradient first divided by its l_1 norm (0: none).
        all_steps: go on after an image has reached its aim, further beyond the boundary: that fools other networks more often.

    Raises:
        SettingError: ``epsilon`` is not between 0 and 1, or there are no ``steps``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.IterativeFGSM(epsilon=8 / 255))
        >>> bool(result.success.all())
        True
    """

    key: ClassVar[str] = "iterative_fgsm"
    epsilon: float = 10 / 255
    alpha: float = 1 / 255
    steps: int = 10
    random_start: bool = False
    momentum: float = 0.0
    all_steps: bool = False

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        check_counts(steps=self.steps)

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``."""
        which, x = subject.all, subject.images
        bounds = unit_interval(x, self.epsilon)
        if self.random_start:
            noise = 2 * torch.rand(x.shape[1:], generator=generator) - 1
            x = between(x + self.epsilon * noise.to(x.device), bounds)
        velocity = torch.zeros_like(x)
        for step in range(self.steps):
            x = x.detach().requires_grad_(True)
            logits = subject.logits(x, which)
            gradient = subject.gradient(subject.aim.of(which).loss(logits), x, which)
            if self.momentum:
                velocity = self.momentum * velocity + gradient / gradient.abs().sum(dim=(1, 2, 3), keepdim=True).clamp_min(
                    1e-30
                )
                gradient = velocity
            subject.settle(x.detach(), logits, which)
            x = between(x.detach() - self.alpha * gradient.sign(), bounds)
            if not self.all_steps:
                left = ~subject.success[which]
                if not bool(left.any()):
                    return
                if not bool(left.all()):
                    which, x, velocity, bounds = which[left], x[left], velocity[left], (bounds[0][left], bounds[1][left])
            yield step / self.steps
        with torch.inference_mode():
            subject.settle(x, subject.logits(x, which), which)
