"""A classifier of shapes by their spectrum (Shape-DNA, Reuter et al., 2006): what it sees is the same however a mesh is turned,
scaled or numbered."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

EIGENVALUES = 20  # above 0
HIDDEN, STEPS, RATE, DECAY, JITTER = 48, 1500, 3e-3, 1e-3, 0.004


@dataclass(frozen=True)
class SpectralNet:
    """Two hidden layers on standardised logarithms of scale-free eigenvalues; arrays of weights in order."""

    mean: np.ndarray
    spread: np.ndarray
    layers: tuple[np.ndarray, ...]

    def logits(self, values: np.ndarray) -> np.ndarray:
        """Scale-free eigenvalues (...,k) to logits (...,K)."""
        return self._through(values)[0]

    def _through(self, values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        kept = [(np.log(np.maximum(values, 1e-6)) - self.mean) / self.spread]
        for place in range(0, len(self.layers), 2):
            out = kept[-1] @ self.layers[place] + self.layers[place + 1]
            kept.append(np.maximum(out, 0.0) if place + 2 < len(self.layers) else out)
        return kept[-1], kept

    def slopes(self, values: np.ndarray) -> np.ndarray:
        """Derivatives (...,K,k) of the logits by the logarithms of the eigenvalues (...,k)."""
        _logits, kept = self._through(values)
        back = np.broadcast_to(np.eye(self.layers[-1].size), (*values.shape[:-1], self.layers[-1].size, self.layers[-1].size))
        for place in range(len(self.layers) - 2, -1, -2):
            back = back @ self.layers[place].T
            if place:
                back = back * (kept[place // 2] > 0)[..., None, :]
        return np.asarray(back / self.spread)


def train_spectral(values: np.ndarray, kinds: np.ndarray, seed: int) -> SpectralNet:
    """Train on scale-free eigenvalues (N,k) and classes (N,), jittered anew at each step. Seconds."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    logs = np.log(values)
    mean, spread = logs.mean(0), logs.std(0)
    given, wanted = torch.tensor((logs - mean) / spread, dtype=torch.float32), torch.tensor(kinds)
    sizes = (values.shape[1], HIDDEN, HIDDEN, int(kinds.max()) + 1)
    linear = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    net = nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.ReLU(), linear[2])
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    noise = torch.tensor(JITTER / spread, dtype=torch.float32)
    for _step in range(STEPS):
        batch = torch.randint(len(given), (128,), generator=generator)
        shaken = given[batch] + noise * torch.randn(given[batch].shape, generator=generator)
        loss = F.cross_entropy(net(shaken), wanted[batch], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    arrays = [value.detach().numpy().astype(np.float64) for layer in linear for value in (layer.weight.T, layer.bias)]
    return SpectralNet(mean, spread, tuple(arrays))
