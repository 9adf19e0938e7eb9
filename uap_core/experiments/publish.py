"""The precomputed results of a network: what the page shows as precomputed, and the figures that README quotes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from uap_core.crafting.default import Default
from uap_core.datasets import ImageSet
from uap_core.experiments.sample_curve import SampleRow, nested_sizes, sample_curve
from uap_core.experiments.sweep import epsilon_sweep
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbation import load_perturbation, versions
from uap_core.tables import Table, mean_rate, read_table, write_table

BUDGET = 3200
MOST = 2048
SEEDS = 3
BALL = Ball("linf", 10 / 255)


def publish_sweep(classifier: Classifier, pattern_file: Path, held_out: ImageSet, folder: Path) -> None:
    """Write <network>-sweep.json: the epsilon sweep of ``pattern_file`` on the held-out real images."""
    pattern = load_perturbation(pattern_file)
    rows = list(epsilon_sweep(classifier, pattern, held_out, torch.Generator().manual_seed(0)))
    details = {"pattern_file": pattern_file.name, "pattern": pattern.provenance, "seed": 0}
    table = Table(_title(classifier, held_out), rows, _provenance(classifier, held_out) | details)
    write_table(table, folder / f"{classifier.card.key}-sweep.json")


def publish_curve(classifier: Classifier, name: str, craft: ImageSet, held_out: ImageSet, folder: Path) -> Iterator[SampleRow]:
    """Write <network>-curve-<name>.json: patterns crafted on prefixes of ``craft``, all measured on the real ``held_out``.

    Yields each finished row.
    """
    method = Default(budget=BUDGET)
    rows: list[SampleRow] = []
    for seed in range(SEEDS):
        sizes = nested_sizes(min(MOST, len(craft)))
        for row in sample_curve(classifier, method, craft, held_out, BALL, sizes, seed):
            if row.done:
                rows.append(replace(row, seconds=round(row.seconds, 1)))
                yield rows[-1]
    details = {"crafted_on": craft.name, "method": repr(method), "ball": str(BALL), "seeds": SEEDS}
    table = Table(_title(classifier, held_out), rows, _provenance(classifier, held_out) | details)
    write_table(table, folder / f"{classifier.card.key}-curve-{name}.json")


def state_on_dream_card(network: str, folder: Path, card: Path) -> None:
    """Write on the dreams' card what a pattern crafted on all of them does to real images, beside one from as many real ones.

    Both figures are means over the seeds of the published curves; nothing happens until both curves are there.
    """
    tables = {name: folder / f"{network}-curve-{name}.json" for name in ("dreams", "real")}
    if not all(path.is_file() for path in (*tables.values(), card)):
        return
    curves = {name: read_table(path, SampleRow) for name, path in tables.items()}
    count = max(row.images for row in curves["dreams"].rows)
    rates = {
        name: round(mean_rate(row.held_out_rate for row in table.rows if row.images == count), 4)
        for name, table in curves.items()
    }
    stated = json.loads(card.read_text(encoding="utf-8"))
    stated["measured"] = {
        "set": curves["real"].provenance["held_out"],
        "images": count,
        "crafted_on_dreams": rates["dreams"],
        "crafted_on_photographs": rates["real"],
        "share": round(rates["dreams"] / rates["real"], 3),
        "seeds": SEEDS,
    }
    card.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")


def _title(classifier: Classifier, held_out: ImageSet) -> str:
    return f"{classifier.card.name}: {len(held_out)} validation images"


def _provenance(classifier: Classifier, held_out: ImageSet) -> dict[str, Any]:
    return {
        "network": classifier.card.key,
        "weights_sha256": classifier.weights_hash,
        "held_out": f"{len(held_out)} images of {held_out.name}",
        **versions(),
    }
