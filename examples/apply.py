"""Apply a universal perturbation to a photograph: `python examples/apply.py [PHOTO] [--out fooled.png]`."""

import argparse
from pathlib import Path

import torch

import uap_core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path, nargs="?", help="any picture; a sample photograph when left out")
    parser.add_argument("--out", type=Path, default=Path("fooled.png"))
    options = parser.parse_args()

    network = uap_core.load_model("resnet64")
    v = uap_core.load_perturbation("resnet64-linf10")
    picture = uap_core.open_image(options.photo) if options.photo else uap_core.sample_photos()[0].open()
    x = uap_core.preprocess(picture, 64, 64)  # (1,3,64,64) in [0,1]
    with torch.no_grad():
        before, after = network(torch.cat([x, uap_core.apply(x, v)])).softmax(dim=1)
    for moment, p in (("before", before), ("after", after)):
        print(f"{moment:7} {network.labels[int(p.argmax())]} ({float(p.max()):.1%})")
    options.out.write_bytes(uap_core.png_bytes(uap_core.apply(x, v)))
    print(f"no value moved by more than {255 * v.norms.linf:.0f} of 255 levels; written to {options.out}")


if __name__ == "__main__":
    main()
