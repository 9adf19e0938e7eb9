"""The precomputed results of a network: what the page shows as precomputed, and the figures that README quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from uap_core.crafting.cosine import Cosine
from uap_core.crafting.loop import Descent
from uap_core.datasets import ImageSet
from uap_core.experiments.sample_curve import SampleRow, nested_sizes, sample_curve
from uap_core.experiments.sweep import epsilon_sweep
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbation import load_perturbation, versions
from uap_core.tables import Table, write_table

STEPS = 400
MOST = 2048
SEEDS = 3
BALL = Ball("linf", 10 / 255)


def publish(
    classifier: Classifier, pattern_file: Path, real: tuple[ImageSet, ImageSet], dreams: ImageSet, folder: Path
) -> Iterator[str]:
    """Write the epsilon sweep of ``pattern_file`` and the two sample curves, all measured on the held-out real images.

    ``real`` is (craft, held-out); ``dreams`` the dreamt craft images. Yields a line for each finished piece.
    """
    craft, held_out = real
    key = classifier.card.key
    common: dict[str, Any] = {
        "network": key,
        "weights_sha256": classifier.weights_hash,
        "held_out": f"{len(held_out)} {held_out.name} images",
        **versions(),
    }
    pattern = load_perturbation(pattern_file)
    rows = list(epsilon_sweep(classifier, pattern, held_out, torch.Generator().manual_seed(0)))
    title = f"{classifier.card.name}: {len(held_out)} validation images"
    write_table(
        Table(title, rows, common | {"pattern_file": pattern_file.name, "pattern": pattern.provenance, "seed": 0}),
        folder / f"{key}-sweep.json",
    )
    yield f"sweep: {len(rows)} rows"
    for name, images in (("real", craft), ("dreams", dreams)):
        method = Cosine(Descent(steps=STEPS))
        curve: list[SampleRow] = []
        for seed in range(SEEDS):
            sizes = nested_sizes(min(MOST, len(images)))
            for row in sample_curve(classifier, method, images, held_out, BALL, sizes, seed, STEPS):
                if row.done:
                    curve.append(replace(row, seconds=round(row.seconds, 1)))
                    yield f"{name}, seed {seed}: {row.images} images, {row.held_out_rate}"
        details = common | {"crafted_on": images.name, "method": repr(method), "ball": str(BALL), "seeds": SEEDS}
        write_table(Table(title, curve, details), folder / f"{key}-curve-{name}.json")
