"""Compare a network's class impressions with photographs: accuracy and fooling rates of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from uap_core.crafting.default import Default
from uap_core.datasets.image_sets import ImageSet, open_splits
from uap_core.errors import DatasetError
from uap_core.experiments.evaluation import evaluate
from uap_core.io.paths import PERTURBATIONS
from uap_core.metrics import fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo
from uap_core.norms import LINF, Ball, of_levels
from uap_core.perturbations.perturbation import Perturbation, apply, load_perturbation

WITHIN = 0.10  # largest accepted difference of accuracy and fooling rates
METHOD = Default(budget=2000, bf16=True)
SEEDS = 3
BALL = Ball(LINF, of_levels(10))


@dataclass(frozen=True)
class Pair:
    """The class impressions and the photographs for one network: the two splits of each, cropped as the network takes them."""

    dreams: tuple[ImageSet, ImageSet]
    photographs: tuple[ImageSet, ImageSet]

    @classmethod
    def open(cls, network: Classifier, dreams: Path, photographs: Path) -> Pair:
        """Raises DatasetError for sources that hold no pictures."""
        card = network.card
        opened = (
            open_splits(path, card.resize_size, card.input_size, None, card.interpolation) for path in (dreams, photographs)
        )
        return cls(*opened)


def check_dreams(zoo: Zoo, key: str, others: Sequence[str], dreams: Path, photographs: Path) -> dict[str, Any]:
    """Measure the class impressions of network ``key``; write the figures to the card beside them and return it.

    The card also lists those of ``others`` whose figures agree with photographs; crafting is tried on ``key`` alone.
    """
    network = zoo.load(key)
    pair = Pair.open(network, dreams, photographs)
    checked = {name: compare(zoo.load(name), key, Pair.open(zoo.load(name), dreams, photographs)) for name in (key, *others)}
    path = dreams.with_suffix(".json")
    card = json.loads(path.read_text(encoding="utf-8"))
    card["checked"] = {
        "set": f"{len(pair.photographs[1])} images of {pair.photographs[1].name}",
        "dreams": len(pair.dreams[1]),
        "within": WITHIN,
        "networks": checked,
        "crafted": crafted(network, pair),
    }
    card["valid_for"] = [name for name, found in checked.items() if name != key and is_valid(found)]
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def compare(network: Classifier, dreamer: str, pair: Pair) -> dict[str, Any]:
    """Accuracy and fooling rates on held-out class impressions and photographs: of the shipped pattern of ``network``, else of
    ``dreamer``, and of random signs."""
    own = PERTURBATIONS / f"{network.card.key}-linf10.safetensors"
    file = own if own.is_file() else PERTURBATIONS / f"{dreamer}-linf10.safetensors"
    pattern = load_perturbation(file)
    sides = {"dreams": pair.dreams[1], "photographs": pair.photographs[1]}
    found = {side: _measured(network, images, pattern) for side, images in sides.items()}
    figures = {name: {side: found[side][name] for side in sides} for name in found["dreams"]}
    return {"pattern": file.stem} | figures


def _measured(network: Classifier, images: ImageSet, pattern: Perturbation) -> dict[str, float]:
    found = evaluate(network, pattern, images, torch.Generator().manual_seed(0))
    if found.clean_accuracy is None:
        raise DatasetError(f"The folders of {images.name!r} are not classes of {network.card.name}.")
    rates = {"accuracy": found.clean_accuracy, "fooling_rate": found.universal, "random_signs": found.random_signs}
    return {name: round(rate.value, 4) for name, rate in rates.items()}


def is_valid(found: dict[str, Any]) -> bool:
    """Whether all figures on class impressions are within 10 points of those on photographs."""
    return all(abs(sides["dreams"] - sides["photographs"]) <= WITHIN for name, sides in found.items() if name != "pattern")


def crafted(network: Classifier, pair: Pair) -> dict[str, Any]:
    """Fooling rates on held-out photographs of patterns crafted on class impressions and on as many photographs."""
    count = min(len(pair.dreams[0]), len(pair.photographs[0]))
    held_out = pair.photographs[1]
    clean = predict(network, held_out.batches())
    rates: dict[str, list[float]] = {"on_dreams": [], "on_photographs": []}
    for seed in range(SEEDS):
        for name, source in (("on_dreams", pair.dreams[0]), ("on_photographs", pair.photographs[0])):
            part = source.shuffled(torch.Generator().manual_seed(seed)).prefix(count)
            for progress in METHOD.craft(network, part.pixels, BALL, torch.Generator().manual_seed(seed)):
                pattern = progress.perturbation
            perturbed = predict(network, (apply(batch, pattern) for batch in held_out.batches()))
            rates[name].append(round(fooling_rate(clean, perturbed).value, 4))
    share = fmean(rates["on_dreams"]) / fmean(rates["on_photographs"])
    stated = {"images": count, "image_gradients": METHOD.budget, "ball": str(BALL), "seeds": SEEDS}
    return stated | rates | {"share": round(share, 3)}
