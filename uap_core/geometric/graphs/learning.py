"""Training of the graph convolutional network on the few nodes whose class is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.geometric.graphs.gcn import Gcn
from uap_core.geometric.graphs.graph import Graph

EACH = 10  # steps of training between two looks at how far it is
HIDDEN, STEPS, RATE, DECAY, DROPOUT = 16, 200, 0.02, 5e-4, 0.3


def train_gcn(graph: Graph, features: np.ndarray | None, classes: np.ndarray, known: np.ndarray, seed: int) -> Gcn:
    """Train on the ``classes`` (n,) of the nodes ``known`` (t,). The same seed gives the same weights on the same machine."""
    *_, found = training(graph, features, classes, known, seed)
    assert isinstance(found, Gcn)
    return found


def training(
    graph: Graph, features: np.ndarray | None, classes: np.ndarray, known: np.ndarray, seed: int
) -> Iterator[float | Gcn]:
    """``train_gcn`` in parts: how much of it is done (0 to 1), and last the network."""
    generator = torch.Generator().manual_seed(seed)
    inputs = None if features is None else torch.tensor(features, dtype=torch.float32)
    sizes = (len(graph) if inputs is None else inputs.shape[1], HIDDEN, int(classes.max()) + 1)
    weights = [
        ((2 * torch.rand(a, b, generator=generator) - 1) * (6 / (a + b)) ** 0.5).requires_grad_()
        for a, b in itertools.pairwise(sizes)
    ]
    passing, told = _passing(graph), torch.tensor(known)
    wanted = torch.tensor(classes)[told]
    groups: list[dict[str, Any]] = [{"params": weights[:1], "weight_decay": DECAY}, {"params": weights[1:]}]
    optimiser = torch.optim.Adam(groups, RATE)
    for step in range(STEPS):
        if step % EACH == 0:
            yield step / STEPS
        kept = 1.0 if inputs is None else (torch.rand(inputs.shape, generator=generator) > DROPOUT) / (1 - DROPOUT)
        hidden = weights[0] if inputs is None else (inputs * kept) @ weights[0]
        heard = _Passed.apply(hidden, passing).relu()
        loss = F.cross_entropy(_Passed.apply(heard @ weights[1], passing)[told], wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    first, second = (weight.detach().numpy().astype(np.float64) for weight in weights)
    yield Gcn(first, second)


class _Passed(torch.autograd.Function):
    """What neighbours send: P x for a symmetric sparse P of SciPy's, which multiplies eight times as fast as torch's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, passing: sp.csr_matrix) -> Tensor:
        """P x for x (n,d)."""
        ctx.passing = passing
        return torch.from_numpy(passing @ x.detach().numpy())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """P is its own transpose."""
        return torch.from_numpy(ctx.passing @ np.ascontiguousarray(grads[0].numpy())), None


def _passing(graph: Graph) -> sp.csr_matrix:
    """D^(-1/2) (A + I) D^(-1/2), (n,n)."""
    count = len(graph)
    edges = graph.edges()
    loops = np.arange(count)
    rows = np.concatenate([edges[:, 0], edges[:, 1], loops])
    columns = np.concatenate([edges[:, 1], edges[:, 0], loops])
    scale = (graph.degrees + 1.0) ** -0.5
    values = (scale[rows] * scale[columns]).astype(np.float32)
    return sp.csr_matrix((values, (rows, columns)), (count, count))
