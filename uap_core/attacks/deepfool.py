"""DeepFool: the smallest step r over a decision boundary, found by repeatedly linearising the network.

Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, Algorithm 2. With logits f_1 ... f_K and k0 the label of x_0 = x:

    while x_i has the label k0:
        for every other class k:   w_k = grad f_k(x_i) - grad f_k0(x_i),   f'_k = f_k(x_i) - f_k0(x_i)
        l   = argmin_k |f'_k| / ||w_k||_2                 the nearest boundary
        r_i = |f'_l| / ||w_l||_2^2 w_l                    the step onto it
        x_{i+1} = x_i + r_i
    r = (1 + overshoot) sum_i r_i

In l_inf (section 3.3) the distance is |f'_k| / ||w_k||_1 and the step |f'_l| / ||w_l||_1 sign(w_l).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import as_column
from uap_core.attacks.run import AttackRun
from uap_core.checks import check_number
from uap_core.errors import SettingError
from uap_core.models.gradients import input_gradient
from uap_core.norms import L2, LINF, of_levels
from uap_core.perturbations.perturbation import apply

# Added to the distance, so that a point exactly on a boundary moves too: the authors' 1e-4 of 255 levels.
NUDGE = of_levels(1e-4)


@register_attack(
    "deepfool",
    "DeepFool",
    "Moosavi-Dezfooli et al., 2016",
    "l2",
    False,
    place=60,
    chosen=True,
    build=lambda _wanted: DeepFool(),
)
@register_attack(
    "deepfool-linf",
    "DeepFool l_inf",
    "Moosavi-Dezfooli et al., 2016",
    "linf",
    False,
    place=70,
    build=lambda _wanted: DeepFool(LINF),
)
@dataclass(frozen=True)
class DeepFool(Attack):
    """Find the smallest step over a decision boundary, linearising the network at each iteration.

    Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, Algorithm 2; section 3.3 for l_inf. Each iteration costs a gradient for each
    candidate class but the present one.

    Args:
        norm: of the step that is kept small, "l2" or "linf".
        candidates: classes looked at, the highest at x; the present one is among them.
        overshoot: how much longer the step is made, as a share.
        iterations: steps at most.

    Raises:
        SettingError: no iterations, fewer than two candidates, or another norm.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.DeepFool())
        >>> bool(result.success.all())
        True
    """

    key: ClassVar[str] = "deepfool"
    norm: str = L2
    candidates: int = 10
    overshoot: float = 0.02
    iterations: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(iterations=self.iterations)
        check_number("overshoot", self.overshoot, least=0)
        if self.candidates < 2:
            raise SettingError("DeepFool needs at least two candidate classes: the present one and another.")
        if self.norm not in (L2, LINF):
            raise SettingError(f"DeepFool's norm is {L2!r} or {LINF!r}, not {self.norm!r}.")

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """Run Algorithm 2. Pixels are clamped to [0,1] inside f, so that r still works once x + r is clamped."""

        def f(x: Tensor, which: Tensor) -> Tensor:
            return run.logits(x.clamp(0, 1), which)

        targets = run.criterion.y if run.criterion.targeted else None
        leave = None if run.criterion.targeted else run.criterion.y
        steps = deepfool(f, run.images, self.candidates, self.overshoot, self.iterations, targets, self.norm, leave)
        for number, found in enumerate(steps):
            run.gradients = found.backward_passes.clone()
            yield number / self.iterations
        run.settle(apply(run.images, found.steps), found.logits, run.all)


@dataclass(frozen=True)
class Crossing:
    """Hold where DeepFool is, for points x (n,3,H,W).

    Args:
        steps: r, like the points.
        crossed: (n,) bool, whether x + r has another label, or the target's.
        backward_passes: (n,) that each point took.
        logits: (n,K) at x + r.
    """

    steps: Tensor
    crossed: Tensor
    backward_passes: Tensor
    logits: Tensor


def cross_boundary(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    candidates: int = 10,
    overshoot: float = 0.02,
    iterations: int = 10,
    target: int | None = None,
) -> Crossing:
    """The smallest l2 step that changes the label of each of ``x`` (n,3,H,W) under ``f`` (logits), or makes it ``target``."""
    if not len(x):
        none = torch.zeros(0, dtype=torch.long, device=x.device)
        return Crossing(torch.zeros_like(x), none.bool(), none, x.new_zeros(0, 0))
    targets = None if target is None else torch.full((len(x),), target, device=x.device)
    steps = deepfool(lambda x_i, which: f(x_i), x, candidates, overshoot, iterations, targets, L2)
    return deque(steps, maxlen=1).pop()


def deepfool(
    f: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    candidates: int,
    overshoot: float,
    iterations: int,
    targets: Tensor | None,
    norm: str,
    leave: Tensor | None = None,
) -> Iterator[Crossing]:
    """Run Algorithm 2 on points ``x`` (n,3,H,W), each independent of the others; yields before the first and after each step.

    The overshoot is part of every x_i, as in the authors' code; a step that crosses in the last iteration counts. A point stays
    where all gradients are zero.

    Args:
        f: logits (m,K) of points (m,3,H,W), and of which of all they are, indices (m,).
        candidates: classes looked at, the highest at x; the present one is among them.
        overshoot: how much longer r is made.
        iterations: steps at most.
        targets: classes (n,) to reach, the only ones looked at; None for any other.
        norm: "l2" or "linf".
        leave: labels (n,) to leave: a point with another label stays. When left out, its own.
    """
    everyone = torch.arange(len(x), device=x.device)
    r, backward_passes = torch.zeros_like(x), torch.zeros_like(everyone)
    with torch.no_grad():
        logits = f(x, everyone)
    highest = logits.topk(min(candidates, logits.shape[1])).indices
    k0 = highest[:, 0].clone()
    others = highest[:, 1:] if targets is None else targets[:, None]
    crossed = k0 != (k0 if leave is None else leave) if targets is None else k0 == targets
    yield Crossing(r, crossed, backward_passes, logits)
    for _i in range(iterations):
        which = everyone[~crossed]
        if not len(which):
            return
        x_i = x[which] + (1 + overshoot) * r[which]
        r[which] += _to_nearest_boundary(f, which, x_i, k0[which], others[which], norm)
        backward_passes[which] += others.shape[1]
        with torch.no_grad():
            logits[which] = f(x[which] + (1 + overshoot) * r[which], which)
        label = logits[which].argmax(dim=1)
        crossed[which] = label != k0[which] if targets is None else label == targets[which]
        if targets is not None:
            k0[which] = label  # the way to a target may lead through other classes
        yield Crossing((1 + overshoot) * r, crossed, backward_passes, logits)


def _to_nearest_boundary(
    f: Callable[[Tensor, Tensor], Tensor], which: Tensor, x_i: Tensor, k0: Tensor, others: Tensor, norm: str
) -> Tensor:
    """r_i (m,3,H,W) onto the nearest boundary between ``k0`` (m,) and ``others`` (m,C); zero where all w_k are."""
    x_i = x_i.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = f(x_i, which)
        f_k = logits.gather(1, others) - logits.gather(1, k0[:, None])  # f'_k, (m,C)
    nearest, r_i = torch.full((len(x_i),), torch.inf, device=x_i.device), torch.zeros_like(x_i)
    for k in range(others.shape[1]):
        w_k = input_gradient(f_k[:, k].sum(), x_i, retain_graph=k < others.shape[1] - 1)
        length = w_k.flatten(1).norm(p=2 if norm == L2 else 1, dim=1)
        distance = f_k[:, k].detach().abs() / length
        direction = w_k / as_column(length) if norm == L2 else w_k.sign()
        closer = (distance < nearest) & (length > 0)
        nearest = distance.where(closer, nearest)
        r_i = (as_column(distance + NUDGE) * direction).where(as_column(closer), r_i)
    return r_i.detach()
