"""EfficientNet-Lite as it is loaded here beside timm's plain module: `python tests/bench/lites.py [--model KEY]`.

Image-gradients a second, both in turn in one process: the gradient of a loss on one pattern under a batch of pictures.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from uap_core import load_model
from uap_core.models.allocator import keep_freed_memory
from uap_core.models.bf16 import has_fast_bf16
from uap_core.models.classifier import Normalise
from uap_core.models.libraries import import_timm
from uap_core.models.loaders import in_order
from uap_core.models.tensors import read_tensors
from uap_core.models.zoo import Zoo


def plain(key: str) -> nn.Module:
    """timm's module with the same weights, as it comes."""
    card = Zoo().card(key)
    network = import_timm().create_model(card.architecture)
    network.load_state_dict(in_order(read_tensors(card.weights_path), network.state_dict()))
    return nn.Sequential(Normalise(card.mean, card.std), network).eval()


def seconds(network: nn.Module, batch: int, bf16: bool) -> float:
    """Of one image-gradient."""
    images, v = torch.rand(batch, 3, 224, 224), torch.zeros(3, 224, 224, requires_grad=True)
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = network((images + v).clamp(0, 1))
    torch.autograd.grad(logits.float().square().sum(), v)
    return (time.perf_counter() - started) / batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    theirs, ours = plain(options.model), load_model(options.model)
    bf16 = has_fast_bf16()
    print(f"{options.model}, {torch.get_num_threads()} threads, torch {torch.__version__}; image-gradients a second")
    print(f"{'batch':>6} {'plain timm':>11} {'here':>8} {'ratio':>6} {'here, 16 bits' if bf16 else '':>14}")
    kinds = ((theirs, False), (ours, False), *(((ours, True),) if bf16 else ()))
    for kept in (False, True):
        if kept:
            keep_freed_memory()
            print("with freed memory kept, as the page and the command line do:")
        for batch in (8, 16, 32):
            turns = [[seconds(network, batch, half) for network, half in kinds] for _ in range(options.rounds)]
            best = [1 / min(column) for column in zip(*turns, strict=True)]
            print(
                f"{batch:6} {best[0]:11.1f} {best[1]:8.1f} {best[1] / best[0]:6.2f} {best[2] if bf16 else '':>14.4}", flush=True
            )


if __name__ == "__main__":
    main()
