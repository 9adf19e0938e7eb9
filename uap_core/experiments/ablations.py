"""What each part of `default` is worth: the same run with one part changed, at equal cost.

Settings are chosen here, within the craft set: crafted on one part of it, measured on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.cosine import cosine
from uap_core.crafting.deepfool import DeepFool
from uap_core.crafting.default import CLIP, Default
from uap_core.crafting.loop import Crafter, saturate
from uap_core.crafting.problem import Problem, predicted
from uap_core.crafting.singular import Singular
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.datasets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.texts import N_, _

CRAFTED_ON, MEASURED_ON = 350, 1000


@dataclass(frozen=True)
class AblationRow:
    """What the pattern of one ``variant``, crafted on ``network`` under ``seed``, does to the other part of the craft set."""

    variant: str
    network: str
    seed: int
    image_gradients: int
    rate: Rate


class CrossEntropyAlone(Default):
    """The first half of the loss."""

    @staticmethod
    def loss(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
        """Minus min(cross-entropy, CLIP s), s as in ours."""
        surprise = F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none")
        return -surprise.minimum(CLIP * clean.std(dim=1, unbiased=False))


class FixedClip(Default):
    """Cross-entropy clipped at 9 as in SPGD, whatever the scale of the logits."""

    loss = staticmethod(clipped_cross_entropy)


class CosineAlone(Default):
    """The second half of the loss."""

    loss = staticmethod(cosine)


class WholePictures(Default):
    """The craft images as they are."""

    def views(self, batch: Tensor, state: State) -> None:  # type: ignore[override]
        """None."""
        return


class NotSaturated(Default):
    """The last iterate, projected."""

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Onto the ball, not out to its surface."""
        state.pattern = problem.ball.project(state.pattern)
        yield from ()


class Averaged(Default):
    """The mean of the iterates of the last fifth."""

    def step(self, problem: Problem, state: State) -> None:
        """As ours, and remember the sum."""
        super().step(problem, state)
        if state.step >= 0.8 * self.steps:
            state.memory["sum"] = state.memory.get("sum", torch.zeros_like(state.pattern)) + state.pattern

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """The direction of the sum is that of the mean."""
        state.pattern = problem.ball.project(problem.ball.fill(state.memory["sum"]))
        yield from saturate(problem, state)


class WarmStart(Default):
    """A quarter of the budget goes into a singular vector to begin with."""

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """The pattern of SV-UAP; the work counts."""
        method = Singular(budget=self.budget // 4)
        state = method.begin(problem, generator)
        while method.share(state) < 1:
            method.step(problem, state)
            state.step += 1
        list(method.finish(problem, state))
        return State(state.pattern, generator, image_gradients=state.image_gradients)

    @property
    def steps(self) -> int:
        """Three quarters are left."""
        return max(1, (self.budget - self.budget // 4) // self.batch_size)


class UnfooledOftener(Default):
    """Images that were fooled when last seen are drawn half as often; what the gradients' own passes show is remembered."""

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The gradient on images drawn by weight."""
        fooled = state.memory.setdefault("fooled", torch.zeros(len(problem.images)))
        batch = torch.multinomial(1 - 0.5 * fooled, min(self.batch_size, len(fooled)), generator=state.generator)

        def watched(clean: Tensor, perturbed: Tensor) -> Tensor:
            fooled[batch] = (clean.argmax(dim=1) != perturbed.detach().argmax(dim=1)).float().cpu()
            return self.loss(clean, perturbed, None)

        state.image_gradients += len(batch)
        return problem.gradient(watched, batch, v, self.bf16, self.views(batch, state))


def variants(budget: int, gains: bool = True) -> dict[str, Crafter]:
    """Ours first, then with one part changed; at last the paper's method, with ``gains`` also in batches, by their gain."""
    kinds = {
        N_("cross-entropy alone"): CrossEntropyAlone,
        N_("cross-entropy alone, clipped at 9"): FixedClip,
        N_("cosine alone"): CosineAlone,
        N_("whole pictures"): WholePictures,
        N_("not saturated"): NotSaturated,
        N_("late iterates averaged"): Averaged,
        N_("warm start from a singular vector"): WarmStart,
        N_("unfooled images drawn twice as often"): UnfooledOftener,
    }
    settings: dict[str, dict[str, Any]] = {
        N_("mirrored, not cut"): {"smallest_view": 1.0},
        N_("views down to half"): {"smallest_view": 0.5},
        N_("ball of one size"): {"start": 1.0},
        N_("ball from three times"): {"start": 3.0},
        N_("half the rate"): {"rate": 0.5},
        N_("batches of 4"): {"batch_size": 4},
        N_("batches of 16"): {"batch_size": 16},
        N_("in 32 bits"): {"bf16": False},
    }
    made: dict[str, Crafter] = {N_("ours"): Default(budget=budget, bf16=True)}
    made |= {name: kind(budget=budget, bf16=True) for name, kind in kinds.items()}
    made |= {name: replace(made["ours"], **setting) for name, setting in settings.items()}
    if gains:
        made |= {
            f"DeepFool, batches of 8, gain {gain:g}": DeepFool(budget=budget, batch_size=8, gain=gain)
            for gain in (1.0, 8.0, 50.0, 400.0, 3200.0)
        }
    return made | {N_("DeepFool, image by image (the paper's)"): DeepFool(budget=budget)}


def ablations(
    network: Classifier, methods: Mapping[str, Crafter], craft: ImageSet, ball: Ball, seed: int
) -> Iterator[AblationRow]:
    """Craft with each of ``methods`` on 350 images of ``craft`` that ``seed`` draws, measure on at most 1 000 others.

    Raises DatasetError when there are too few for that.
    """
    if len(craft) <= CRAFTED_ON:
        raise DatasetError(
            _("Ablations are crafted on {count} images and measured on others: {images} has too few.").format(
                count=CRAFTED_ON, images=craft.name
            )
        )
    ordered = craft.shuffled(torch.Generator().manual_seed(seed))
    others = torch.arange(CRAFTED_ON, min(len(craft), CRAFTED_ON + MEASURED_ON))
    part, rest = ordered.prefix(CRAFTED_ON), ordered.subset(others)
    clean = predict(network, rest.batches())
    for name, method in methods.items():
        *_earlier, last = method.craft(network, part.pixels, ball, torch.Generator().manual_seed(seed))
        rate = fooling_rate(clean, predicted(network, rest.pixels, last.perturbation))
        yield AblationRow(name, network.card.name, seed, last.image_gradients, rate)


def mean_rates(rows: Sequence[AblationRow]) -> dict[str, float]:
    """Variant to its mean fooling rate in [0,1] over the seeds, in the order of the rows; unfinished variants are left out."""
    seeds = {row.seed for row in rows}
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row.variant, []).append(row.rate.value)
    return {variant: sum(rates) / len(rates) for variant, rates in found.items() if len(rates) == len(seeds)}
