"""Training of the graph convolutional network on the few nodes whose class is told."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from uap_core.geometric.graphs.gcn import Gcn
from uap_core.geometric.graphs.graph import Graph

HIDDEN, STEPS, RATE, DECAY, DROPOUT = 16, 200, 0.02, 5e-4, 0.3


def train_gcn(graph: Graph, features: np.ndarray | None, classes: np.ndarray, known: np.ndarray, seed: int) -> Gcn:
    """Train on the ``classes`` (n,) of the nodes ``known`` (t,). The same seed gives the same weights on the same machine."""
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
    for _step in range(STEPS):
        kept = 1.0 if inputs is None else (torch.rand(inputs.shape, generator=generator) > DROPOUT) / (1 - DROPOUT)
        hidden = weights[0] if inputs is None else (inputs * kept) @ weights[0]
        loss = F.cross_entropy((passing @ ((passing @ hidden).relu() @ weights[1]))[told], wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    first, second = (weight.detach().numpy().astype(np.float64) for weight in weights)
    return Gcn(first, second)


def _passing(graph: Graph) -> torch.Tensor:
    """D^(-1/2) (A + I) D^(-1/2) as a sparse (n,n)."""
    count = len(graph)
    edges = graph.edges()
    loops = np.arange(count)
    rows = np.concatenate([edges[:, 0], edges[:, 1], loops])
    columns = np.concatenate([edges[:, 1], edges[:, 0], loops])
    scale = (graph.degrees + 1.0) ** -0.5
    values = torch.tensor(scale[rows] * scale[columns], dtype=torch.float32)
    places = torch.tensor(np.stack([rows, columns]))
    return torch.sparse_coo_tensor(places, values, (count, count), check_invariants=False).coalesce()
