"""Print the tables of docs/results.md (ImageNet networks, ablations, geometry): `python tests/bench/tables.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from uap_core.experiments.ablations import AblationRow, mean_rates, variant_name
from uap_core.experiments.directions import NAMES as DIRECTION_NAMES
from uap_core.experiments.directions import DirectionRow
from uap_core.experiments.networks import IMAGENET
from uap_core.experiments.normals import FULL, SingularRow, SubspaceRow, steepness
from uap_core.experiments.normals import NAMES as NORMALS_NAMES
from uap_core.experiments.origins import MatrixRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.io.paths import RESULTS
from uap_core.io.results import mean_rate, read_table
from uap_core.models.names import network_names
from uap_core.models.zoo import PAGE_MODEL, QUICK_MODEL, Zoo
from uap_core.perturbations.library import library
from uap_core.precompute.recipes import L2_2000

ENTRIES = {entry.path.stem: entry for entry in library()}
NAMES = network_names(Zoo().cards())


def stated(file: str, network: str, name: str = "fooling_rate") -> float:
    """What the file of a pattern says that it does to ``network``."""
    rates = ENTRIES[file].provenance["held_out"]
    return float(rates.get(network, rates)[name])


def from_images(network: str, images: int) -> float:
    """The sample curve of ``default`` at so many images, mean over its seeds."""
    rows = read_table(RESULTS / f"{network}-curve-real.json", SampleRow).rows
    return mean_rate([row.held_out_rate for row in rows if row.images == images])


def never_seen(network: str) -> float:
    """What the pattern of the other three does to ``network``."""
    key = ENTRIES[f"all-but-{network}-linf10"].key
    rows = read_table(RESULTS / "imagenet-matrix.json", MatrixRow).rows
    return next(row.fooling_rate.value for row in rows if (row.perturbation, row.network) == (key, network))


def of_geometry(network: str) -> dict[str, float]:
    """At l2 2000/255: directions, and random vectors of the span of 100 singular vectors and of the full space."""
    rows = read_table(RESULTS / f"{network}-directions.json", DirectionRow).rows
    found = {DIRECTION_NAMES[row.direction]: row.fooling_rate.value for row in rows if row.norm == L2_2000.radius}
    for row in read_table(RESULTS / f"{network}-subspace.json", SubspaceRow).rows:
        if row.norm == L2_2000.radius and row.space == FULL:
            found["random, full space"] = row.fooling_rate.value
        elif row.norm == L2_2000.radius and row.dimension == 100:
            found["random, span of 100 singular vectors"] = row.fooling_rate.value
    return found


LINES: dict[str, Callable[[str], float]] = {
    "random signs": lambda network: stated(f"{network}-linf10", network, "random_signs"),
    "`default`, 2 000 image-gradients": lambda network: from_images(network, 500),
    "the same, from 64 images": lambda network: from_images(network, 64),
    "`default`, 10 000 image-gradients": lambda network: stated(f"{network}-linf10", network),
    "`default`, l2 2000/255, 5 000 image-gradients": lambda network: stated(f"{network}-l2", network),
    "`deepfool`, the paper's method in batches, 5 000": lambda network: stated(f"{network}-linf10-deepfool", network),
    "one pattern for all four, 3 000 on each": lambda network: stated("all-linf10", network),
    "`transfer` on the other three, 5 000 on each": never_seen,
}


def print_table(heads: list[str], lines: dict[str, list[float | None]]) -> None:
    """In Markdown, shares as per cent."""
    print("| % | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for name, values in lines.items():
        print(f"| {name} | " + " | ".join("" if value is None else f"{100 * value:.1f}" for value in values) + " |")
    print()


def main() -> None:
    shown: dict[str, list[float | None]] = {}
    for name, value_of in LINES.items():
        values = [value_of(network) for network in IMAGENET]
        shown[name] = [*values, sum(values) / len(values)]
    print_table([*(NAMES[network] for network in IMAGENET), "mean"], shown)
    files = {key: RESULTS / f"{key}-ablations.json" for key in (QUICK_MODEL, PAGE_MODEL, *IMAGENET)}
    means = {key: mean_rates(read_table(path, AblationRow).rows) for key, path in files.items() if path.is_file()}
    variants = dict.fromkeys(variant for found in means.values() for variant in found)
    print_table(
        [NAMES[key] for key in means],
        {variant_name(key): [found.get(key) for found in means.values()] for key in variants},
    )
    geometry = {key: of_geometry(key) for key in (QUICK_MODEL, *IMAGENET)}
    print_table(
        [NAMES[key] for key in geometry],
        {name: [found[name] for found in geometry.values()] for name in geometry[QUICK_MODEL]},
    )
    for key in geometry:
        falls = steepness(read_table(RESULTS / f"{key}-normals.json", SingularRow).rows)
        print(
            f"{NAMES[key]}: singular values fall",
            ", ".join(f"by {fall:.2f} ({NORMALS_NAMES[kind]})" for kind, fall in falls.items()),
        )


if __name__ == "__main__":
    main()
