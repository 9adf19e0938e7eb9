"""DeepFool (Moosavi-Dezfooli et al., CVPR 2016): the smallest step over a boundary between classes, linearised."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.criterion import as_column
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import Subject
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.norms import L2, LINF
from uap_core.perturbations.perturbation import apply

# A hair beyond the boundary, so that a point which lies exactly on it moves too: the authors' 1e-4 of 255 levels.
NUDGE = 1e-4 / 255


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
    """Find the smallest step over a boundary between classes, linearised anew at each iteration.

    Moosavi-Dezfooli et al., "DeepFool", CVPR 2016, Algorithm 2; section 3.3 for other norms: the dual norm of a boundary's
    normal tells how far it is. Each iteration costs a gradient for each candidate class.

    Args:
        norm: what is kept small, "l2" or "linf".
        candidates: classes looked at, the highest at the start; the present one is among them.
        overshoot: how much further each step goes, as a share of it.
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
        check_counts(iterations=self.iterations)
        if self.candidates < 2:
            raise SettingError(_("DeepFool needs at least two candidate classes: the present one and another."))
        if self.norm not in (L2, LINF):
            raise SettingError(
                _("DeepFool's norm is {l2!r} or {linf!r}, not {norm!r}.").format(l2=L2, linf=LINF, norm=self.norm)
            )

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``. Pixels are clamped to [0,1] while the step is sought, so that it still works when they are."""

        def logits_of(x: Tensor, which: Tensor) -> Tensor:
            return subject.logits(x.clamp(0, 1), which)

        target = subject.aim.labels if subject.aim.targeted else None
        leave = None if subject.aim.targeted else subject.aim.labels
        ways = approach(logits_of, subject.images, self.candidates, self.overshoot, self.iterations, target, self.norm, leave)
        for number, found in enumerate(ways):
            subject.gradients = found.backward_passes.clone()
            yield number / self.iterations
        x = apply(subject.images, found.steps)
        subject.settle(x, found.logits, subject.all)


@dataclass(frozen=True)
class Crossing:
    """``steps`` like the points: what to add to each so that its label changes; ``crossed`` (n,) says where that came true.

    ``backward_passes`` (n,) were spent on each point; ``logits`` (n,K) are those at the end of the steps.
    """

    steps: Tensor
    crossed: Tensor
    backward_passes: Tensor
    logits: Tensor


def cross_boundary(
    logits_of: Callable[[Tensor], Tensor],
    points: Tensor,
    candidates: int = 10,
    overshoot: float = 0.02,
    iterations: int = 10,
    target: int | None = None,
) -> Crossing:
    """The smallest l2 step that changes the label of each of ``points`` (n,3,H,W), as ``logits_of`` (n,K) sees them.

    With a ``target``, to that class. See ``approach``.
    """
    if not len(points):
        none = torch.zeros(0, dtype=torch.long, device=points.device)
        return Crossing(torch.zeros_like(points), none.bool(), none, points.new_zeros(0, 0))
    targets = None if target is None else torch.full((len(points),), target, device=points.device)
    ways = approach(lambda x, which: logits_of(x), points, candidates, overshoot, iterations, targets, L2)
    return deque(ways, maxlen=1).pop()


def approach(
    logits_of: Callable[[Tensor, Tensor], Tensor],
    points: Tensor,
    candidates: int,
    overshoot: float,
    iterations: int,
    targets: Tensor | None,
    norm: str,
    leave: Tensor | None = None,
) -> Iterator[Crossing]:
    """The way over the nearest boundary, after each step: ``logits_of`` takes points (n,3,H,W) and which of all they are.

    Looks at the ``candidates`` highest classes at the start (the current label is one of them), or at ``targets`` (n,) alone.
    The step is overshot by ``overshoot``, at the end and while looking (Algorithm 2); a step that crosses in the last of
    ``iterations`` counts. Points are independent of each other. A point without any slope stays where it is, and so does one
    that is not seen as what it shall ``leave`` (n,): when left out, what it is seen as.
    """
    steps, spent = torch.zeros_like(points), torch.zeros(len(points), dtype=torch.long, device=points.device)
    everybody = torch.arange(len(points), device=points.device)
    with torch.no_grad():
        logits = logits_of(points, everybody)
    highest = logits.topk(min(candidates, logits.shape[1])).indices
    labels = highest[:, 0].clone()
    others = highest[:, 1:] if targets is None else targets[:, None]
    crossed = labels != (labels if leave is None else leave) if targets is None else labels == targets
    yield Crossing(steps, crossed, spent, logits)
    for _iteration in range(iterations):
        going = everybody[~crossed]
        if not len(going):
            return
        at = points[going] + (1 + overshoot) * steps[going]
        steps[going] += _to_nearest_boundary(logits_of, going, at, labels[going], others[going], norm)
        spent[going] += others.shape[1]
        with torch.no_grad():
            logits[going] = logits_of(points[going] + (1 + overshoot) * steps[going], going)
        now = logits[going].argmax(dim=1)
        crossed[going] = now != labels[going] if targets is None else now == targets[going]
        if targets is not None:
            labels[going] = now  # the way to a target may lead through other classes
        yield Crossing((1 + overshoot) * steps, crossed, spent, logits)


def _to_nearest_boundary(
    logits_of: Callable[[Tensor, Tensor], Tensor], which: Tensor, at: Tensor, labels: Tensor, others: Tensor, norm: str
) -> Tensor:
    """The step to the nearest of the linearised boundaries with ``others`` (n,C); zero where no class has a slope."""
    at = at.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = logits_of(at, which)
        gaps = logits.gather(1, others) - logits.gather(1, labels[:, None])
    nearest = torch.full((len(at),), torch.inf, device=at.device)
    move = torch.zeros_like(at)
    for column in range(others.shape[1]):
        is_last = column == others.shape[1] - 1
        normal = torch.autograd.grad(gaps[:, column].sum(), at, retain_graph=not is_last)[0]
        length = normal.flatten(1).norm(p=2 if norm == L2 else 1, dim=1)
        distance = gaps[:, column].detach().abs() / length
        closer = (distance < nearest) & (length > 0)
        nearest = distance.where(closer, nearest)
        direction = normal / as_column(length) if norm == L2 else normal.sign()
        move = (as_column(distance + NUDGE) * direction).where(as_column(closer), move)
    return move.detach()
