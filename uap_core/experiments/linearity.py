"""How straight a network is: its logits along FGSM's direction, and how far a small step moves them in more dimensions.

Goodfellow, Shlens & Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 3: for a linear score w . x
the step -epsilon sign(w) takes epsilon ||w||_1 away, which grows with the number of values although none moves further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.norms import of_levels
from uap_core.perturbations.perturbation import apply

REACH, NEAR, POINTS = of_levels(10), of_levels(2), 41
BATCH = 8
SQUARES = (1, 2, 4, 8, 16, 32, 64, 224)


@dataclass(frozen=True)
class LogitRow:
    """The logit of ``label`` after a step of signed length ``epsilon`` (units of [0,1]) along FGSM's direction."""

    epsilon: float
    label: str
    logit: float


@dataclass(frozen=True)
class Line:
    """A straight line through rows, and R^2: the share of their variance that it explains."""

    slope: float
    intercept: float
    r2: float


@dataclass(frozen=True)
class GrowthRow:
    """What a step that moves ``squares`` x ``squares`` squares by epsilon takes from the lead of the predicted label.

    ``predicted`` is epsilon times the l1 norm of the gradient, ``real`` what the network loses; in logits.
    """

    squares: int
    predicted: float
    real: float


def logits_along(classifier: Classifier, image: Tensor) -> list[LogitRow]:
    """Logits of the clean label, and of the one at REACH, for steps from -REACH to REACH along FGSM's direction.

    ``image`` is (1,3,H,W) in [0,1]; pixels are clamped, as in the attack. Where the label stays, the second one is the
    strongest rival there.
    """
    with torch.no_grad():
        clean = classifier(image).argmax(dim=1)
    direction = loss_gradient(classifier, image, clean.clone()).sign()
    epsilons = torch.linspace(-REACH, REACH, POINTS)
    steps = epsilons[:, None, None, None].to(image.device) * direction
    with torch.no_grad():
        logits = torch.cat([classifier(apply(image.expand_as(part), part)) for part in steps.split(BATCH)])
    at_end = logits[-1].clone()
    at_end[clean] = -torch.inf
    labels = (int(clean), int(at_end.argmax()))
    return [
        LogitRow(float(epsilon), classifier.labels[label], float(row[label]))
        for label in labels
        for epsilon, row in zip(epsilons, logits, strict=True)
    ]


def straight(rows: Sequence[LogitRow], label: str, within: float) -> Line:
    """The least-squares line through the rows of ``label`` up to ``within`` on either side.

    A constant logit is explained in full. Raises SettingError for fewer than two rows.
    """
    near = [row for row in rows if row.label == label and abs(row.epsilon) <= within + 1e-9]
    if len(near) < 2:
        raise SettingError("A line needs two points at least.")
    x = torch.tensor([row.epsilon for row in near], dtype=torch.float64)
    y = torch.tensor([row.logit for row in near], dtype=torch.float64)
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx @ dy) / (dx @ dx)
    total = float(dy @ dy)
    r2 = float((dx @ dy) ** 2 / (dx @ dx)) / total if total > 1e-18 else 1.0
    return Line(float(slope), float(y.mean() - slope * x.mean()), r2)


def growth(classifier: Classifier, image: Tensor, epsilon: float, squares: Sequence[int] = SQUARES) -> list[GrowthRow]:
    """Step by ``epsilon`` against the lead of the predicted label over the next one, with ever more squares free to differ.

    The picture stays the same, ``image`` (1,3,H,W); s x s squares of each colour move together, so the change has 3 s^2 values
    of its own. Numbers of squares beyond the picture's side are left out, the side itself joins.
    """
    side = image.shape[-1]
    fitting = sorted({count for count in squares if count < side} | {side})
    with torch.no_grad():
        first, second = classifier(image)[0].topk(2).indices.tolist()

    def lead(x: Tensor) -> Tensor:
        logits = classifier(x)
        return logits[:, first] - logits[:, second]

    with torch.enable_grad():
        x = image.detach().requires_grad_(True)
        before = lead(x)
        gradient = torch.autograd.grad(before.sum(), x)[0]
    return [_grown(lead, image, float(before.detach()), gradient, epsilon, count) for count in fitting]


def _grown(
    lead: Callable[[Tensor], Tensor], image: Tensor, before: float, gradient: Tensor, epsilon: float, count: int
) -> GrowthRow:
    with torch.enable_grad():
        free = torch.zeros(1, 3, count, count, device=image.device, requires_grad=True)
        spread = F.interpolate(free, size=image.shape[-2:], mode="nearest")
        of_squares = torch.autograd.grad((spread * gradient).sum(), free)[0]
    step = -epsilon * F.interpolate(of_squares.sign(), size=image.shape[-2:], mode="nearest")
    with torch.no_grad():
        after = float(lead(apply(image, step)))
    return GrowthRow(count, epsilon * float(of_squares.abs().sum()), before - after)
