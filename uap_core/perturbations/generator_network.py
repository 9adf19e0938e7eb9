"""A small network from a code to a pattern: transposed convolutions, batch normalisation; functions of flat weights.

The shape is that of NAG (Mopuri et al., CVPR 2018), thinner: each layer doubles the side and halves the channels. Weights are
one vector, so that they are stored, continued and stepped on like a pattern.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

SMALLEST, KERNEL = 4, 4  # side of the first layer at least, and of the kernels that double it
MOST_DOUBLINGS = 4
MOMENTUM = 0.1  # of the running statistics


@dataclass(frozen=True)
class GeneratorShape:
    """Hold the sizes of a generator.

    Args:
        code: numbers that it takes.
        height, width: of its pattern, in pixels.
        channels: of the last hidden layer; the others have twice as many as the one after them.
        tiles: repetitions of one square across and down the pattern.
        colours: channels of the pattern.
    """

    code: int
    height: int
    width: int
    channels: int = 16
    tiles: int = 1
    colours: int = 3

    @property
    def doublings(self) -> int:
        """Layers that double the side."""
        side = max(self.height, self.width) // self.tiles
        return min(MOST_DOUBLINGS, max(1, int(math.log2(max(2, side / SMALLEST)))))

    @property
    def layers(self) -> list[tuple[int, ...]]:
        """Shapes of the kernels, (in, out, height, width) each."""
        first = tuple(math.ceil(side // self.tiles / 2**self.doublings) for side in (self.height, self.width))
        widths = [self.channels * 2**power for power in range(self.doublings - 1, -1, -1)] + [self.colours]
        inner = [(a, b, KERNEL, KERNEL) for a, b in pairwise(widths)]
        return [(self.code, widths[0], *first), *inner]

    @property
    def norms(self) -> list[int]:
        """Channels of each batch normalisation; the last layer has none."""
        return [layer[1] for layer in self.layers[:-1]]

    @property
    def count(self) -> int:
        """Numbers in the vector of weights."""
        return sum(map(math.prod, self.layers)) + 2 * sum(self.norms)

    def split(self, weights: Tensor) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
        """Kernels, and gain and bias of each normalisation, as views into ``weights`` (count,)."""
        kernels, rest = [], weights
        for shape in self.layers:
            kernels.append(rest[: math.prod(shape)].view(shape))
            rest = rest[math.prod(shape) :]
        return kernels, list(_pairs(rest, self.norms))

    def start(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh weights (count,), uniform as Torch draws them, and running statistics: zeros and ones."""
        drawn = [
            (2 * torch.rand(math.prod(shape), generator=generator) - 1) / math.sqrt(math.prod(shape[1:]))
            for shape in self.layers
        ]
        plain = torch.cat([torch.cat([torch.ones(n), torch.zeros(n)]) for n in self.norms])
        statistics = torch.cat([torch.cat([torch.zeros(n), torch.ones(n)]) for n in self.norms])
        return torch.cat([*drawn, plain]), statistics

    def forward(self, weights: Tensor, statistics: Tensor, codes: Tensor, training: bool = False) -> Tensor:
        """Values (n,colours,H,W) without bound of ``codes`` (n,code).

        In ``training`` the batch is normalised by itself, and ``statistics`` move a little towards it, in place.
        """
        kernels, gains = self.split(weights)
        x = codes[:, :, None, None]
        for depth, kernel in enumerate(kernels):
            x = F.conv_transpose2d(x, kernel, stride=1 if depth == 0 else 2, padding=0 if depth == 0 else 1)
            if depth < len(gains):
                mean, spread = list(_pairs(statistics, self.norms))[depth]
                x = F.relu(F.batch_norm(x, mean, spread, *gains[depth], training, MOMENTUM))
        x = x[..., : self.height // self.tiles, : self.width // self.tiles]
        return x.repeat(1, 1, self.tiles, self.tiles)


def _pairs(values: Tensor, sizes: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Views of two vectors for each of ``sizes``, one after the other."""
    for size in sizes:
        yield values[:size], values[size : 2 * size]
        values = values[2 * size :]
