"""Iterated FGSM: small signed steps, each clipped to within epsilon of the image x.

    x'_0 = x,    x'_{i+1} = clip_eps(x'_i + alpha sign(grad_x J(x'_i, y)))    away from y; with -J(x'_i, t) towards a target t

I-FGSM, also called BIM: Kurakin et al., ICLR workshop 2017, equation 2. With a random start within epsilon it is PGD (Madry et
al., ICLR 2018); with momentum, g_{i+1} = mu g_i + grad J / ||grad J||_1 in place of grad J, MI-FGSM (Dong et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from uap_core.attacks.base import Attack, check_counts, check_epsilon
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import between, unit_interval
from uap_core.attacks.run import AttackRun
from uap_core.checks import check_number
from uap_core.errors import SettingError
from uap_core.norms import LEVELS


@dataclass(frozen=True)
class IterativeFGSM(Attack):
    """Attack with small signed steps within epsilon; ``BIM``, ``PGD`` and ``MIFGSM`` are its presets.

    An image stops at the first step that succeeds.

    Args:
        epsilon: l_inf bound in units of [0,1] pixels.
        alpha: length of a step, in the same units.
        steps: steps at most, a gradient each.
        random_start: start from a random point within the bound.
        momentum: mu, how much of the last direction stays, each gradient first divided by its l_1 norm (0: none).
        all_steps: take all steps, further beyond the boundary: the results fool other networks more often.

    Raises:
        SettingError: ``epsilon`` is not between 0 and 1, or there are no ``steps``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.IterativeFGSM(epsilon=8 / 255, random_start=True))
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
        super().__post_init__()
        check_epsilon(self.epsilon)
        check_counts(steps=self.steps)
        check_number("alpha", self.alpha, least=0)
        if self.alpha > 1:
            raise SettingError(f"Alpha {self.alpha:g} is a step beyond black and white. Did you mean {self.alpha:g}/{LEVELS}?")
        check_number("momentum", self.momentum, least=0)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """Step; images that have succeeded leave the batch, so ``which`` (n,) says which ones ``x`` (n,3,H,W) are."""
        which, x = run.all, run.images
        bounds = unit_interval(x, self.epsilon)
        if self.random_start:
            noise = 2 * torch.rand(x.shape[1:], generator=generator) - 1
            x = between(x + self.epsilon * noise.to(x.device), bounds)
        velocity = torch.zeros_like(x)
        for step in range(self.steps):
            x = x.detach().requires_grad_(True)
            logits = run.logits(x, which)
            g = run.gradient(run.criterion.of(which).loss(logits), x, which)
            if self.momentum:
                l1 = g.abs().sum(dim=(1, 2, 3), keepdim=True)
                velocity = g = self.momentum * velocity + g / l1.clamp_min(1e-30)
            run.settle(x.detach(), logits, which)
            x = between(x.detach() + self.alpha * g.sign(), bounds)
            if not self.all_steps:
                left = ~run.success[which]
                if not bool(left.any()):
                    return
                if not bool(left.all()):
                    which, x, velocity, bounds = which[left], x[left], velocity[left], (bounds[0][left], bounds[1][left])
            yield step / self.steps
        run.judge(x, which)


@register_attack(
    "iterates",
    "I-FGSM (BIM)",
    "Kurakin et al., 2017",
    norm="linf",
    bounded=True,
    place=20,
    chosen=True,
    short_name="I-FGSM",
    build=lambda w: BIM(w.epsilon, w.epsilon / 10, 10 * w.effort, all_steps=w.all_steps),
)
@dataclass(frozen=True)
class BIM(IterativeFGSM):
    """Attack with small signed steps within epsilon: the basic iterative method, also called I-FGSM.

    Kurakin et al., "Adversarial examples in the physical world", ICLR workshop 2017, equation 2.

    Args:
        epsilon, alpha, steps, random_start, momentum, all_steps: see ``IterativeFGSM``.

    Example:
        >>> import uap_core
        >>> uap_core.BIM(epsilon=8 / 255, steps=12).steps
        12
    """

    key: ClassVar[str] = "bim"


@register_attack(
    "pgd",
    "PGD",
    "Madry et al., 2018",
    norm="linf",
    bounded=True,
    place=30,
    build=lambda w: PGD(w.epsilon, w.epsilon / 4, 10 * w.effort, all_steps=w.all_steps),
)
@dataclass(frozen=True)
class PGD(IterativeFGSM):
    """Attack with signed steps from a random point within epsilon: projected gradient descent.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018.

    Args:
        epsilon, alpha, steps, random_start, momentum, all_steps: see ``IterativeFGSM``.

    Example:
        >>> import uap_core
        >>> uap_core.PGD(epsilon=8 / 255, alpha=2 / 255).random_start
        True
    """

    key: ClassVar[str] = "pgd"
    alpha: float = 2.5 / 255
    random_start: bool = True


@register_attack(
    "momentum",
    "MI-FGSM",
    "Dong et al., 2018",
    norm="linf",
    bounded=True,
    place=40,
    build=lambda w: MIFGSM(w.epsilon, w.epsilon / 10, 10 * w.effort, all_steps=w.all_steps),
)
@dataclass(frozen=True)
class MIFGSM(IterativeFGSM):
    """Attack with signed steps along a momentum of the gradients, which fool other networks more often.

    Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, equations 6 and 7.

    Args:
        epsilon, alpha, steps, random_start, momentum, all_steps: see ``IterativeFGSM``.

    Example:
        >>> import uap_core
        >>> uap_core.MIFGSM(epsilon=16 / 255, alpha=1.6 / 255).momentum
        1.0
    """

    key: ClassVar[str] = "mi_fgsm"
    momentum: float = 1.0
