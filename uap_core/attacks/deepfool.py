"""DeepFool: the smallest step r over a decision boundary, found by repeatedly linearising the network.

Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, Algorithm 2. With logits f_1 ... f_K and k0 the label of x:

    r = 0
    while x_i = x + (1 + overshoot) r has the label k0:
        for every other class k:   w_k = grad f_k(x_i) - grad f_k0(x_i),   f'_k = f_k(x_i) - f_k0(x_i)
        l   = argmin_k |f'_k| / ||w_k||_2                 the nearest boundary
        r_i = |f'_l| / ||w_l||_2^2 w_l                    the step onto it
        r   = r + r_i
    return (1 + overshoot) r

The paper lengthens r at the end only; here, as in its authors' code, every x_i is beyond the boundaries by the overshoot.
In l_inf (section 3.3) the distance is |f'_k| / ||w_k||_1 and the step |f'_l| / ||w_l||_1 sign(w_l).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.criterion import Criterion
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


@dataclass(frozen=True)
class Crossing:
    """Hold where DeepFool is, for points x (n,3,H,W) or (n,D).

    Args:
        steps: (1 + overshoot) r, like the points.
        crossed: (n,) bool, whether x plus its step meets the criterion.
        backward_passes, forward_passes: (n,) that each point took.
        logits: (n,K) at x plus its step.
    """

    steps: Tensor
    crossed: Tensor
    backward_passes: Tensor
    forward_passes: Tensor
    logits: Tensor


def deepfool(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    candidates: int = 10,
    overshoot: float = 0.02,
    iterations: int = 50,
    criterion: Criterion | None = None,
    norm: str = L2,
) -> Iterator[Crossing]:
    """Run Algorithm 2 on points ``x``, each independent of the others; yields before the first and after each step.

    A step that crosses in the last iteration counts. A point stays where all gradients are zero.

    Args:
        f: any module or function from points (m,3,H,W) or (m,D) to logits (m,K).
        x: points (n,3,H,W) or (n,D).
        candidates: classes looked at, the highest at x; the present one is among them. Of a target, that one alone.
        overshoot: how much longer r is made.
        iterations: steps at most.
        criterion: what counts as crossed; a change of the label where it is left out.
        norm: "l2" or "linf".
    """
    everyone = torch.arange(len(x), device=x.device)
    r, steps_taken = torch.zeros_like(x), torch.zeros_like(everyone)
    with torch.no_grad():
        Z = f(x).clone()
    k0 = Z.argmax(dim=1)
    criterion = (criterion or Criterion()).for_images(k0.clone())
    if criterion.targeted:
        others = criterion.y[:, None]
    else:
        others = Z.scatter(1, k0[:, None], -math.inf).topk(min(candidates, Z.shape[1]) - 1).indices
    crossed = criterion.reached(Z)

    def crossing() -> Crossing:
        passes = steps_taken * others.shape[1], 1 + 2 * steps_taken
        return Crossing((1 + overshoot) * r, crossed.clone(), *passes, Z.clone())

    yield crossing()
    for _i in range(iterations):
        which = everyone[~crossed]
        if not len(which):
            return
        x_i = x[which] + (1 + overshoot) * r[which]
        r[which] += to_nearest_boundary(f, x_i, k0[which], others[which], norm)  # r = r + r_i
        steps_taken[which] += 1
        with torch.no_grad():
            Z[which] = f(x[which] + (1 + overshoot) * r[which])
        k0[which] = Z[which].argmax(dim=1)  # the way to a target may lead through other classes
        crossed[which] = criterion.of(which).reached(Z[which])
        yield crossing()


def to_nearest_boundary(f: Callable[[Tensor], Tensor], x_i: Tensor, k0: Tensor, others: Tensor, norm: str) -> Tensor:
    """r_i, like points ``x_i``, onto the nearest boundary between ``k0`` (m,) and ``others`` (m,C); zero where all w_k are."""
    x_i = x_i.detach().requires_grad_(True)
    with torch.enable_grad():
        Z = f(x_i)
        f_prime = Z.gather(1, others) - Z.gather(1, k0[:, None])  # f'_k = f_k - f_k0, (m,C)
    nearest, r_i = torch.full((len(x_i),), torch.inf, device=x_i.device), torch.zeros_like(x_i)
    for k in range(others.shape[1]):
        w_k = input_gradient(f_prime[:, k].sum(), x_i, retain_graph=k < others.shape[1] - 1)  # grad f'_k
        length = w_k.flatten(1).norm(p=2 if norm == L2 else 1, dim=1)
        distance = f_prime[:, k].detach().abs() / length  # |f'_k| / ||w_k||
        direction = w_k / as_column(length, w_k) if norm == L2 else w_k.sign()
        closer = (distance < nearest) & (length > 0)  # l so far: the argmin over k
        nearest = distance.where(closer, nearest)
        r_i = (as_column(distance + NUDGE, w_k) * direction).where(as_column(closer, w_k), r_i)
    return r_i.detach()


def cross_boundary(
    f: Callable[[Tensor], Tensor],
    x: Tensor,
    candidates: int = 10,
    overshoot: float = 0.02,
    iterations: int = 10,
    criterion: Criterion | None = None,
) -> Crossing:
    """The end of ``deepfool`` in l2: the smallest step that changes the label of each point ``x``, of which there may be none.

    Example:
        >>> import torch
        >>> from uap_core.attacks.deepfool import cross_boundary
        >>> f = torch.nn.Linear(2, 3)  # any module or function from points to logits
        >>> x = torch.rand(5, 2)
        >>> found = cross_boundary(f, x)
        >>> torch.equal(f(x + found.steps).argmax(dim=1) != f(x).argmax(dim=1), found.crossed)
        True
    """
    if not len(x):  # which some networks do not take
        none = torch.zeros(0, dtype=torch.long, device=x.device)
        return Crossing(torch.zeros_like(x), none.bool(), none, none, x.new_zeros(0, 0))
    return deque(deepfool(f, x, candidates, overshoot, iterations, criterion), maxlen=1).pop()


@register_attack(
    "deepfool",
    "DeepFool",
    "Moosavi-Dezfooli et al., 2016",
    norm="l2",
    bounded=False,
    place=60,
    chosen=True,
    build=lambda _wanted: DeepFool(),
)
@register_attack(
    "deepfool-linf",
    "DeepFool l_inf",
    "Moosavi-Dezfooli et al., 2016",
    norm="linf",
    bounded=False,
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
        SettingError: no iterations, fewer than two candidates, a negative overshoot, or another norm.

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

        def f(x: Tensor) -> Tensor:
            return run.classifier(x.clamp(0, 1))

        before = run.queries
        steps = deepfool(f, run.images, self.candidates, self.overshoot, self.iterations, run.criterion, self.norm)
        for number, found in enumerate(steps):
            run.gradients, run.queries = found.backward_passes, before + found.forward_passes
            yield number / self.iterations
        run.settle(apply(run.images, found.steps), found.logits, run.all)
