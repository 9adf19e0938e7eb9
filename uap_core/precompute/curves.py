"""Precomputed curves over the number of craft images, from photographs and class impressions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.menu import BATCH, TILES
from uap_core.experiments.networks import LITES
from uap_core.experiments.sample_curve import SampleRow, nested_sizes, sample_curve
from uap_core.experiments.so_far import table_so_far, title_of
from uap_core.identity import identity
from uap_core.io.paths import dreams_path
from uap_core.io.results import Table, mean_rate, read_table, write_table
from uap_core.models.zoo import QUICK_MODEL
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import DEEPFOOL, LINF10

BUDGET = 2000
MOST = 2048
SEEDS = 3


def curve_jobs(materials: Materials, key: str) -> list[Job]:
    """Jobs for our method and the paper's on photographs; for the default network ours on class impressions too."""
    ours = Default(budget=BUDGET, bf16=True)
    if key in LITES:
        ours = replace(ours, tiles=TILES, batch_size=BATCH)
    jobs = [curve_job(materials, key, "real", ours), curve_job(materials, key, "deepfool", replace(DEEPFOOL, budget=BUDGET))]
    return [*jobs, curve_job(materials, key, "dreams", ours, dreams_path(key))] if key == QUICK_MODEL else jobs


def curve_job(materials: Materials, key: str, name: str, method: Crafter, source: Path | None = None) -> Job:
    """The curve of one method, crafted on pictures of ``source`` (real ones when left out)."""
    path = materials.results / f"{key}-curve-{name}.json"

    def sizes() -> list[int]:
        available = min(MOST, len(materials.splits(key, source)[0]))
        return nested_sizes(available, 2 if key == QUICK_MODEL else 4)

    def provenance() -> dict[str, Any]:
        craft, _ = materials.splits(key, source)
        stated = {"crafted_on": craft.name, **identity(method), "ball": str(LINF10), "seeds": SEEDS}
        return provenance_of(materials, [key]) | stated

    def table() -> Table:
        title = title_of([materials.card(key)], len(materials.splits(key)[1]))
        return table_so_far(path, SampleRow, title, provenance(), materials.cards())

    def is_done() -> bool:
        return len(table().rows) == SEEDS * len(sizes())

    def run() -> Iterator[str]:
        network, (craft, _), (_, held_out) = materials.network(key), materials.splits(key, source), materials.splits(key)
        so_far = table()
        there = {(row.seed, row.images) for row in so_far.rows}
        for seed in range(SEEDS):
            missing = [size for size in sizes() if (seed, size) not in there]
            for row in sample_curve(network, method, craft, held_out, LINF10, missing, seed):
                if row.done:
                    so_far.rows.append(replace(row, seconds=round(row.seconds, 1)))
                    write_table(so_far, path)
                    yield f"seed {seed}, {row.images} images: {row.held_out_rate}"

    points = len(nested_sizes(MOST)) if key == QUICK_MODEL else 6
    return Job("curves", path.stem, {key: SEEDS * points * BUDGET}, is_done, run)


def state_on_dream_card(network: str, folder: Path, card: Path) -> None:
    """Write to the card of the class impressions the fooling rates of a pattern crafted on them and of one crafted on as many
    photographs.

    Both figures are means over the seeds of the published curves; nothing happens until both curves are there.
    """
    tables = {name: folder / f"{network}-curve-{name}.json" for name in ("dreams", "real")}
    if not all(path.is_file() for path in (*tables.values(), card)):
        return
    curves = {name: read_table(path, SampleRow) for name, path in tables.items()}
    count = max(row.images for row in curves["dreams"].rows)
    rates = {
        name: [row.held_out_rate for row in table.rows if row.images == count and row.held_out_rate]
        for name, table in curves.items()
    }
    if any(len(found) < SEEDS for found in rates.values()):
        return
    means = {name: round(mean_rate(found), 4) for name, found in rates.items()}
    stated = json.loads(card.read_text(encoding="utf-8"))
    stated["measured"] = {
        "set": curves["real"].provenance["held_out"],
        "images": count,
        "crafted_on_dreams": means["dreams"],
        "crafted_on_photographs": means["real"],
        "share": round(means["dreams"] / means["real"], 3),
        "seeds": SEEDS,
    }
    card.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
