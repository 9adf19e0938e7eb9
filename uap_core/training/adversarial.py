"""Adversarial examples to train on, and to measure what the training bought.

With a random start, one step is enough where networks are small and eps is too (Wong et al., "Fast is better than free", ICLR
2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.images.eight_bits import from_bytes
from uap_core.models.bf16 import sixteen_bits
from uap_core.perturbations.perturbation import apply

MEASURING_STEPS = 20
STEP = 1.25  # of one-step training, in epsilons (Wong et al.)


def attacked(
    network: nn.Module, x: Tensor, y: Tensor, epsilon: float, generator: torch.Generator, steps: int = 1, bf16: bool = False
) -> Tensor:
    """``x`` (n,3,H,W) moved by at most ``epsilon`` up the cross-entropy with ``y``, indices (n,) or shares (n,K).

    From a random start: one step of 1.25 epsilon, or several that go 2.5 epsilon in all (PGD, Madry et al., ICLR 2018). Pixels
    stay within [0,1]. No gradient of a weight is computed.
    """
    size = STEP * epsilon if steps == 1 else 2 * STEP * epsilon / steps
    move = ((2 * torch.rand(x.shape, generator=generator) - 1) * epsilon).to(x.device)
    for _ in range(steps):
        tried = apply(x, move).requires_grad_(True)
        with torch.enable_grad(), sixteen_bits(x.device.type, bf16):
            loss = F.cross_entropy(network(tried.to(memory_format=torch.channels_last)).float(), y, reduction="sum")
        move = (move + size * torch.autograd.grad(loss, tried)[0].sign()).clamp(-epsilon, epsilon)
    return apply(x, move).detach()


def accuracy_under_attack(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float, generator: torch.Generator
) -> float:
    """Share of uint8 ``images`` (N,3,H,W) that ``network`` ([0,1] pixels to logits) still classifies correctly under PGD."""
    right = 0
    for part, truth in zip(images.split(100), labels.split(100), strict=True):
        moved = attacked(network, from_bytes(part), truth, epsilon, generator, MEASURING_STEPS)
        with torch.inference_mode():
            right += int((network(moved).argmax(dim=1) == truth).sum())
    return right / len(images)
