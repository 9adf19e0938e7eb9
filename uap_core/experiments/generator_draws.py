"""What the patterns of a generator do: how strong, how alike, along every walk between labels, to other networks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.problem import predicted
from uap_core.experiments.generator_rows import BesideRow, DrawRow, PlaceRow, TransferRow
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball, in_levels
from uap_core.perturbations.generators import PatternGenerator

RINGS = 4  # of places between the middle of the polygon and its corners
COMPARED = 12  # draws whose answers are compared with one another
SHARES = (0.4, 0.6, 0.8, 1.0)  # of the radius
WALK = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Sight:
    """A network, images that the generator never saw, and what the network says of them."""

    network: Classifier
    images: Tensor
    clean: Tensor

    @classmethod
    def on(cls, network: Classifier, images: Tensor) -> Sight:
        """Ask ``network`` about uint8 ``images`` (N,3,H,W) once."""
        return cls(network, images, predicted(network, images, torch.zeros(images.shape[1:])))

    def answers(self, pattern: Tensor) -> Tensor:
        """Labels (N,) under ``pattern`` (3,H,W)."""
        return predicted(self.network, self.images, pattern)

    def fooled(self, pattern: Tensor) -> Rate:
        """The fooling rate of ``pattern``."""
        return fooling_rate(self.clean, self.answers(pattern))


def draws(name: str, made: PatternGenerator, sight: Sight, seed: int, count: int = 100) -> DrawRow:
    """Measure ``count`` draws, of told labels in turn."""
    patterns = made.patterns(made.codes(count, torch.Generator().manual_seed(1000 + seed)))
    return pattern_row(name, patterns, sight, seed, made.labels)


def pattern_row(name: str, patterns: Tensor, sight: Sight, seed: int, labels: Sequence[str] = ()) -> DrawRow:
    """Measure ``patterns`` (n,3,H,W) as draws, aimed at ``labels`` in turn. The first few are compared with one another."""
    count, told = len(patterns), max(1, len(labels))
    answers = torch.stack([sight.answers(pattern) for pattern in patterns])
    rates = (answers != sight.clean).double().mean(dim=1)
    aims = torch.tensor([sight.network.index_of(label) for label in labels])
    hits = (answers == aims[torch.arange(count) % told][:, None]).double().mean() if labels else torch.zeros(())
    few = range(min(count, max(COMPARED, told)))
    unit = F.normalize(patterns[: len(few)].flatten(1), dim=1)
    pairs = list(combinations(few, 2))
    alike = {pair: float((answers[pair[0]] == answers[pair[1]]).double().mean()) for pair in pairs}
    other = [pair for pair in pairs if (pair[0] - pair[1]) % told] or pairs
    stats = (rates.mean(), rates.std(), rates.min(), rates.max(), hits)
    mean, deviation, lowest, highest, aimed = (round(float(value), 4) for value in stats)
    cosine = round(sum(float(unit[a] @ unit[b]) for a, b in pairs) / len(pairs), 3)
    dominant = len({int(torch.mode(each).values) for each in answers})
    agreement, between = (round(sum(alike[pair] for pair in some) / len(some), 4) for some in (pairs, other))
    return DrawRow(name, seed, count, mean, deviation, lowest, highest, aimed, cosine, dominant, agreement, between)


def corners(count: int) -> list[tuple[float, float]]:
    """Corners of a regular polygon on the unit circle, the first on top."""
    turns = [2 * math.pi * number / count for number in range(count)]
    return [(math.sin(turn), -math.cos(turn)) for turn in turns]


def places(count: int) -> list[tuple[float, float, list[float]]]:
    """Places (x, y) in the polygon and the mix of its ``count`` labels there: rings from the middle, with all corners.

    In a ring a place lies between two neighbouring corners' directions; what is missing to the rim is shared by all.
    """
    ends, found = corners(count), [(0.0, 0.0, [1 / count] * count)]
    for ring, corner, step in ((r, c, s) for r in range(1, RINGS + 1) for c in range(count) for s in range(r)):
        outward, along = ring / RINGS, step / ring
        mix = [(1 - outward) / count] * count
        mix[corner] += outward * (1 - along)
        mix[(corner + 1) % count] += outward * along
        x, y = (sum(share * end[axis] for share, end in zip(mix, ends, strict=True)) for axis in (0, 1))
        found.append((round(x, 4), round(y, 4), [round(share, 6) for share in mix]))
    return found


def place_codes(made: PatternGenerator, mixes: Tensor) -> Tensor:
    """The codes of ``mixes`` (n,labels), all with the same noise, which the page uses too."""
    noise = made.codes(1, torch.Generator().manual_seed(0))[:, : made.noise]
    return torch.cat([noise.expand(len(mixes), -1), made.codes(len(mixes), torch.Generator(), mixes)[:, made.noise :]], dim=1)


def place_rows(made: PatternGenerator, sight: Sight) -> Iterator[PlaceRow]:
    """Measure every place of the polygon."""
    aims = [sight.network.index_of(label) for label in made.labels]
    for x, y, mix in places(len(aims)):
        answers = sight.answers(made.patterns(place_codes(made, torch.tensor([mix])))[0])
        into = [round(float((answers == aim).double().mean()), 4) for aim in aims]
        yield PlaceRow(x, y, mix, fooling_rate(sight.clean, answers), into)


def walks(made: PatternGenerator, sight: Sight) -> Iterator[BesideRow]:
    """On the way between every two labels: the place that fools least."""
    for name, patterns in _between(made, WALK):
        yield BesideRow("walk", name, min(map(sight.fooled, patterns), key=lambda rate: rate.value))


def middles(made: PatternGenerator, sight: Sight) -> Iterator[BesideRow]:
    """Halfway between every two labels."""
    for name, (pattern,) in _between(made, (0.5,)):
        yield BesideRow("middle", name, sight.fooled(pattern))


def _between(made: PatternGenerator, shares: Sequence[float]) -> Iterator[tuple[str, Tensor]]:
    """For every two labels their names and the patterns (n,3,H,W) at ``shares`` of the way from one to the other."""
    ends = torch.eye(len(made.labels))
    for a, b in combinations(range(len(ends)), 2):
        mixes = torch.stack([torch.lerp(ends[a], ends[b], share) for share in shares])
        yield f"{made.labels[a]}, {made.labels[b]}", made.patterns(place_codes(made, mixes))


def blends(kind: str, patterns: Mapping[str, Tensor], ball: Ball, sight: Sight) -> Iterator[BesideRow]:
    """Half of each of two ``patterns`` (by their names), which then fill the ``ball``: what every such blend fools."""
    for (first, v), (second, w) in combinations(patterns.items(), 2):
        yield BesideRow(kind, f"{first}, {second}", sight.fooled(ball.fill(v + w)))


def any_of(made: PatternGenerator, sight: Sight) -> Iterator[BesideRow]:
    """At smaller strengths: images that some corner fools, and what the best one corner fools. Named in 255ths."""
    patterns = made.patterns(place_codes(made, torch.eye(len(made.labels))))
    for share in SHARES:
        name = in_levels(share * made.ball.radius)
        changed = torch.stack([sight.answers(v * share) != sight.clean for v in patterns])
        yield BesideRow("any corner", name, Rate(int(changed.any(dim=0).sum()), len(sight.clean)))
        yield BesideRow("best corner", name, Rate(int(changed.sum(dim=1).max()), len(sight.clean)))


def transfer_row(name: str, made: PatternGenerator, sight: Sight, seed: int, count: int) -> TransferRow:
    """What ``count`` draws, of told labels in turn, fool on a network that may be another than the generator's."""
    patterns = made.patterns(made.codes(count, torch.Generator().manual_seed(1000 + seed)))
    rates = torch.tensor([sight.fooled(pattern).value for pattern in patterns], dtype=torch.float64)
    mean, deviation, lowest = (round(float(value), 4) for value in (rates.mean(), rates.std(), rates.min()))
    return TransferRow(name, seed, sight.network.card.key, count, mean, deviation, lowest)
