"""Precomputed tables of defences and of the detector: two files per network; the first continues row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.datasets.image_sets import ImageSet
from uap_core.defences.names import defence_name
from uap_core.defences.transforms import DEFENCES
from uap_core.experiments.defences import UNDEFENDED, Crafting, DefenceRow, defence_rows
from uap_core.experiments.detector import DetectorRow, detector_rows
from uap_core.experiments.networks import VIEWED
from uap_core.experiments.so_far import Parts, is_whole
from uap_core.identity import identities, identity
from uap_core.io.paths import dreams_path
from uap_core.io.results import Table, write_table
from uap_core.models.robust_variants import TWINS, trained_twins, twin_key
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of

METHOD = Default(budget=1000)
AWARE_METHOD = Unnoticed(budget=2000)  # two gradients an image: as many steps
CRAFTED_ON, MEASURED_ON = 200, 300


def defence_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """For each network that is among ``networks`` its defences, then its detector."""
    keys = [key for key in VIEWED if key in networks]
    return [job for key in keys for job in (_defences_job(materials, key), _detector_job(materials, key))]


def _sets(materials: Materials, key: str) -> tuple[ImageSet, ImageSet]:
    """The craft set (class impressions for the quick network, as on the page, else photographs) and held-out photographs."""
    craft = materials.splits(key, dreams_path(key) if key == QUICK_MODEL else None)[0]
    drawn = [some.shuffled(torch.Generator().manual_seed(0)) for some in (craft, materials.held_out(key))]
    return drawn[0].prefix(CRAFTED_ON), drawn[1].prefix(MEASURED_ON)


def _pattern_file(materials: Materials, key: str) -> Path:
    return materials.perturbations / f"{key}-linf10.safetensors"


def _pattern(materials: Materials, key: str) -> Perturbation:
    return load_perturbation(_pattern_file(materials, key))


def _provenance(materials: Materials, key: str) -> dict[str, Any]:
    _, measured_on = _sets(materials, key)
    pattern = {"pattern_file": f"{key}-linf10.safetensors", "pattern": _pattern(materials, key).provenance}
    held_out = {"held_out": f"{len(measured_on)} images of {measured_on.name}"}
    return provenance_of(materials, [key]) | held_out | pattern | {"seed": 0}


def _title(materials: Materials, key: str, what: str) -> str:
    _, measured_on = _sets(materials, key)
    return f"{what}, {materials.card(key).name}: {len(measured_on)} held-out photographs"


def _defences_job(materials: Materials, key: str) -> Job:
    path = materials.results / f"{key}-defences.json"

    def parts() -> Parts:
        """A variant that was retrained is measured again, alone."""
        fronts = {UNDEFENDED: {"method": UNDEFENDED, "settings": {}}} | identities({front.id: front for front in DEFENCES})
        twins = {twin: {"weights_sha256": found.weights_hash} for twin, found in trained_twins(materials.zoo, key).items()}
        return Parts(path, DefenceRow, "defences", fronts | twins, lambda row: row.defence)

    def table() -> Table:
        craft, _ = _sets(materials, key)
        stated = {"crafted_on": f"{len(craft)} images of {craft.name}", **identity(METHOD)}
        return parts().table(_title(materials, key, "Defences"), _provenance(materials, key) | stated, materials.cards())

    def is_done() -> bool:
        there = _pattern_file(materials, key).is_file()
        return there and {row.defence for row in table().rows} == set(parts().identities)

    def run() -> Iterator[str]:
        network, (craft, measured_on), so_far, now = materials.network(key), _sets(materials, key), table(), parts()
        known, twins = {row.defence for row in so_far.rows}, trained_twins(materials.zoo, key)
        for row in defence_rows(network, DEFENCES, _pattern(materials, key), craft, measured_on, METHOD, 0, twins, known):
            if isinstance(row, Crafting):
                continue
            now.add(so_far, row)
            yield f"{defence_name(row.defence)}: fixed pattern {row.fixed.value:.1%}, crafted anew {row.crafted_anew}"

    twins = sum(twin_key(key, twin) in materials.cards() for twin in TWINS)
    cost = {key: METHOD.budget * (1 + len(DEFENCES) + twins)}
    return Job("defences", path.stem, cost, is_done, run)


def _detector_job(materials: Materials, key: str) -> Job:
    path = materials.results / f"{key}-detector.json"

    def provenance() -> dict[str, Any]:
        craft, _ = _sets(materials, key)
        crafted = {"crafted_on": f"{len(craft)} images of {craft.name}", **identity(AWARE_METHOD)}
        return _provenance(materials, key) | crafted

    def run() -> Iterator[str]:
        network, (craft, measured_on), found = materials.network(key), _sets(materials, key), list[DetectorRow]()
        pattern, generator = _pattern(materials, key), torch.Generator().manual_seed(0)
        for rows in detector_rows(network, pattern, craft, measured_on, AWARE_METHOD, generator):
            if not isinstance(rows, Crafting):
                found += rows
                first = rows[0]
                yield f"{first.attack}: AUC {first.auc} ({first.auc_low} to {first.auc_high}), fools {first.fooled}"
        title = _title(materials, key, "Entropy of a deep layer")
        write_table(Table(title, found, provenance() | versions()), path)

    cost = {key: AWARE_METHOD.budget + 10 * MEASURED_ON}

    def is_done() -> bool:
        there = _pattern_file(materials, key).is_file()
        return there and is_whole(path, DetectorRow, provenance(), materials.cards())

    return Job("defences", path.stem, cost, is_done, run)
