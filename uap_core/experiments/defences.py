"""Defences against a fixed pattern, and against an adaptive one that is crafted through the defence.

A defence must be evaluated with attacks that know it (Athalye, Carlini and Wagner, ICML 2018; Carlini et al., 2019), so every
row has both rates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from uap_core.crafting.base import Crafter, Progress
from uap_core.datasets.image_sets import ImageSet
from uap_core.defences.defended import defended
from uap_core.defences.names import ACCURACY, AGREEMENT, UNDEFENDED
from uap_core.defences.transforms import EXACT, Defence
from uap_core.metrics import Rate, accuracy, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation


@dataclass(frozen=True)
class Crafting:
    """A pattern is being crafted through ``defence``; ``share`` of that is done, 0 to 1. Not a result.

    ``so_far()``, of a defence, measures the row as it would be if crafting ended here.
    """

    defence: str
    share: float
    so_far: Callable[[], DefenceRow] | None = None


@dataclass(frozen=True)
class DefenceRow:
    """One ``defence`` (id) on one set of held-out images.

    ``clean``: the share of right answers where the set's folders are classes of the network, else how often the defended
    network answers as the undefended one does; ``clean_is`` says which. The other three are fooling rates,
    P[k_d(x+v) != k_d(x)], against the defended network's own clean predictions k_d: of the ``fixed`` pattern, of the one
    ``crafted_anew`` through the defence with ``image_gradients`` of the kind named by ``gradient``, and of ``random_signs`` of
    the same norm. Raises TypeError when one of the two patterns was not measured.
    """

    defence: str
    gradient: str
    clean_is: str
    clean: Rate
    fixed: Rate
    crafted_anew: Rate
    random_signs: Rate
    image_gradients: int
    seconds: float

    @property
    def stronger(self) -> Rate:
        """What an attacker who knows the defence keeps: the fixed pattern or the one crafted anew, whichever fools more."""
        return max(self.fixed, self.crafted_anew, key=lambda rate: rate.value)

    def __post_init__(self) -> None:
        if not (isinstance(self.fixed, Rate) and isinstance(self.crafted_anew, Rate)):
            raise TypeError("A defence is never shown without the pattern that was crafted anew through it.")


def defence_rows(
    network: Classifier,
    defences: Sequence[Defence],
    perturbation: Perturbation,
    craft_set: ImageSet,
    held_out: ImageSet,
    method: Crafter,
    seed: int = 0,
    twins: Mapping[str, Classifier] | None = None,
    known: Collection[str] = (),
) -> Iterator[Crafting | DefenceRow]:
    """A row for ``network`` alone, one for it behind each of the ``defences``, one for each of its ``twins``, by id.

    Through each an adaptive pattern is crafted: by ``method``, on the same ``craft_set``, in the ball of ``perturbation``,
    from the same ``seed``. On the way to a row the share that is crafted. Those that are ``known`` by id are left out. Raises
    SettingError, DatasetError or PerturbationError for what does not fit.
    """
    ball, shape = perturbation.ball, tuple(perturbation.pattern.shape)
    signs = Perturbation("", ball.random_signs(shape, torch.Generator().manual_seed(seed)), ball)
    plain = predict(network, held_out.batches())
    subjects = [(UNDEFENDED, EXACT, network)]
    subjects += [(defence.id, defence.gradient, defended(network, defence)) for defence in defences]
    subjects += [(name, EXACT, twin) for name, twin in (twins or {}).items()]
    for name, gradient, subject in (entry for entry in subjects if entry[0] not in known):
        started = time.perf_counter()
        clean = plain if subject is network else predict(subject, held_out.batches())
        truth = held_out.truth(subject.class_ids)
        trial = _Trial(
            subject,
            held_out,
            clean,
            ball,
            started,
            defence=name,
            gradient=gradient,
            clean_is=AGREEMENT if truth is None else ACCURACY,
            accuracy=accuracy(clean, plain if truth is None else truth),
            fixed=_fooled(subject, clean, held_out, perturbation),
            random_signs=_fooled(subject, clean, held_out, signs),
        )
        last: Progress | None = None
        for last in method.craft(subject, craft_set.pixels, ball, torch.Generator().manual_seed(seed)):
            yield Crafting(name, last.share, partial(trial.row, last))
        assert last is not None
        yield trial.row(last)


@dataclass(frozen=True)
class _Trial:
    """The part of a row that does not need the adaptive pattern."""

    subject: Classifier
    held_out: ImageSet
    labels: Tensor
    ball: Ball
    started: float
    defence: str
    gradient: str
    clean_is: str
    accuracy: Rate
    fixed: Rate
    random_signs: Rate

    def row(self, last: Progress) -> DefenceRow:
        """The row with the adaptive pattern in its present state."""
        anew = Perturbation("", last.perturbation, self.ball)
        return DefenceRow(
            self.defence,
            self.gradient,
            self.clean_is,
            self.accuracy,
            self.fixed,
            _fooled(self.subject, self.labels, self.held_out, anew),
            self.random_signs,
            last.image_gradients,
            round(time.perf_counter() - self.started, 1),
        )


def _fooled(subject: Classifier, clean: Tensor, images: ImageSet, pattern: Perturbation) -> Rate:
    return fooling_rate(clean, predict(subject, map(pattern.apply, images.batches())))
