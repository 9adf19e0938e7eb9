"""The smallest epsilon at which a bounded attack works on one photograph, by bisection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import Criterion
from uap_core.attacks.result import AttackResult
from uap_core.models.classifier import Classifier
from uap_core.norms import of_levels

LARGEST = of_levels(32)
HALVINGS = 7  # to a quarter of a level


def least_epsilon(
    build: Callable[[float], Attack],
    largest: float,
    classifier: Classifier,
    image: Tensor,
    criterion: Criterion,
    generator: torch.Generator,
) -> Iterator[AttackResult]:
    """The best so far for ``image`` (1,3,S,S), after each epsilon tried, the ``largest`` first; costs are those of all.

    A larger epsilon may fail where a smaller one works (one large step can overshoot a class), so this is the smallest that
    was found, not proven to be the least. If the largest fails, that failure is the result.
    """
    state = generator.get_state()
    low, high = 0.0, largest
    best: AttackResult | None = None
    gradients, queries, seconds = torch.zeros_like(criterion.y), torch.zeros_like(criterion.y), 0.0
    for number in range(HALVINGS + 1):
        epsilon = largest if number == 0 else (low + high) / 2
        generator.set_state(state)  # each epsilon with the same draws
        found = build(epsilon)(classifier, image, criterion, generator=generator)
        gradients, queries, seconds = gradients + found.gradients, queries + found.queries, seconds + found.seconds
        worked = bool(found.success.all())
        if worked:
            high = epsilon
        else:
            low = epsilon
        if worked or best is None:
            best = found
        share = 1.0 if number == 0 and not worked else (number + 1) / (HALVINGS + 1)
        yield replace(best, gradients=gradients, queries=queries, seconds=seconds, share=share, done=share == 1.0)
        if share == 1.0:
            return
