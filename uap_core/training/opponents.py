"""Threat models used in training: attacks on each image, one pattern learned alongside, or a pool of patterns."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from uap_core.perturbations.perturbation import apply
from uap_core.training.adversarial import attacked

PATTERN_STEP = 0.1  # of the learning pattern's sign step, in epsilons


class Opponent(ABC):
    """Attacks the share 1 - ``alpha`` of each batch within ``epsilon`` in l_inf; the rest stays clean.

    Half the price of taking both losses on every image, and on average the mixture alpha J(x) + (1 - alpha) J(x') of them
    (Goodfellow et al., ICLR 2015, section 6). ``told`` says what the recipe does not: a checkpoint is of one opponent.
    """

    told = ""

    def __init__(self, epsilon: float, alpha: float) -> None:
        self.epsilon, self.alpha = epsilon, alpha

    def meet(self, network: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """``x`` (n,3,H,W) in [0,1] with all but its first round(alpha n) images attacked."""
        clean = round(self.alpha * len(x))
        if clean == len(x):
            return x
        return torch.cat([x[:clean], self.attack(network, x[clean:], y[clean:], generator)])

    @abstractmethod
    def attack(self, network: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """``x`` (n,3,H,W), attacked, in [0,1]; ``y`` are indices (n,) or shares (n,K)."""

    def learn(self) -> None:
        """Called once the batch's gradients are there."""
        return

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must keep."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the state of a checkpoint."""
        return


class EachImage(Opponent):
    """One step for every image from a random start (Wong et al., ICLR 2020).

    The network is in training mode throughout, as with them: batch norm sees the attacked part by itself while it is
    attacked, and counts it.
    """

    def attack(self, network: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """See ``adversarial.attacked``."""
        return attacked(network, x, y, self.epsilon, generator, bf16=True)


class LearningPattern(Opponent):
    """One pattern for all images, which climbs the loss while the weights descend it (Shafahi et al., "Universal adversarial
    training", AAAI 2020, algorithm 3).

    The backward pass that the weights need anyway gives its gradient too: this costs next to nothing.
    """

    def __init__(self, epsilon: float, alpha: float, side: int) -> None:
        super().__init__(epsilon, alpha)
        self.pattern = torch.zeros(3, side, side)

    def attack(self, network: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """The present pattern on all of them; gradients reach it."""
        self.pattern.requires_grad_(True)
        return apply(x, self.pattern)

    def learn(self) -> None:
        """One sign step up the loss, back into the ball."""
        if self.pattern.grad is None:  # the batch was clean
            return
        moved = self.pattern.detach() + PATTERN_STEP * self.epsilon * self.pattern.grad.sign()
        self.pattern = moved.clamp(-self.epsilon, self.epsilon)

    def state(self) -> dict[str, Tensor]:
        """The pattern."""
        return {"pattern": self.pattern.detach()}

    def load(self, state: dict[str, Tensor]) -> None:
        """The pattern."""
        self.pattern = state["pattern"]


class Pool(Opponent):
    """Patterns (P,3,H,W) that were crafted before, as ``told``: each image gets one of them, drawn at every step.

    (Moosavi-Dezfooli et al., CVPR 2017, section 4: fine-tuning with universal perturbations.)
    """

    def __init__(self, patterns: Tensor, alpha: float, told: str = "") -> None:
        super().__init__(float(patterns.abs().max()), alpha)
        self.patterns, self.told = patterns, told

    def attack(self, network: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """Each of ``x`` with a pattern of the pool."""
        which = torch.randint(len(self.patterns), (len(x),), generator=generator)
        return apply(x, self.patterns[which])
