"""I-FGSM step by step: how the loss and the size of the change grow with each small step, and when the label turns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.criterion import Criterion
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier


@dataclass(frozen=True)
class StepRow:
    """The picture after ``step`` steps: ``loss`` is the cross-entropy that the attack climbs, or descends towards a target.

    Norms are of the change, in units of [0,1]; ``probability`` is that of ``label``; ``reached`` says whether the attack has
    what it wants.
    """

    step: int
    loss: float
    linf: float
    l2: float
    label: str
    probability: float
    reached: bool


def step_rows(
    classifier: Classifier, image: Tensor, epsilon: float, alpha: float, steps: int, criterion: Criterion | None = None
) -> list[StepRow]:
    """Run I-FGSM on ``image`` (1,3,H,W) with all its steps of length ``alpha``, clipped to ``epsilon``; a row a step from 0 on.

    Raises SettingError for no steps, for a step that is not above 0 or not finite, and for an epsilon beyond [0,1].
    """
    if not 0 < alpha <= 1:
        raise SettingError("A step is longer than 0 and at most 255/255.")
    attack = IterativeFGSM(epsilon, alpha, steps, all_steps=True)
    with torch.no_grad():
        clean = classifier(image).argmax(dim=1)
    criterion = criterion or Criterion(clean)
    x = torch.cat([found.adversarial for found in attack.stream(classifier, image, criterion)])
    with torch.no_grad():
        logits = torch.cat([classifier(part) for part in x.split(8)])
    y = criterion.for_images(clean).y.expand(len(x))
    losses, sure = F.cross_entropy(logits, y, reduction="none"), logits.softmax(dim=1).max(dim=1)
    change = (x - image).flatten(1)
    reached = Criterion(y, criterion.targeted).reached(logits)
    return [
        StepRow(
            step,
            float(losses[step]),
            float(change[step].abs().max()),
            float(change[step].norm()),
            classifier.labels[int(sure.indices[step])],
            float(sure.values[step]),
            bool(reached[step]),
        )
        for step in range(len(x))
    ]
