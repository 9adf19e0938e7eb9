"""The published patterns and the real networks beside their papers: `python tests/bench/published.py [--shared FOLDER]`.

Fooling rates of the six patterns of Moosavi-Dezfooli et al. on BVLC GoogLeNet, and the accuracy of each network, over the 300
`eval` images, whose 95 % interval is about 5 points to either side.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from torch import Tensor

from uap_core.datasets.image_sets import ImageSet, open_held_out
from uap_core.metrics import Rate, accuracy, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo
from uap_core.perturbations.perturbation import load_perturbation

# File: the paper's Table 2, column GoogLeNet (CVPR 2017), and what 1000 ImageNet images gave with these very files.
TABLE_2 = {
    "GoogLeNet": (0.789, 0.754),
    "VGG-16": (0.565, 0.551),
    "VGG-19": (0.536, 0.521),
    "ResNet-152": (0.505, 0.491),
    "CaffeNet": (0.477, 0.463),
    "VGG-F": (0.484, 0.472),
}
NETWORKS = ("googlenet_bvlc", "mobilenet_v1_075", "mobilenet_v2_tf", "squeezenet1_1_caffe")


def fooled_by(name: str, classifier: Classifier, images: ImageSet, clean: Tensor, folder: Path) -> Rate:
    """Fooling rate of one of the paper's patterns; ``clean`` (N) is what the network says of the images as they are."""
    v = load_perturbation(folder / f"{name}.mat")
    return fooling_rate(clean, predict(classifier, map(v.apply, images.batches())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    images = open_held_out(options.shared / "data" / "imagenet-sample-800.zip", 256, 224)
    zoo = Zoo([ROOT / "tests" / "cards"])
    googlenet = zoo.load("googlenet_bvlc")
    clean = predict(googlenet, images.batches())
    print(f"{'pattern':12} {'here, 300 images':>50} {'1000 images':>12} {'paper':>7}")
    for name, (paper, before) in TABLE_2.items():
        found = fooled_by(name, googlenet, images, clean, options.shared / "perturbations")
        print(f"{name:12} {found!s:>50} {before:12.1%} {paper:7.1%}", flush=True)
    print(f"\n{'network':24} {'top-1 here, 300 images':>50} {'card':>7}")
    for key in NETWORKS:
        classifier = zoo.load(key)
        truth = images.truth(classifier.class_ids)
        assert truth is not None
        rate = accuracy(predict(classifier, images.batches()), truth)
        print(f"{classifier.card.name:24} {rate!s:>50} {classifier.card.top1:7.1%}", flush=True)


if __name__ == "__main__":
    main()
