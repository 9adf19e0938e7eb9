"""Whom else do examples fool that were made for one image on one network? (Szegedy et al., ICLR 2014, Table 1.)

Compared with noise of the same size: new Gaussian noise and random signs for each image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import runner_up
from uap_core.attacks.menu import MENU
from uap_core.crafting.problem import clean_logits
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.experiments.origins import GAUSSIAN, RANDOM_SIGNS, MatrixRow, Origin, row_of
from uap_core.metrics import fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import L2, Ball
from uap_core.perturbations.perturbation import apply

BATCH = 32
DRAWN = {RANDOM_SIGNS: Ball.random_signs, GAUSSIAN: Ball.gaussian}

# A batch of images (n,3,S,S) to changed ones, and the labels (n,) that the source network gives them, if there is one.
Change = Callable[[int, Tensor], tuple[Tensor, Tensor | None]]


def cross_model(
    networks: Sequence[Classifier],
    images: ImageSet,
    attack: Attack,
    key: str,
    seed: int,
    known: Mapping[Origin, float] | None = None,
) -> Iterator[MatrixRow]:
    """For each network in turn, examples made on it by ``attack`` (in the menu ``key``), tested on all; then the noise.

    The rate is P[k(x') != k(x)] on the network of the column, over all images, whether the attack worked or not. The noise
    has for each image the l2 norm of the largest of the networks' average distortions, so it is hardly ever the smaller one;
    its rows state what clamping to [0,1] leaves of it. Examples are made once a network, and each other network sees them
    once. ``known`` are distortions of an earlier run, by the rows' origins: those rows are left out.
    """
    steps = cross_steps(networks, images, attack, key, seed, known)
    yield from (step for step in steps if isinstance(step, MatrixRow))


def cross_steps(
    networks: Sequence[Classifier],
    images: ImageSet,
    attack: Attack,
    key: str,
    seed: int,
    known: Mapping[Origin, float] | None = None,
    batch_size: int | None = None,
) -> Iterator[MatrixRow | float]:
    """The rows of ``cross_model``, and between them the share of the work after each ``batch_size`` images."""
    known, size = known or {}, batch_size or BATCH
    count = len(networks) + len(DRAWN)
    clean = [clean_logits(network, images.pixels).cpu() for network in networks]
    distortions = []
    for number, source in enumerate(networks):
        origin = made_on(attack, key, source.card.key)
        distortions.append(known.get(origin, 0.0))
        if origin not in known:
            for step in _rows(origin, _attacked(attack, source, clean[number]), number, networks, clean, images.batches(size)):
                if isinstance(step, MatrixRow):
                    distortions[-1] = step.distortion or 0.0
                yield (number + step / len(images)) / count if isinstance(step, int) else step
    for number, (kind, draw) in enumerate(DRAWN.items(), len(networks)):
        origin = as_large(kind, attack, key)
        if origin not in known:
            change = _noisy(draw, max(distortions), torch.Generator().manual_seed(seed))
            for step in _rows(origin, change, None, networks, clean, images.batches(size)):
                yield (number + step / len(images)) / count if isinstance(step, int) else step


def made_to_transfer(key: str, epsilon: float) -> Attack:
    """The attack of the menu called ``key``, within ``epsilon`` if it is bounded.

    It takes all its steps even after it works, so as to reach beyond its own network's boundary. Raises SettingError.
    """
    if key not in MENU:
        raise SettingError(f"There is no attack {key!r}. Known: {', '.join(MENU)}.")
    return MENU[key].build(epsilon, 1, True)


def made_on(attack: Attack, key: str, source: str) -> Origin:
    """The origin of examples made on the network ``source`` (key) by ``attack``, in the menu ``key``."""
    return Origin(key, size=getattr(attack, "epsilon", None), made_on=source)


def as_large(kind: str, attack: Attack, key: str) -> Origin:
    """The origin of noise that is as large as the examples of ``attack``."""
    return Origin(kind, size=getattr(attack, "epsilon", None), like=key)


def whole_rows(rows: Sequence[MatrixRow], networks: Sequence[str]) -> dict[Origin, float]:
    """Distortions, by origin, of the perturbations that were tested on every one of ``networks`` (keys)."""
    tested: dict[Origin, set[str]] = {}
    for row in rows:
        tested.setdefault(row.origin, set()).add(row.network)
    return {row.origin: row.distortion or 0.0 for row in rows if tested[row.origin] >= set(networks)}


def distortion(change: Tensor) -> Tensor:
    """sqrt(||x' - x||^2 / n) of each change (N,3,H,W): (N,), n the number of values."""
    return change.flatten(1).norm(dim=1) / math.sqrt(change[0].numel())


def _rows(
    origin: Origin,
    change: Change,
    source: int | None,
    networks: Sequence[Classifier],
    clean: Sequence[Tensor],
    batches: Iterable[Tensor],
) -> Iterator[MatrixRow | int]:
    """One row a network for the images as ``change`` makes them, on the network number ``source`` if on any.

    Before them, how many images were looked at after each of the ``batches``.
    """
    labels: list[list[Tensor]] = [[] for _ in networks]
    sizes: list[Tensor] = []
    done = 0
    for batch in batches:
        changed, seen = change(done, batch)
        done += len(batch)
        sizes.append(distortion(changed - batch))
        for number, network in enumerate(networks):
            known = seen if number == source else None
            labels[number].append(predict(network, [changed]) if known is None else known)
        yield done
    mean = float(torch.cat(sizes).mean())
    for number, network in enumerate(networks):
        rate = fooling_rate(clean[number].argmax(dim=1), torch.cat(labels[number]))
        yield row_of(origin, network.card.key, number == source, rate, mean)


def _attacked(attack: Attack, source: Classifier, clean: Tensor) -> Change:
    """Away from what ``source`` says, or, by attacks that need a target, into its runner-up."""
    aims = runner_up(clean) if attack.targeted_only else clean.argmax(dim=1)

    def change(start: int, batch: Tensor) -> tuple[Tensor, Tensor]:
        result = attack(source, batch, aims[start : start + len(batch)], attack.targeted_only)
        return result.adversarial, result.labels

    return change


def _noisy(draw: Callable[..., Tensor], size: float, generator: torch.Generator) -> Change:
    """New noise for each image, drawn one by one, independent of the batch size."""

    def change(start: int, batch: Tensor) -> tuple[Tensor, None]:
        shape = tuple(batch.shape[1:])
        ball = Ball(L2, size * math.sqrt(math.prod(shape)))
        return apply(batch, torch.stack([draw(ball, shape, generator) for _ in batch])), None

    return change
