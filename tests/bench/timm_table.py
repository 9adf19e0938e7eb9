"""Write uap_core/models/timm.json anew from the timm that is installed: python tests/bench/timm_table.py [RESULTS.csv].

RESULTS.csv is results/results-imagenet.csv of huggingface/pytorch-image-models, with columns model, img_size and top1; without
it the accuracies of the table as it is are kept. Three minutes: every architecture is built once, without weights, to be sized.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import torch

from uap_core.models.libraries import import_timm
from uap_core.models.timm_table import TABLE

COLUMNS = ("name", "owner", "input", "resize", "squash", "interpolation", "statistics", "licence", "megabytes", "top1")
timm = import_timm()


def registry() -> dict[str, Any]:
    """What timm says of every trained network, by its name."""
    from timm.models import get_pretrained_cfg

    return {name: get_pretrained_cfg(name) for name in timm.list_pretrained()}


def is_offered(cfg: Any) -> bool:
    """Whether a network tells ImageNet's 1000 classes and has a repository on the Hub."""
    return cfg.num_classes == 1000 and bool(cfg.hf_hub_id)


def described(cfg: Any, statistics: list[list[list[float]]]) -> dict[str, Any]:
    """A row but for its name, its megabytes and its accuracy; ``statistics`` gains the means and deviations not met before."""
    size, pair = cfg.input_size[1], [list(cfg.mean), list(cfg.std)]
    if pair not in statistics:
        statistics.append(pair)
    licence = cfg.license if cfg.license not in (None, "unknown") else ""
    return {
        "owner": cfg.hf_hub_id.partition("/")[0],
        "input": size,
        "resize": math.floor(size / cfg.crop_pct),
        "squash": int(cfg.crop_mode == "squash"),
        "interpolation": cfg.interpolation,
        "statistics": statistics.index(pair),
        "licence": licence,
    }


def megabytes(architecture: str) -> float:
    """Size of an architecture's tensors, 32 bits each, in megabytes."""
    with torch.device("meta"):
        tensors = timm.create_model(architecture, pretrained=False, num_classes=1000).state_dict().values()
    return round(sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6, 1)


def main(results: Path | None) -> None:
    """Write the table."""
    if results is None:
        old = json.loads(TABLE.read_text(encoding="utf-8"))
        published = {(row[0], row[COLUMNS.index("input")]): row[-1] for row in old["rows"]}
    else:
        with results.open(encoding="utf-8") as stream:
            published = {(row["model"], int(row["img_size"])): float(row["top1"]) for row in csv.DictReader(stream)}
    statistics: list[list[list[float]]] = []
    sizes: dict[str, float] = {}
    rows, others = [], {}
    for name, cfg in registry().items():
        if not is_offered(cfg):
            others[name] = cfg.num_classes
            continue
        architecture = name.partition(".")[0]
        sizes[architecture] = sizes.get(architecture) or megabytes(architecture)
        row = {"name": name, **described(cfg, statistics), "megabytes": sizes[architecture]}
        rows.append([{**row, "top1": published.get((name, row["input"]))}[column] for column in COLUMNS])
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps({"timm": timm.__version__, "columns": COLUMNS, "statistics": statistics, "others": others})
    TABLE.write_text(f'{head[:-1]}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
