"""The distance of a batch of images from photographs, by mean and deviation of each channel inside a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uap_core.errors import SettingError

TINY = 1e-5  # keeps the deviation of a constant channel off zero


@dataclass(frozen=True)
class Moments:
    """``mean`` and ``deviation`` (C,) of the channels that go into (or, if ``after``, come out of) a ``layer``."""

    layer: nn.Module
    mean: Tensor
    deviation: Tensor
    after: bool = False


def trained(network: nn.Module) -> list[Moments]:
    """Statistics stored in the batch normalisations, which must not be folded away (``load(card, fold=False)``)."""
    return [
        Moments(layer, layer.running_mean, (layer.running_var + TINY).sqrt())
        for layer in network.modules()
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None
    ]


@torch.no_grad()
def measured(network: nn.Module, batches: Iterable[Tensor]) -> list[Moments]:
    """Output statistics of the convolutions over ``batches`` (n,3,H,W): for a network without batch normalisation."""
    sums: dict[nn.Module, Tensor] = {}

    def listen(layer: nn.Module, inputs: tuple[Tensor, ...], x: Tensor) -> None:
        rows = _rows(x.double())
        found = torch.stack([torch.full_like(rows[0], len(rows)), rows.sum(dim=0), rows.square().sum(dim=0)])
        sums[layer] = sums.get(layer, torch.zeros_like(found)) + found

    hooks = [layer.register_forward_hook(listen) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    try:
        for batch in batches:
            network(batch)
    finally:
        for hook in hooks:
            hook.remove()
    found = []
    for layer, (count, total, square) in sums.items():
        mean = total / count
        found.append(Moments(layer, mean.float(), (square / count - mean.square() + TINY).sqrt().float(), after=True))
    return found


class BatchStatistics:
    """Measure, by hooks on layers, how far a batch's mean and deviation are from those ``kept_to``.

    Each pass evaluates a share ``heard`` of the layers, drawn from ``generator``: statistics of large layers take most of the
    time.
    """

    def __init__(self, kept_to: list[Moments], heard: float = 1.0, generator: torch.Generator | None = None) -> None:
        if not 0 < heard <= 1:
            raise SettingError("The share of evaluated layers must be above 0 and at most 1.")
        self.kept_to, self.heard, self.generator = kept_to, heard, generator
        self.terms: list[Tensor] = []

    def __enter__(self) -> BatchStatistics:
        self.hooks = [self._hook(moments) for moments in self.kept_to]
        return self

    def __exit__(self, *exception: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _hook(self, moments: Moments) -> torch.utils.hooks.RemovableHandle:
        def listen(layer: nn.Module, inputs: tuple[Tensor, ...], *output: Tensor) -> None:
            if self.heard == 1 or float(torch.rand(1, generator=self.generator)) < self.heard:
                self.terms.append(distance((output or inputs)[0], moments))

        register = moments.layer.register_forward_hook if moments.after else moments.layer.register_forward_pre_hook
        return register(listen)

    def distance(self) -> Tensor:
        """Mean over the layers evaluated since the last call; zero without any."""
        terms, self.terms = self.terms, []
        return torch.stack(terms).mean() if terms else torch.zeros(())


def distance(x: Tensor, wanted: Moments) -> Tensor:
    """Mean over the channels of x (N,C,H,W): squared shift of its mean plus squared change of its standard deviation.

    Both in the wanted standard deviations. Sums are products with a row of ones, several times as fast as reductions.
    """
    with torch.autocast(x.device.type, enabled=False):
        # Standardised before squares are taken: in 16 bits the difference of two large means would be rounded away.
        rows = (_rows(x) - wanted.mean.to(x.dtype)) / wanted.deviation.to(x.dtype)
        ones = rows.new_ones(1, len(rows))
        mean, square = ((ones @ part)[0].float() / len(rows) for part in (rows, rows * rows))
    deviation = (square - mean.square()).clamp_min(0).add(TINY).sqrt()
    return mean.square().mean() + (deviation - 1).square().mean()


def _rows(x: Tensor) -> Tensor:
    """(N,C,H,W) to (N H W, C)."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)
