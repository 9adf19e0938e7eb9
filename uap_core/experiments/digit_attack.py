"""What a network that changes digits does to a classifier and to a judge: with the judge in training, without, and noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.experiments.digit_attack_rows import AttackRow
from uap_core.metrics import Rate
from uap_core.norms import Ball
from uap_core.training.digit_attack import AttackRecipe, learn_digits, learn_to_change, size, small_classifier
from uap_core.training.digit_game import descend, judge

WITH, WITHOUT, NOISE = "with the judge", "without the judge", "noise of the same size"
FRESH, EPOCH = 400, 64  # steps of the judge that measures, and images a step


def attack_rows(
    learn: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor], recipe: AttackRecipe, work: Path
) -> Iterator[tuple[AttackRow, Tensor]]:
    """Train with and without the judge, then measure on ``held_out``; yields each row and the changed held-out digits.

    ``learn`` and ``held_out`` are digits (N,1,28,28) and labels (N,). States of the trainings are kept in ``work``.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    classifier = small_classifier(generator)
    learn_digits(classifier, *learn, 600, generator)
    classifier.requires_grad_(False)
    length = 0.0
    for name, judged in ((WITH, recipe.judged), (WITHOUT, 0.0)):
        mine = AttackRecipe(**{**vars(recipe), "judged": judged})
        state = work / f"digits-{name.replace(' ', '-')}.state"
        *_before, (_step, changer) = learn_to_change(*learn, classifier, mine, state)
        with torch.no_grad():
            changed, taught = changer(held_out[0]), changer(learn[0])
        row = _measured(name, classifier, (learn[0], taught), held_out, changed)
        length = length or row.l2
        yield row, changed
    noise = Ball("l2", length)
    noisy = [(digits + noise.gaussian(tuple(digits.shape), generator)).clamp(0, 1) for digits in (learn[0], held_out[0])]
    yield _measured(NOISE, classifier, (learn[0], noisy[0]), held_out, noisy[1]), noisy[1]


@torch.no_grad()
def _measured(
    name: str, classifier: nn.Module, learn: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor], changed: Tensor
) -> AttackRow:
    digits, labels = held_out
    right = classifier(digits).argmax(dim=1) == labels
    fooled = right & (classifier(changed).argmax(dim=1) != labels)
    told = told_apart(learn, (digits, changed))
    return AttackRow(name, Rate(int(fooled.sum()), int(right.sum())), round(float(size(changed, digits).mean()), 3), told)


@torch.enable_grad()
def told_apart(learn: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]) -> Rate:
    """How many of ``held_out`` (drawn, changed) a fresh judge tells apart, which learnt on ``learn``; half would be chance.

    Of each pair of drawn digit and changed digit it sees one only, so that it cannot compare.
    """
    generator = torch.Generator().manual_seed(0)
    fresh = judge(generator)
    optimiser = torch.optim.Adam(fresh.parameters(), 1e-3)
    halves = [part[side::2] for side, part in enumerate(learn)]
    for _step in range(FRESH):
        picks = [half[torch.randint(len(half), (EPOCH,), generator=generator)] for half in halves]
        loss = F.softplus(-fresh(picks[0])).mean() + F.softplus(fresh(picks[1])).mean()
        descend(optimiser, loss)
    fresh.eval()
    with torch.no_grad():
        right = int((fresh(held_out[0][::2]) > 0).sum()) + int((fresh(held_out[1][1::2]) <= 0).sum())
    return Rate(right, len(held_out[0][::2]) + len(held_out[1][1::2]))
