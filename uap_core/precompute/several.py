"""Precomputed tables of patterns for some classes alone, and of several patterns together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from uap_core.crafting.class_alone import KEEP_WITH_TARGET, ClassAlone
from uap_core.crafting.default import Default
from uap_core.crafting.menu import TILES
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.class_alone import FOR_ALL, SidesRow, class_alone, classes_of
from uap_core.experiments.networks import LITES
from uap_core.experiments.several import SeveralRow, several
from uap_core.experiments.so_far import Parts, table_so_far, title_of
from uap_core.identity import identity
from uap_core.io.results import Table, write_table
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import LINF, Ball
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import LINF10

# Groups and single classes to fool alone, with the label to reach where there is one.
ALONE = (
    *(("cats", ""), ("dogs", ""), ("insects", ""), ("primates", ""), ("lion", "")),
    *(("lion", "tabby"), ("school bus", "moving van")),
)
OTHERS = 1000  # photographs of other classes to craft on
BUDGET, COUNT, CRAFTED_ON = 2000, 5, 500
METHOD = ClassAlone(classes=(0,), budget=BUDGET, bf16=True)  # the classes are those of each group
# What the set of several is compared at, and on the quick network a strength at which patterns are plainly visible.
EPSILONS = {QUICK_MODEL: (6.0, 10.0, 16.0, 8.0, 4.0), LITES[0]: (6.0, 10.0, 8.0, 4.0)}


def several_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """Some classes alone on the embedded network; several patterns there and on one of ImageNet."""
    jobs = [alone_job(materials)] if QUICK_MODEL in networks else []
    return jobs + [several_job(materials, key) for key in EPSILONS if key in networks]


def alone_job(materials: Materials) -> Job:
    """Each group beside the pattern for all and random signs: a part of the table each."""
    key = QUICK_MODEL
    path, ready_made = materials.results / f"{key}-alone.json", f"{key}-linf10"

    parts = Parts(path, SidesRow, "patterns", _identities(), lambda row: _part(row.group, row.target))

    def table() -> Table:
        craft, held_out = materials.splits(key)
        crafted_on = f"those of the classes and {OTHERS} others of {craft.name}"
        stated: dict[str, Any] = {"crafted_on": crafted_on, "ball": str(LINF10), "seed": 0, "beside": ready_made}
        title = title_of([materials.card(key)], len(held_out))
        return parts.table(title, provenance_of(materials, [key]) | stated, materials.cards())

    def missing() -> list[tuple[str, str]]:
        there = {(row.group, row.target) for row in table().rows}
        return [asked for asked in ALONE if asked not in there]

    def run() -> Iterator[str]:
        network, (craft, held_out), so_far = materials.network(key), materials.splits(key), table()
        beside = {FOR_ALL: load_perturbation(materials.perturbations / f"{ready_made}.safetensors").pattern}
        for group, target in missing():
            method = replace(_method(target), classes=classes_of(network, (group,)))
            images = of_classes_and_others(craft, network, method.classes)
            found = list(class_alone(network, method, images, held_out, LINF10, beside, group, target))
            rows = [row for row in found if isinstance(row, SidesRow)]
            parts.add(so_far, *rows)
            yield f"{_part(group, target)}: inside {rows[-1].inside}, outside {rows[-1].outside}"

    return Job("alone", path.stem, {key: len(ALONE) * BUDGET}, lambda: not missing(), run)


def of_classes_and_others(craft: ImageSet, network: Classifier, classes: Sequence[int], others: int = OTHERS) -> ImageSet:
    """The photographs whose folders are of ``classes``, and the first ``others`` of all the rest, shuffled under seed 0."""
    ordered = craft.shuffled(torch.Generator().manual_seed(0))
    folders = {network.class_ids[number] for number in classes}
    mine = [i for i, name in enumerate(ordered.classes) if name in folders]
    rest = [i for i, name in enumerate(ordered.classes) if name not in folders]
    return ordered.subset(torch.tensor([*mine, *rest[:others]]))


def several_job(materials: Materials, key: str) -> Job:
    """The curve over k of one network, a part for each epsilon."""
    path = materials.results / f"{key}-several.json"
    method = Default(budget=BUDGET, bf16=True, tiles=TILES if key in LITES else 1)

    def provenance() -> dict[str, Any]:
        craft, _ = materials.splits(key)
        stated = {"crafted_on": f"{min(CRAFTED_ON, len(craft))} images of {craft.name}", **identity(method), "seed": 0}
        return provenance_of(materials, [key]) | stated

    def table() -> Table:
        title = title_of([materials.card(key)], len(materials.splits(key)[1]))
        return table_so_far(path, SeveralRow, title, provenance(), materials.cards())

    def missing() -> list[float]:
        rows = table().rows
        return [e for e in EPSILONS[key] if sum(row.epsilon == e for row in rows) < COUNT]

    def run() -> Iterator[str]:
        network, (craft, held_out), so_far = materials.network(key), materials.splits(key), table()
        part = craft.shuffled(torch.Generator().manual_seed(0)).prefix(CRAFTED_ON)
        for epsilon in missing():
            rows = []
            for row in several(network, method, part, held_out, [Ball(LINF, epsilon / 255)], COUNT):
                rows.append(row)
                yield f"{epsilon:g}/255, {row.patterns} patterns: any {row.any_of}"
            so_far.rows.extend(rows)
            so_far.rows.sort(key=lambda row: (row.epsilon, row.patterns))
            write_table(so_far, path)

    return Job("several", path.stem, {key: len(EPSILONS[key]) * COUNT * BUDGET}, lambda: not missing(), run)


def _identities() -> dict[str, dict[str, Any]]:
    """By what each part of the table is computed: its group in place of the method's classes."""
    found = {}
    for group, target in ALONE:
        said = identity(_method(target))
        said["settings"] = {name: value for name, value in said["settings"].items() if name != "classes"}
        found[_part(group, target)] = said | {"group": group, "target": target}
    return found


def _method(target: str) -> ClassAlone:
    return replace(METHOD, keep=KEEP_WITH_TARGET) if target else METHOD


def _part(group: str, target: str) -> str:
    return f"{group} to {target}" if target else group
