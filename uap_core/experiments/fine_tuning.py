"""Adversarial fine-tuning: rounds of training on universal patterns that are crafted on the network of the last round.

The paper's section 4: fine-tuned on universal perturbations, VGG-F is fooled by a new one on 76.2 % of the images instead of
93.7 %; another round ends at 80.0 %. There is always a next pattern.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet, open_image_set
from uap_core.errors import DatasetError, SettingError
from uap_core.identity import identity
from uap_core.io.paths import MODELS
from uap_core.io.results import Table, write_table
from uap_core.metrics import Rate, accuracy, fooling_rate, predict
from uap_core.models.card import Card, read_card
from uap_core.models.classifier import Classifier, Normalise
from uap_core.models.device import chosen_device, device_of
from uap_core.models.embedded import EMBEDDED
from uap_core.models.fusion import fold_batch_norm
from uap_core.norms import Ball, of_levels
from uap_core.perturbations.perturbation import versions
from uap_core.training.export import begin_with
from uap_core.training.loop import EpochRow, train
from uap_core.training.opponents import Pool
from uap_core.training.recipe import Recipe

# Whole pictures' size throughout, since a pattern fits one size; half of each batch stays clean, as in the paper.
FINE = Recipe(epochs=2, peak_rate=0.02, mix_chance=0.0, small_share=0.0, view_size=0, epsilon=of_levels(10), alpha=0.5)
BUDGET = 2000
PAPER_SECTION_4 = (0.937, 0.762, 0.800)  # VGG-F fooled by a new pattern: before, after a round, after more of them


@dataclass(frozen=True)
class RoundRow:
    """A network after ``round`` rounds (0: before fine-tuning), measured on held-out images.

    ``new_pattern`` was crafted on this network, ``first_pattern`` on the network before fine-tuning.
    """

    round: int
    clean_accuracy: Rate
    new_pattern: Rate
    first_pattern: Rate
    seconds: float


@dataclass(frozen=True)
class FineTuning:
    """``rounds`` of the ``recipe``, each against ``patterns`` that ``method`` crafts in ``ball`` on ``images`` each."""

    recipe: Recipe
    method: Crafter
    ball: Ball
    rounds: int = 2
    patterns: int = 5
    images: int = 500

    def run(
        self, network: nn.Module, card: Card, craft: ImageSet, held_out: ImageSet, folder: Path
    ) -> Iterator[EpochRow | RoundRow]:
        """Fine-tune ``network`` (normalised pixels to logits, trainable) in place; yields epochs and rounds as they end.

        Checkpoints are in ``folder``: the same run continues after the last whole epoch. Raises DatasetError
        when the folders of ``craft`` are not classes of the ``card``.
        """
        names = tuple(str(entry["wnid"]) for entry in card.classes if isinstance(entry, dict))
        truth, held_out_truth = craft.truth(names), held_out.truth(names)
        if truth is None or held_out_truth is None:
            raise DatasetError(f"Fine-tuning needs pictures of the classes of {card.name}.")
        started = time.perf_counter()
        sets = (craft.pixels, truth), (held_out.pixels, held_out_truth)

        def measured(number: int) -> RoundRow:
            clean = predict(now, held_out.batches(100))
            new, old = (fooling_rate(clean, predicted(now, held_out.pixels, pattern)) for pattern in (newest, first))
            return RoundRow(number, accuracy(clean, held_out_truth), new, old, round(time.perf_counter() - started, 1))

        now = _frozen(network, card)
        newest = first = self._crafted(now, craft, 0)
        yield measured(0)
        for number in range(1, self.rounds + 1):
            others = [self._crafted(now, craft, 100 * number + i) for i in range(1, self.patterns)]
            pool = Pool(torch.stack([newest, *others]), self.recipe.alpha, self._pool_told())
            checkpoint = folder / f"{card.key}-round-{number}.ckpt"
            yield from train(network, *sets, replace(self.recipe, seed=number), checkpoint, pool)
            now = _frozen(network, card)
            newest = self._crafted(now, craft, 100 * number)
            yield measured(number)

    def _pool_told(self) -> str:
        return f"{self.patterns} in {self.ball}, on {self.images} images: {identity(self.method)}"

    def _crafted(self, network: Classifier, craft: ImageSet, seed: int) -> Tensor:
        part = craft.shuffled(torch.Generator().manual_seed(seed)).prefix(self.images)
        *_, last = self.method.craft(network, part.pixels, self.ball, torch.Generator().manual_seed(seed))
        return last.perturbation


def fine_tune_and_publish(
    data: Path, key: str, rounds: int, epochs: int, checkpoints: Path, out: Path
) -> Iterator[EpochRow | RoundRow]:
    """Fine-tune the embedded network ``key`` on ``data`` (train/ and val/) at 10/255; ``out`` gets <key>-rounds.json.

    Raises SettingError for a network that was not trained with batch norm left in it, DatasetError, ModelError.
    """
    card = read_card(MODELS / f"{key}.json")
    if card.architecture not in EMBEDDED:
        raise SettingError(f"{card.name} cannot be trained here: it is not an embedded network.")
    network = EMBEDDED[card.architecture].build_to_train(len(card.classes))
    begin_with(network.to(chosen_device()), card)
    craft, held_out = (open_image_set(data, split, card.input_size, card.input_size) for split in ("craft", "held_out"))
    plan = FineTuning(replace(FINE, epochs=epochs), Default(budget=BUDGET, bf16=True), Ball("linf", FINE.epsilon), rounds)
    rows = []
    for row in plan.run(network, card, craft, held_out, checkpoints):
        if isinstance(row, RoundRow):
            rows.append(row)
        yield row
    stated = {
        "network": key,
        "weights_sha256": card.sha256,
        "held_out": f"{len(held_out)} images of {held_out.name}",
        "crafted_on": f"{plan.images} images of {craft.name}",
        **identity(plan.method),
        "patterns": plan.patterns,
        "recipe": asdict(plan.recipe),
    }
    write_table(Table(f"{card.name}, fine-tuned against its patterns", rows, stated | versions()), out / f"{key}-rounds.json")


def _frozen(network: nn.Module, card: Card) -> Classifier:
    """A copy of the present network, to be attacked while the original continues training."""
    frozen = nn.Sequential(Normalise(), fold_batch_norm(deepcopy(network)))
    return Classifier(frozen, card, tuple(map(str, card.classes))).to(device_of(network))
