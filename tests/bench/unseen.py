"""What makes a pattern go through networks that it never saw.

    python tests/bench/unseen.py --data PHOTOGRAPHS --seed 0 --seed 1 never_seen transfer

From EfficientNet-Lite0 and both MobileNets and 200 of the photographs to craft on; measured on 300 others of them, on
SqueezeNet and GoogLeNet, which the pattern never saw, and on its own networks. The photographs that are held out stay so.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from uap_core.cli.inputs import open_zoo
from uap_core.crafting.activations import Activations
from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.menu import TILES
from uap_core.crafting.never_seen import NeverSeen
from uap_core.crafting.problem import predicted
from uap_core.crafting.transfer import Transfer
from uap_core.metrics import fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.models.names import network_names
from uap_core.norms import Ball, of_levels
from uap_core.precompute.materials import Materials

CRAFTED_ON, UNSEEN = ("efficientnet_lite0", "mobilenet_v1_075", "mobilenet_v2_tf"), ("squeezenet1_1_caffe", "googlenet_bvlc")
BALL = Ball("linf", of_levels(10))
ONCE = NeverSeen(starts=1)
METHODS: dict[str, Crafter] = {
    "never_seen": NeverSeen(),
    "one start": ONCE,
    "no input diversity": replace(ONCE, wobble=0.0),
    "twice the input diversity": replace(ONCE, wobble=0.5),
    "a quarter noise": replace(ONCE, noise=0.25),
    "three quarters noise": replace(ONCE, noise=0.75),
    "layers twice as long": replace(ONCE, loud=4.0),
    "smaller views": replace(ONCE, smallest_view=0.5),
    "transfer": Transfer(tiles=TILES),
    "activations": Activations(batch_size=4),
    "default": Default(tiles=TILES, batch_size=4),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("methods", nargs="*", choices=[*METHODS, []], help="all when left out")
    options.add_argument(
        "--data", type=Path, required=True, help="photographs of 224 pixels: a folder or zip with craft/ and eval/"
    )
    options.add_argument("--budget", type=int, default=1500, help="image-gradients on each network")
    options.add_argument("--seed", type=int, action="append", help="name several")
    asked = options.parse_args()
    materials = Materials(open_zoo(ROOT / "tests" / "cards"), {224: asked.data})
    craft, _held_out = materials.splits(CRAFTED_ON[0])
    pixels = craft.shuffled(torch.Generator().manual_seed(0)).pixels
    networks = {key: materials.network(key) for key in (*CRAFTED_ON, *UNSEEN)}
    clean = {key: predicted(network, pixels[200:500], torch.zeros(3, 224, 224)) for key, network in networks.items()}
    names = network_names(materials.cards())
    print("fooled, % | seed | " + " | ".join(names[key] for key in networks) + " | mean of the unseen")
    for seed in asked.seed or [0]:
        for name in asked.methods or METHODS:
            method = replace(METHODS[name], budget=asked.budget)
            pattern = crafted(method, [networks[key] for key in CRAFTED_ON], pixels[:200], seed)
            rates = {
                key: fooling_rate(clean[key], predicted(networks[key], pixels[200:500], pattern)).value for key in networks
            }
            unseen = sum(rates[key] for key in UNSEEN) / len(UNSEEN)
            print(f"{name} | {seed} | " + " | ".join(f"{100 * rate:.1f}" for rate in (*rates.values(), unseen)), flush=True)


def crafted(method: Crafter, networks: list[Classifier], pixels: Tensor, seed: int) -> Tensor:
    *_, last = method.craft(networks, pixels, BALL, torch.Generator().manual_seed(seed))
    return last.perturbation


if __name__ == "__main__":
    main()
