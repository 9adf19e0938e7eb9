"""Reproduce a column of the paper's Table 2: the six published perturbations on GoogLeNet, which one of them was made for.

(Moosavi-Dezfooli, Fawzi, Fawzi & Frossard, "Universal adversarial perturbations", CVPR 2017.) `python examples/table2.py DATA`
needs a folder with the authors' patterns (perturbations/*.mat, https://github.com/LTS4/universal), BVLC GoogLeNet as an
exported program (models/googlenet_bvlc.pt2) and a zip or folder of ImageNet pictures.
"""

import argparse
from pathlib import Path

import uap_core
from uap_core.metrics import fooling_rate, predict

# Rows of Table 2 and what they say of GoogLeNet.
PAPER = {"GoogLeNet": 0.789, "VGG-16": 0.565, "VGG-19": 0.536, "ResNet-152": 0.505, "CaffeNet": 0.477, "VGG-F": 0.484}
CARDS = Path(__file__).resolve().parent.parent / "tests" / "cards"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder described above")
    parser.add_argument("--cards", type=Path, default=CARDS, help="folder of googlenet_bvlc.json, which names the file")
    parser.add_argument("--images", type=Path, help="ImageNet pictures; DATA/data/imagenet-sample-800.zip when left out")
    parser.add_argument("--limit", type=int, default=300, help="measure on so many")
    options = parser.parse_args()

    network = uap_core.Zoo([options.cards]).load("googlenet_bvlc")
    source = options.images or options.data / "data" / "imagenet-sample-800.zip"
    images = uap_core.open_image_set(source, "held_out", network.card.resize_size, 224, limit=options.limit)
    clean = predict(network, images.batches())
    print(f"{'made for':12} {'paper':>6}  here, {len(images)} images of {images.name}")
    for name, paper in PAPER.items():
        v = uap_core.load_perturbation(options.data / "perturbations" / f"{name}.mat")
        rate = fooling_rate(clean, predict(network, map(v.apply, images.batches())))
        print(f"{name:12} {paper:6.1%}  {rate}", flush=True)


if __name__ == "__main__":
    main()
