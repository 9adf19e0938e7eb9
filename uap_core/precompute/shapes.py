"""The shapes that ship: templates, classifier, universal change, and the table of what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uap_core.geometric.shapes.bodies import CLASSES, FAMILIES
from uap_core.geometric.shapes.classifier import EIGENVALUES, train_spectral
from uap_core.geometric.shapes.deform import shape_of
from uap_core.geometric.shapes.measured import NEW_BODIES, NEW_POSES, SEEN, shape_rows, shapes_of
from uap_core.geometric.shapes.stored import FILE, Stored, bodies, in_new_poses, mesh_of, save_shapes
from uap_core.geometric.shapes.template import template
from uap_core.geometric.shapes.universal import universal_change
from uap_core.io.results import Table, write_table
from uap_core.perturbations.perturbation import versions

TRAINED, TESTED, SHAPES = 800, 240, 80  # bodies to train and test the classifier on; in each set of the attack
SIZE, WEIGHT = 0.4, 40.0
TABLE = "shapes.json"


def publish_shapes(folder: Path, seed: int) -> Iterator[str]:
    """Make everything of shapes anew in ``folder``, telling of progress. Minutes on one core."""
    templates = {name: template(bones) for name, bones in FAMILIES.items()}
    templates = {name: (points.astype(np.float32).astype(np.float64), faces) for name, (points, faces) in templates.items()}
    given = {count: bodies(count, seed + place) for place, count in enumerate((TRAINED, TESTED))}
    values = {
        count: np.stack([shape_of(*mesh_of(templates, *one), EIGENVALUES).values for one in every])
        for count, every in given.items()
    }
    yield "spectra of the bodies to train and test on"
    net = train_spectral(values[TRAINED], np.arange(TRAINED) % len(CLASSES), seed)
    accuracy = float((net.logits(values[TESTED]).argmax(1) == np.arange(TESTED) % len(CLASSES)).mean())
    yield f"classifier: {accuracy:.1%} of {TESTED} new bodies in new poses"
    crafted = bodies(SHAPES, seed + 2)
    sets = {
        SEEN: shapes_of(templates, crafted),
        NEW_POSES: shapes_of(templates, in_new_poses(crafted, seed + 3)),
        NEW_BODIES: shapes_of(templates, bodies(SHAPES, seed + 4)),
    }
    rho = universal_change(net, sets[SEEN], SIZE, WEIGHT)
    save_shapes(folder / FILE, Stored(templates, net, rho))
    rows = []
    for row in shape_rows(net, sets, rho, seed):
        rows.append(row)
        yield f"{row.on}, {row.change} x {row.scale:g}: {row.fooled}, displaced {row.displacement:.3f}, missed {row.missed:.3f}"
    provenance = {
        "seed": seed,
        "classes": list(CLASSES),
        "accuracy": accuracy,
        "tested": TESTED,
        "trained": TRAINED,
        "eigenvalues": EIGENVALUES,
        "size": SIZE,
        "weight": WEIGHT,
        "rho": [round(float(value), 4) for value in rho],
    }
    write_table(Table("One change of the spectrum for all shapes", rows, provenance | versions()), folder / TABLE)
