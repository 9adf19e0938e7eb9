"""The clouds that ship: a trained PointNet, universal changes, and the tables of what changes do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from uap_core.geometric.clouds.measured import RANDOM_CHANGES, SingleRow, UniversalRow, single_rows, universal_row
from uap_core.geometric.clouds.pointnet import load_pointnet, save_pointnet, train_pointnet
from uap_core.geometric.clouds.solids import CLASSES, POINTS, clouds
from uap_core.geometric.clouds.stored import CHANGES_FILE, NET_FILE
from uap_core.geometric.clouds.universal import ADDED, FIELD, universal_change
from uap_core.io.results import Table, write_table
from uap_core.perturbations.perturbation import versions

CRAFTED, HELD_OUT, SINGLE, ADDED_POINTS = 500, 500, 60, 24
SIZES = {FIELD: (0.04, 0.08, 0.12, 0.16, 0.2), ADDED: (2.0, 4.0, 8.0, 12.0)}
UNIVERSAL_TABLE, SINGLE_TABLE = "cloud-universal.json", "cloud-single.json"


def publish_clouds(folder: Path, seed: int) -> Iterator[str]:
    """Make everything of clouds in ``folder``, telling of progress. Minutes on one core.

    A network and changes of the same seed that are there are kept: a stopped run goes on.
    """
    from safetensors.torch import load_file, save

    from uap_core.io.atomic import write_whole

    path = folder / CHANGES_FILE
    if not _is_of(seed, folder / NET_FILE):
        path.unlink(missing_ok=True)  # they are of the other network
        save_pointnet(train_pointnet(seed), folder / NET_FILE, seed)
    net = load_pointnet(folder / NET_FILE)
    first = 10 * seed  # no two seeds share clouds
    test, kinds = clouds(2000, first + 1)
    with torch.no_grad():
        accuracy = float((net(test).argmax(1) == kinds).float().mean())
    yield f"PointNet: {accuracy:.1%} of 2000 new clouds"
    crafted, held_out = clouds(CRAFTED, first + 2)[0], clouds(HELD_OUT, first + 3)[0]
    provenance = {"seed": seed, "classes": list(CLASSES), "points": POINTS, "accuracy": accuracy, "tested": 2000}
    changes: dict[str, Tensor] = load_file(path) if _is_of(seed, path) else {}
    rows: list[UniversalRow] = []
    for kind, sizes in SIZES.items():
        for size in sizes:
            name = f"{kind} {size:g}"
            if name not in changes:
                changes[name] = universal_change(net, crafted, kind, size, seed)
                write_whole(path, save(changes, metadata={"seed": str(seed)}))
            rows.append(universal_row(net, held_out, kind, changes[name], size, seed))
            yield f"{kind} {size:g}: {rows[-1].fooled}; random {rows[-1].random}; cleaned {rows[-1].cleaned}"
    said = provenance | {"crafted_on": CRAFTED, "random_changes": RANDOM_CHANGES} | versions()
    write_table(Table("One change for all clouds", rows, said), folder / UNIVERSAL_TABLE)
    singles: list[SingleRow] = []
    for single in single_rows(net, held_out[:SINGLE], ADDED_POINTS, seed):
        singles.append(single)
        yield f"{single.kind}, {single.measure}: {single.fooled}, distance {single.distance:.4f}; cleaned {single.cleaned}"
    write_table(Table("Changes made for each cloud", singles, provenance | versions()), folder / SINGLE_TABLE)


def _is_of(seed: int, path: Path) -> bool:
    """Whether the file is there, and was made with this ``seed``; what ships says none and has seed 0."""
    from safetensors import safe_open

    if not path.is_file():
        return False
    with safe_open(path, "pt") as file:
        return (file.metadata() or {}).get("seed", "0") == str(seed)
