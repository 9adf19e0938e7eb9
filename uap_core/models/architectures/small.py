"""The small networks of Szegedy et al. (2013) and Goodfellow et al. (2015), for grey pictures of 28x28 pixels."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from uap_core.errors import SettingError

PIXELS, CLASSES = 28 * 28, 10


class Grey(nn.Module):
    """Images (N,C,28,28) to the mean of their channels, (N,784)."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x.mean(dim=1).flatten(1)


def fully_connected(*hidden: int, activation: type[nn.Module] = nn.Sigmoid, dropout: float = 0.0) -> nn.Sequential:
    """FC``hidden``-10: layers of so many units, each followed by ``activation`` and, if it is above 0, ``dropout``.

    Raises SettingError for a layer without units, or a dropout outside 0 to below 1.
    """
    if any(width < 1 for width in hidden):
        raise SettingError("A hidden layer needs at least one unit.")
    if not 0 <= dropout < 1:
        raise SettingError("Dropout is a share of the units: from 0 to below 1.")
    layers: list[nn.Module] = [Grey()]
    for before, after in pairwise((PIXELS, *hidden)):
        layers += [nn.Linear(before, after), activation()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear((PIXELS, *hidden)[-1], CLASSES))


class RBF(nn.Module):
    """Radial basis functions: a unit of class k says exp(-b ||x - m||^2), and a class says the sum of its units.

    Far from every centre it says nothing at all, with no confidence; a linear unit says more the further out it is.
    Goodfellow et al., ICLR 2015, section 9.

    Args:
        centres: (C,784), where the units begin.
        classes: (C,) the class of each.
    """

    classes: Tensor

    def __init__(self, centres: Tensor, classes: Tensor) -> None:
        super().__init__()
        self.grey = Grey()
        self.centres = nn.Parameter(centres.clone())
        self.log_widths = nn.Parameter(torch.full((len(centres),), -2.5))
        self.register_buffer("classes", classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N,C,28,28) to the logarithm of what each class says, (N,10)."""
        said = -torch.cdist(self.grey(x), self.centres).square() * self.log_widths.exp()
        return torch.stack([said[:, self.classes == k].logsumexp(dim=1) for k in range(CLASSES)], dim=1)


def confidences(network: nn.Module, logits: Tensor) -> Tensor:
    """How sure a network is of its answer, (N,): the softmax's highest, or of an RBF network what the class says, at most 1."""
    if any(isinstance(part, RBF) for part in network.modules()):
        return logits.exp().amax(dim=1).clamp(max=1.0)
    return logits.softmax(dim=1).amax(dim=1)


def lipschitz_bound(network: nn.Module) -> float | None:
    """The product of the layers' largest singular values, an upper bound of a fully connected network; None of an RBF network.

    A sigmoid stretches by a quarter at most, which counts; ReLU by 1.
    """
    bound = 1.0
    for part in network.modules():
        if isinstance(part, RBF):
            return None
        if isinstance(part, nn.Linear):
            bound *= float(torch.linalg.matrix_norm(part.weight.detach(), 2))
        elif isinstance(part, nn.Sigmoid):
            bound /= 4
    return bound
