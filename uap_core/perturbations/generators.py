"""A generator of patterns and its file: every code gives a pattern that lies in the ball."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from uap_core.errors import PerturbationError, SettingError
from uap_core.io.atomic import write_whole
from uap_core.norms import LINF, Ball
from uap_core.perturbations.generator_network import GeneratorShape

STRESS = 2.0  # a label's number in the code, where noise is within -1 and 1
SLOPE = 1.5  # of tanh at a typical value: most of a pattern is near its bound and can still move
LARGEST = 3_000_000  # bytes of a file


@dataclass(frozen=True)
class PatternGenerator:
    """Hold a trained generator: a code to a pattern in the ball.

    A code is noise, numbers from -1 to 1, followed by one number for each label: STRESS for the one to aim at.

    Args:
        shape: of its network.
        ball: that its patterns fill.
        labels: names of the labels that it was told, in the order of the code; none for noise alone.
        weights, statistics: see ``GeneratorShape``.
        provenance: how it was made.
    """

    shape: GeneratorShape
    ball: Ball
    labels: tuple[str, ...]
    weights: Tensor
    statistics: Tensor
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def noise(self) -> int:
        """How many numbers of the code are noise."""
        return self.shape.code - len(self.labels)

    def codes(self, count: int, generator: torch.Generator, mix: Tensor | None = None) -> Tensor:
        """Draw ``count`` codes: fresh noise, and of labels the ``mix`` (count,labels), shares that add up to 1, or one in turn.

        Raises SettingError for a mix of other labels.
        """
        noise = 2 * torch.rand(count, self.noise, generator=generator) - 1
        if not self.labels:
            return noise
        mix = torch.eye(len(self.labels))[torch.arange(count) % len(self.labels)] if mix is None else mix
        if mix.shape != (count, len(self.labels)):
            raise SettingError(f"This generator mixes {len(self.labels)} labels, not {tuple(mix.shape)}.")
        return torch.cat([noise, STRESS * mix], dim=1)

    @torch.no_grad()
    def patterns(self, codes: Tensor) -> Tensor:
        """The patterns (n,3,H,W) of ``codes`` (n,code), on the surface of the ball, whatever the codes are.

        Raises SettingError for codes of another length, or that are no numbers.
        """
        if codes.ndim != 2 or codes.shape[1] != self.shape.code or not bool(codes.isfinite().all()):
            raise SettingError(f"A code is {self.shape.code} numbers, not {tuple(codes.shape)}.")
        # Normalisation and signs make the size of a code matter little; a huge one would only overflow.
        return self.ball.fill(self.shape.forward(self.weights, self.statistics, codes.clamp(-1e3, 1e3)))

    def save(self, path: Path) -> None:
        """Write a .safetensors file, in 16 bits, whole or not at all."""
        from safetensors.torch import save

        tensors = {"weights": self.weights, "statistics": self.statistics}
        header = {
            "shape": json.dumps(vars(self.shape)),
            "p": self.ball.p,
            "radius": repr(self.ball.radius),
            "labels": json.dumps(self.labels),
            "provenance": json.dumps(self.provenance),
        }
        halves = {name: value.detach().cpu().half().contiguous() for name, value in tensors.items()}
        write_whole(path, save(halves, metadata=header))


def load_generator(path: Path) -> PatternGenerator:
    """Read a file of ``PatternGenerator.save``. Raises PerturbationError for any other file."""
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        with safe_open(path, framework="pt") as archive:
            header = archive.metadata() or {}
            weights, statistics = (archive.get_tensor(name).float() for name in ("weights", "statistics"))
        shape = GeneratorShape(**{name: int(value) for name, value in json.loads(header["shape"]).items()})
        if min(vars(shape).values()) < 1 or math.prod((shape.height, shape.width)) > 1024**2:
            raise ValueError("sizes")
        labels = tuple(map(str, json.loads(header["labels"])))
        sizes = (shape.count, 2 * sum(shape.norms))
        if (len(weights), len(statistics)) != sizes or len(labels) > shape.code:
            raise ValueError("sizes that differ")
        if not all(bool(value.isfinite().all()) for value in (weights, statistics)):
            raise ValueError("no numbers")
        ball = Ball(header["p"], float(header["radius"]))
        return PatternGenerator(shape, ball, labels, weights, statistics, json.loads(header["provenance"]))
    except (SafetensorError, SettingError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise PerturbationError(f"{path.name!r} holds no generator of patterns that this app wrote.") from error


def bounded(ball: Ball, values: Tensor) -> Tensor:
    """``values`` (n,3,H,W) without bound as patterns in ``ball``, smoothly: what training differentiates.

    In l_inf radius * tanh of the values over their root mean square, times SLOPE; in l2 radius times the direction. Either way
    the size of the values does not matter: weights that grow do not saturate tanh.
    """
    if ball.p != LINF:
        return ball.fill(values)
    size = values.square().mean(dim=(-3, -2, -1), keepdim=True).sqrt()
    return ball.radius * (SLOPE * values / size.clamp_min(1e-8)).tanh()
