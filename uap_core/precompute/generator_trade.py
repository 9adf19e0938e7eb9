"""What the share alone and the weight of fooling do: short trainings, one after the other, about the settings that ship."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from uap_core.experiments.generator_draws import Sight, draws, middles
from uap_core.experiments.generator_rows import TradeRow
from uap_core.identity import identity
from uap_core.io.results import Table, read_table, write_table
from uap_core.perturbations.generators import PatternGenerator, load_generator
from uap_core.precompute.generator_sights import CHOSEN, CHOSEN_ON, sight_of, told_of
from uap_core.precompute.generators import GeneratorRecipe, is_made, trained
from uap_core.precompute.materials import Job, Materials

# The share of the run alone, and the weight of fooling after it.
TRADES = ((0.3, 0.0), (0.3, 0.5), (0.3, 2.0), (0.3, 8.0), (0.0, 2.0), (0.6, 2.0))
BUDGET = 9600  # image-gradients each


def trade_job(materials: Materials, recipe: GeneratorRecipe) -> Job:
    """The table of trade-offs about ``recipe``, measured where settings are chosen."""
    path = materials.results / f"{recipe.network}-generators-trade.json"
    stated = {"method": identity(replace(recipe.method, budget=BUDGET)), "seed": 0, "tried": [list(pair) for pair in TRADES]}

    def is_done() -> bool:
        return path.is_file() and stated.items() <= read_table(path, TradeRow).provenance.items()

    def run() -> Iterator[str]:
        rows, sight = [], sight_of(materials, recipe.network, CHOSEN, first=0)
        for alone, weight in TRADES:
            method = replace(recipe.method, budget=BUDGET, alone=alone, weight=weight)
            other = replace(recipe, file=f"{recipe.file}-{alone:g}-{weight:g}", method=method)
            kept = materials.work / f"{other.file}.safetensors"
            if not is_made(other, kept):
                yield from (f"{other.file} {progress.share:4.0%}" for progress in trained(materials, other, kept))
            rows.append(trade_row(alone, weight, load_generator(kept), sight))
            yield str(rows[-1])
        told = told_of(materials, [recipe.network], CHOSEN, CHOSEN_ON) | stated
        write_table(Table("Fooling against difference", rows, told), path)

    return Job("generators", path.stem, {recipe.network: BUDGET * len(TRADES)}, is_done, run)


def trade_row(alone: float, weight: float, made: PatternGenerator, sight: Sight) -> TradeRow:
    """Measure two draws for each label, and the middles of all walks."""
    row = draws("", made, sight, 0, count=2 * len(made.labels))
    least = min((beside.fooled for beside in middles(made, sight)), key=lambda rate: rate.value)
    return TradeRow(alone, weight, row.mean, row.lowest, row.highest, row.cosine, row.agreement, row.between, least)
