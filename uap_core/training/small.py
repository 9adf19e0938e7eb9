"""Teach the small networks: Adam on the cross-entropy, with what regularises.

Decay and the penalty are of Szegedy et al. (2014), the mixture and RBF units of Goodfellow et al. (2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.models.architectures.small import CLASSES, PIXELS, RBF, Grey

Objective = Callable[[Tensor, Tensor], Tensor]
RARE, SPARSITY = 0.1, 0.1  # the mean that a sparse code aims at, and how much that counts


@dataclass(frozen=True)
class Lesson:
    """Say how a small network learns.

    Args:
        epochs: passes over the pictures.
        batch: pictures a step.
        rate: Adam's learning rate.
        decay: lambda of lambda sum w^2 / k for each layer of k units (Szegedy et al., section 4.1).
        alpha: of alpha J(x) + (1 - alpha) J(x + epsilon sign grad J(x)), Goodfellow et al., section 6; 1 leaves the attack out.
        epsilon: its l_inf length, in units of [0,1] pixels.
        penalty: mu of mu sum log ||W_k||_2, which holds every layer's upper Lipschitz bound down.
        seed: of the order of the pictures and of dropout.

    Raises:
        SettingError: a number out of its range.
    """

    epochs: int = 12
    batch: int = 100
    rate: float = 2e-3
    decay: float = 0.0
    alpha: float = 1.0
    epsilon: float = 0.1
    penalty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise SettingError(
                f"Alpha is a share: from 0 (attacked pictures alone) to 1 (clean ones alone), not {self.alpha:g}."
            )
        if not 0 <= self.epsilon <= 1:
            raise SettingError("Epsilon must lie between 0 and 1.")
        if min(self.epochs, self.batch) < 1 or not (math.isfinite(self.rate) and self.rate > 0):
            raise SettingError("Epochs and pictures a step must be at least 1, and the learning rate above 0.")
        if min(self.decay, self.penalty) < 0:
            raise SettingError("Decay and penalty cannot be negative.")


@torch.inference_mode(False)
@torch.enable_grad()
def teach(network: nn.Module, x: Tensor, y: Tensor, lesson: Lesson, objective: Objective = F.cross_entropy) -> Iterator[float]:
    """Teach ``network`` the pictures ``x`` (N,C,28,28) in [0,1] of the classes ``y`` (N,); yields the share done each epoch.

    It is left in evaluation mode after each. ``objective`` makes logits and labels one number. Raises SettingError when the
    loss is no number any more.
    """
    generator, optimizer = torch.Generator().manual_seed(lesson.seed), torch.optim.Adam(network.parameters(), lesson.rate)
    held = Stretches(network) if lesson.penalty else None
    for epoch in range(lesson.epochs):
        with torch.random.fork_rng():  # dropout draws from torch's global generator
            torch.manual_seed(lesson.seed * 1000 + epoch)
            network.train()
            for batch in torch.randperm(len(x), generator=generator).split(lesson.batch):
                loss = _loss(network, x[batch], y[batch], lesson, objective)
                loss = loss if held is None else loss + lesson.penalty * held.logarithms()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        network.eval()
        if not math.isfinite(float(loss.detach())):
            raise SettingError("Learning has diverged: choose a smaller learning rate.")
        yield (epoch + 1) / lesson.epochs


def _loss(network: nn.Module, x: Tensor, y: Tensor, lesson: Lesson, objective: Objective) -> Tensor:
    """The mixture of Goodfellow et al. (2015), with what holds the weights down."""
    if lesson.alpha == 1:
        loss = objective(network(x), y)
    else:
        x = x.clone().requires_grad_(True)
        clean = objective(network(x), y)
        (gradient,) = torch.autograd.grad(clean, x, retain_graph=True)
        attacked = objective(network((x.detach() + lesson.epsilon * gradient.sign()).clamp(0, 1)), y)
        loss = lesson.alpha * clean + (1 - lesson.alpha) * attacked
    if lesson.decay:
        loss = loss + lesson.decay * sum(layer.weight.square().sum() / layer.out_features for layer in linear_layers(network))
    return loss


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Its fully connected layers, in order."""
    return [part for part in network.modules() if isinstance(part, nn.Linear)]


class Stretches:
    """The largest singular value of each layer while it learns: a few steps of the power method, begun where the last ended.

    The exact value takes ten times as long as all the rest of a step.
    """

    def __init__(self, network: nn.Module) -> None:
        self.layers = linear_layers(network)
        self.directions = [torch.ones(layer.in_features) for layer in self.layers]
        for _step in range(10):
            self._turn()

    def logarithms(self) -> Tensor:
        """sum log ||W_k||_2, with its gradient."""
        self._turn()
        pairs = zip(self.layers, self.directions, strict=True)
        return torch.stack([(layer.weight @ direction).norm().log() for layer, direction in pairs]).sum()

    @torch.no_grad()
    def _turn(self) -> None:
        self.directions = [
            F.normalize(layer.weight.T @ (layer.weight @ direction), dim=0)
            for layer, direction in zip(self.layers, self.directions, strict=True)
        ]


@torch.inference_mode(False)
@torch.enable_grad()
def teach_code(units: int, x: Tensor, lesson: Lesson) -> Iterator[nn.Module | float]:
    """Teach a sparse autoencoder 784-``units``-784 the pictures ``x``: shares of the work, and last the half that encodes.

    It minimises the squared error of the picture made again, plus KL(RARE || mean activity) of each unit.
    """
    encoder = nn.Sequential(Grey(), nn.Linear(PIXELS, units), nn.Sigmoid())
    decoder = nn.Linear(units, PIXELS)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lesson.rate)
    generator, grey = torch.Generator().manual_seed(lesson.seed), x.flatten(1)
    for epoch in range(lesson.epochs):
        for batch in torch.randperm(len(x), generator=generator).split(lesson.batch):
            code = encoder(x[batch])
            active = code.mean(dim=0).clamp(1e-4, 1 - 1e-4)
            rarity = RARE * (RARE / active).log() + (1 - RARE) * ((1 - RARE) / (1 - active)).log()
            loss = (decoder(code) - grey[batch]).square().sum(dim=1).mean() + SPARSITY * rarity.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield (epoch + 1) / lesson.epochs
    yield encoder


def centred(x: Tensor, y: Tensor, units: int) -> RBF:
    """An RBF network whose units stand at the first ``units`` pictures of each class of ``x`` (N,1,28,28)."""
    first = torch.cat([(y == k).nonzero()[:units, 0] for k in range(CLASSES)])
    return RBF(x[first].flatten(1), y[first])


def each_alone(logits: Tensor, y: Tensor) -> Tensor:
    """The loss of an RBF network: each class by itself says yes or no, with what it says as its probability."""
    said = logits.clamp(max=-1e-6)
    right = F.one_hot(y, CLASSES).to(logits.dtype)
    return -(right * said + (1 - right) * torch.log1p(-said.exp())).sum(dim=1).mean()
