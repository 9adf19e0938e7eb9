"""Craft a universal perturbation and measure it on other images: `python examples/craft.py [--method deepfool]`."""

import argparse
from pathlib import Path

import uap_core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="default", help="a method, as `uap craft --help` lists them")
    parser.add_argument("--budget", type=int, default=2000, help="image-gradients")
    parser.add_argument("--images", type=int, default=256, help="craft on so many")
    parser.add_argument("--out", type=Path, default=Path("mine.safetensors"))
    options = parser.parse_args()

    network = uap_core.load_model("resnet64")
    dreams = uap_core.dreams_path("resnet64")  # class impressions of the network; name a folder or zip of your own instead
    craft_set = uap_core.open_image_set(dreams, "craft", 64, 64, limit=options.images)
    held_out = uap_core.open_image_set(dreams, "held_out", 64, 64, limit=options.images)

    v = uap_core.craft(network, craft_set, epsilon=10 / 255, method=options.method, budget=options.budget)
    measured = uap_core.evaluate(network, v, held_out)
    print(f"{v.provenance['image_gradients']} image-gradients, {v.provenance['seconds']} s, {v.ball}")
    print(f"fooling rate {measured.universal}")
    print(f"random signs {measured.random_signs}")
    uap_core.save_perturbation(v, options.out)


if __name__ == "__main__":
    main()
