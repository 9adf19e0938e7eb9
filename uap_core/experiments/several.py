"""Several patterns: how many held-out images any of k fools, and how many the one fools that is picked for each image.

Picked by the margin of the clean answer under each pattern, it is the best of them: a picture is fooled by one of them exactly
when its smallest margin is negative. That takes k looks and the clean answer. Two pickers know less: one asks for the answers
under all patterns and takes the least sure, one looks at the clean picture alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.crafting.base import Crafter
from uap_core.crafting.problem import clean_logits
from uap_core.crafting.several import greedy, logits_under, margins
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

RIDGE = 1.0


@dataclass(frozen=True)
class SeveralRow:
    """What the first ``patterns`` of a list do to held-out images at ``epsilon`` (255ths, l_inf).

    Args:
        any_of: share that at least one of them fools.
        foreseen: share fooled by the one that the clean answer picks, by what craft images taught.
        least_sure: share fooled by the one under which the network is least sure of its answer.
        last: share that the last of them fools by itself.
        image_gradients: that all of them took.
    """

    epsilon: float
    patterns: int
    any_of: Rate
    foreseen: Rate
    least_sure: Rate
    last: Rate
    image_gradients: int


def picked(scores: Tensor, each: Tensor) -> Rate:
    """Images fooled by the pattern with the lowest of ``scores`` (k,N), by the margins ``each`` (k,N)."""
    chosen = each.gather(0, scores.argmin(dim=0, keepdim=True))[0]
    return Rate(int((chosen < 0).sum()), len(chosen))


def any_of(each: Tensor) -> Rate:
    """Images that at least one of the patterns fools, by the margins ``each`` (k,N)."""
    return Rate(int((each < 0).any(dim=0).sum()), each.shape[1])


def sureness(under: Tensor) -> Tensor:
    """The largest probability (...,N) in logits (...,N,K)."""
    return under.softmax(dim=-1).amax(dim=-1)


def foresight(clean: Tensor, each: Tensor, others: Tensor) -> Tensor:
    """Margins (k,n) of other images with clean logits ``others`` (n,K), foretold from those of craft images, ``each`` (k,N) for
    ``clean`` (N,K): ridge regression, by the matrix of inner products."""
    middle, height = clean.mean(dim=0), each.mean(dim=1, keepdim=True)
    known, asked = (clean - middle).double(), (others - middle).double()
    products = known @ known.T
    damped = products + RIDGE * products.diagonal().mean() * torch.eye(len(known), dtype=torch.double)
    return (height + ((each - height).double() @ torch.linalg.solve(damped, known @ asked.T))).float()


def several(
    classifier: Classifier,
    method: Crafter,
    craft: ImageSet,
    held_out: ImageSet,
    balls: Sequence[Ball],
    count: int,
    seed: int = 0,
) -> Iterator[SeveralRow]:
    """For each ball craft ``count`` patterns greedily, and measure the first 1, 2, ... of them on ``held_out``.

    Raises SettingError for fewer than one, or sets that share images.
    """
    if set(craft.files) & set(held_out.files) and craft.name == held_out.name:
        raise SettingError("The craft set and the held-out set share images.")
    known, clean = clean_logits(classifier, craft.pixels), clean_logits(classifier, held_out.pixels)
    for ball in balls:
        taught, each, sure, spent = list[Tensor](), list[Tensor](), list[Tensor](), 0
        for last in greedy(classifier, craft.pixels, ball, method, count, seed):
            v, spent = last.perturbation, spent + last.image_gradients
            under = logits_under(classifier, held_out.pixels, v)
            taught.append(margins(known, logits_under(classifier, craft.pixels, v)))
            each.append(margins(clean, under))
            sure.append(sureness(under))
            yield _row(ball, torch.stack(taught), torch.stack(each), torch.stack(sure), known, clean, spent)


def _row(ball: Ball, taught: Tensor, each: Tensor, sure: Tensor, known: Tensor, clean: Tensor, spent: int) -> SeveralRow:
    return SeveralRow(
        epsilon=round(ball.radius * 255, 6),
        patterns=len(each),
        any_of=any_of(each),
        foreseen=picked(foresight(known, taught, clean), each),
        least_sure=picked(sure, each),
        last=any_of(each[-1:]),
        image_gradients=spent,
    )
