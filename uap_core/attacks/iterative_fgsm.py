"""FGSM's iterates: x'_i = clip_eps(x'_{i-1} + alpha * sign grad J(x'_{i-1}, y)), x'_0 = x (Kurakin et al., 2017).

With a random start it is PGD (Madry et al., ICLR 2018); with momentum, g_i = mu g_{i-1} + grad / ||grad||_1, it is MI-FGSM
(Dong et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from uap_core.attacks.aim import between, unit_interval
from uap_core.attacks.attack import Attack, check_counts, check_epsilon
from uap_core.attacks.subject import Subject


@dataclass(frozen=True)
class IterativeFGSM(Attack):
    """``steps`` of size ``alpha`` within ``epsilon`` (l_inf, units of [0,1] pixels).

    An image stops at the first step that reaches its aim; not so with ``all_steps``, which goes further beyond the boundary
    and so fools other networks more often.
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
