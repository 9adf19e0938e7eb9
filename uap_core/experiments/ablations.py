"""What each part of `default` is worth: the same run with one part changed, at equal cost.

Settings are chosen here, within the craft set: crafted on one part of it, measured on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.base import Crafter, saturate
from uap_core.crafting.cos_uap import cosine
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.default import CLIP, Default
from uap_core.crafting.problem import Problem, predicted
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.crafting.sv_uap import Singular
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

CRAFTED_ON, MEASURED_ON = 350, 1000


@dataclass(frozen=True)
class AblationRow:
    """What the pattern of one ``variant``, crafted on ``network`` under ``seed``, does to the other part of the craft set.

    Variant and network are given by id and key.
    """

    variant: str
    network: str
    seed: int
    image_gradients: int
    rate: Rate


class CrossEntropyAlone(Default):
    """The first half of the loss."""

    key: ClassVar[str] = "cross_entropy_alone"

    @staticmethod
    def loss(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
        """Minus min(cross-entropy, CLIP s), s as in ours."""
        surprise = F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none")
        return -surprise.minimum(CLIP * clean.std(dim=1, unbiased=False))


class FixedClip(Default):
    """Cross-entropy clipped at 9 as in SPGD, independent of the scale of the logits."""

    key: ClassVar[str] = "fixed_clip"
    loss = staticmethod(clipped_cross_entropy)


class CosineAlone(Default):
    """The second half of the loss."""

    key: ClassVar[str] = "cosine_alone"
    loss = staticmethod(cosine)


class WholePictures(Default):
    """The craft images without random views."""

    key: ClassVar[str] = "whole_pictures"

    def views(self, batch: Tensor, state: State) -> None:  # type: ignore[override]
        """None."""
        return


class NotSaturated(Default):
    """The last iterate, projected."""

    key: ClassVar[str] = "not_saturated"

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Onto the ball, not out to its surface."""
        state.pattern = problem.ball.project(state.pattern)
        yield from ()


class Averaged(Default):
    """The mean of the iterates of the last fifth."""

    key: ClassVar[str] = "averaged"

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

    key: ClassVar[str] = "warm_start"

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """The pattern of SV-UAP; the work counts."""
        method = Singular(budget=self.budget // 4)
        state = method.begin(problem, generator)
        while method.share(problem, state) < 1:
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

    key: ClassVar[str] = "unfooled_oftener"

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The gradient on images drawn by weight."""
        fooled = state.memory.setdefault("fooled", torch.zeros(len(problem.images)))
        batch = torch.multinomial(1 - 0.5 * fooled, min(self.batch_size, len(fooled)), generator=state.generator)

        def watched(clean: Tensor, perturbed: Tensor) -> Tensor:
            fooled[batch] = (clean.argmax(dim=1) != perturbed.detach().argmax(dim=1)).float().cpu()
            return self.loss(clean, perturbed, None)

        state.image_gradients += len(batch)
        return problem.gradient(watched, batch, v, self.bf16, self.views(batch, state))


KINDS: dict[str, type[Default]] = {
    kind.key: kind
    for kind in (
        *(CrossEntropyAlone, FixedClip, CosineAlone, WholePictures),
        *(NotSaturated, Averaged, WarmStart, UnfooledOftener),
    )
}
SETTINGS: dict[str, dict[str, Any]] = {
    "mirrored_alone": {"smallest_view": 1.0},
    "views_to_half": {"smallest_view": 0.5},
    "one_ball": {"start": 1.0},
    "ball_from_three": {"start": 3.0},
    "half_rate": {"rate": 0.5},
    "batches_of_4": {"batch_size": 4},
    "batches_of_16": {"batch_size": 16},
    "in_32_bits": {"bf16": False},
}
OURS, PAPER, GAIN_BATCH = "ours", "deepfool_image_by_image", 8
GAINS = {f"deepfool_gain_{gain:g}": gain for gain in (1.0, 8.0, 50.0, 400.0, 3200.0)}
NAMES = {
    OURS: "this project’s method",
    "cross_entropy_alone": "cross-entropy alone",
    "fixed_clip": "cross-entropy alone, clipped at 9",
    "cosine_alone": "cosine alone",
    "whole_pictures": "whole pictures",
    "not_saturated": "not saturated",
    "averaged": "late iterates averaged",
    "warm_start": "warm start from a singular vector",
    "unfooled_oftener": "unfooled images drawn twice as often",
    "mirrored_alone": "mirrored, not cut",
    "views_to_half": "views down to half",
    "one_ball": "ball of one size",
    "ball_from_three": "ball from three times",
    "half_rate": "half the rate",
    "batches_of_4": "batches of 4",
    "batches_of_16": "batches of 16",
    "in_32_bits": "in 32 bits",
    PAPER: "DeepFool, image by image (the paper's)",
}


def variants(budget: int, gains: bool = True) -> dict[str, Crafter]:
    """Methods by id: ours, ours with one part changed, and the paper's; with ``gains`` also the paper's in batches."""
    ours = Default(budget=budget, bf16=True)
    made: dict[str, Crafter] = {OURS: ours}
    made |= {key: kind(budget=budget, bf16=True) for key, kind in KINDS.items()}
    made |= {key: replace(ours, **setting) for key, setting in SETTINGS.items()}
    if gains:
        made |= {key: DeepFoolUAP(budget=budget, batch_size=GAIN_BATCH, gain=gain) for key, gain in GAINS.items()}
    return made | {PAPER: DeepFoolUAP(budget=budget)}


def variant_name(variant: str) -> str:
    """Display name of a variant."""
    if variant in GAINS:
        return f"DeepFool, batches of {GAIN_BATCH}, gain {GAINS[variant]:g}"
    return NAMES[variant]


def ablations(
    network: Classifier, methods: Mapping[str, Crafter], craft: ImageSet, ball: Ball, seed: int
) -> Iterator[AblationRow]:
    """Craft with each of ``methods`` on 350 images of ``craft`` that ``seed`` draws, measure on at most 1 000 others.

    Raises DatasetError when there are too few for that.
    """
    if len(craft) <= CRAFTED_ON:
        raise DatasetError(f"Ablations are crafted on {CRAFTED_ON} images and measured on others: {craft.name} has too few.")
    ordered = craft.shuffled(torch.Generator().manual_seed(seed))
    others = torch.arange(CRAFTED_ON, min(len(craft), CRAFTED_ON + MEASURED_ON))
    part, rest = ordered.prefix(CRAFTED_ON), ordered.subset(others)
    clean = predict(network, rest.batches())
    for name, method in methods.items():
        *_earlier, last = method.craft(network, part.pixels, ball, torch.Generator().manual_seed(seed))
        rate = fooling_rate(clean, predicted(network, rest.pixels, last.perturbation))
        yield AblationRow(name, network.card.key, seed, last.image_gradients, rate)


def mean_rates(rows: Sequence[AblationRow]) -> dict[str, float]:
    """Variant to its mean fooling rate in [0,1] over the seeds, in the order of the rows; unfinished variants are left out."""
    seeds = {row.seed for row in rows}
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row.variant, []).append(row.rate.value)
    return {variant: sum(rates) / len(rates) for variant, rates in found.items() if len(rates) == len(seeds)}
