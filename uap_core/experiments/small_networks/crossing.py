"""Who reads what was made to be misread by another: after Szegedy et al. (ICLR 2014), Tables 1 and 4."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import runner_up
from uap_core.datasets.digits import digit_set
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.transfer_examples import distortion
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.perturbations.perturbation import apply

GAUSSIAN = "gaussian"
FRESH_SEED = 2  # of the digits that nobody learnt from, and that examples are made of
CHUNK = 10  # pictures between two reports


@dataclass(frozen=True)
class CrossRow:
    """A cell: the network ``network`` (key) looks at digits that were changed, and that all networks read right before.

    ``made_on``: the network on which examples were made, or GAUSSIAN for noise. ``size``: the standard deviation that noise
    was drawn with, or to which examples were amplified; None for examples as they are. ``fooled``: how many it reads in
    another way, which is wrong. ``distortion``: the mean of sqrt(||x' - x||^2 / n).
    """

    made_on: str
    network: str
    size: float | None
    fooled: Rate
    distortion: float


def crossed(
    networks: Sequence[Classifier],
    images: ImageSet,
    attack: Attack,
    noise: Sequence[float],
    seed: int,
    amplified: float | None = None,
) -> Iterator[CrossRow | float]:
    """Examples made on each of ``networks`` and shown to all, then Gaussian noise of each size of ``noise``.

    Examples aim at the network's own runner-up. With ``amplified`` each change is shown at that average distortion as well.
    Yields shares of the work between rows.
    """
    x = images.images()
    clean = [predict(network, [x]) for network in networks]

    def rows(made_on: str, size: float | None, changed: Tensor) -> Iterator[CrossRow]:
        moved = float(distortion(changed - x).mean())
        for network, before in zip(networks, clean, strict=True):
            yield CrossRow(made_on, network.card.key, size, fooling_rate(before, predict(network, [changed])), moved)

    made: dict[str, Tensor] = {}
    for number, source in enumerate(networks):
        for step in _examples(source, x, attack):
            if isinstance(step, float):
                yield (number + step) / len(networks)
            else:
                made[source.card.key] = step
        yield from rows(source.card.key, None, made[source.card.key])
    if amplified is not None:
        for key, examples in made.items():
            yield from rows(key, amplified, louder(x, examples, amplified))
    generator = torch.Generator().manual_seed(seed)
    for size in noise:
        yield from rows(GAUSSIAN, size, apply(x, size * torch.randn(x.shape, generator=generator)))


def read_by_all(networks: Sequence[Classifier], count: int) -> ImageSet:
    """The first ``count`` digits, drawn anew, that every one of ``networks`` reads right: what is misread later was changed."""
    images = digit_set(2 * count + 20, FRESH_SEED)
    x, truth = images.images(), torch.tensor([int(name) for name in images.classes])
    right = torch.stack([predict(network, [x]) == truth for network in networks]).all(dim=0)
    return images.subset(right.nonzero()[:count, 0])


def louder(x: Tensor, changed: Tensor, size: float) -> Tensor:
    """``changed`` (N,3,H,W) with each change from ``x`` made ``size`` large in distortion, then clamped to [0,1]."""
    change = changed - x
    lengths = change.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
    return apply(x, change / lengths * (size * math.sqrt(x[0].numel())))


def _examples(source: Classifier, x: Tensor, attack: Attack) -> Iterator[Tensor | float]:
    """Shares of the work, and last the examples."""
    with torch.inference_mode():
        aims = runner_up(source(x)) if attack.targeted_only else source(x).argmax(dim=1)
    made = []
    for start in range(0, len(x), CHUNK):
        few = slice(start, start + CHUNK)
        made.append(attack(source, x[few], aims[few].clone(), attack.targeted_only).adversarial)
        yield min(len(x), start + CHUNK) / len(x)
    yield torch.cat(made)
