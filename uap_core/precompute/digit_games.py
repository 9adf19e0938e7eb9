"""What the room of two networks shows of digits: a generator of digits, and attacks with and without a judge."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor

from uap_core.datasets.digits import draw
from uap_core.experiments.digit_attack import attack_rows
from uap_core.experiments.digit_attack_rows import AttackRow
from uap_core.images.eight_bits import to_bytes
from uap_core.io.atomic import write_whole
from uap_core.io.paths import GENERATORS
from uap_core.io.results import Table, write_table
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.materials import Job, Materials
from uap_core.training.digit_attack import AttackRecipe
from uap_core.training.digit_game import SHAPE, DigitMaker, GameRecipe, play

LEARN, HELD_OUT, SHOWN, GUESSED = 4000, 1000, 10, 60
GAME, ATTACK = GameRecipe(steps=2000), AttackRecipe(steps=800)


def digit_jobs(materials: Materials) -> list[Job]:
    """The generator of digits, drawn digits to guess among, and the table of attacks."""
    made, rows = GENERATORS / "digits.safetensors", materials.results / "digits-attack.json"
    return [
        Job("games", "digits", {}, made.is_file, partial(make_digits, materials)),
        Job("games", "digits-attack", {}, rows.is_file, partial(make_attack, materials)),
    ]


def make_digits(materials: Materials) -> Iterator[str]:
    """Play the game of digits to its end and write the generator."""
    digits, _labels = draw(LEARN, 0)
    materials.work.mkdir(parents=True, exist_ok=True)
    ends = []
    for row, maker in play(digits, GAME, materials.work / "digits.state"):
        ends = [(row, maker)]
        yield f"step {row.step}: D says {row.real:.2f} to drawn, {row.made:.2f} to made digits"
    ((last, maker),) = ends
    stated: dict[str, object] = {
        "digits": f"{LEARN} drawn digits, seed 0",
        "settings": asdict(GAME),
        "end": asdict(last),
        **versions(),
    }
    write_maker(maker, stated)
    sheet, _labels = draw(GUESSED, 2)
    write_whole(materials.results / "digits-drawn.png", _sheet([sheet]))


def write_maker(maker: DigitMaker, provenance: dict[str, object]) -> None:
    """Write the generator of digits as 16-bit numbers, with what made it."""
    from safetensors.torch import save

    tensors = {"weights": maker.weights.detach().half(), "statistics": maker.statistics.half()}
    header = {"shape": json.dumps(asdict(SHAPE)), "provenance": json.dumps(provenance)}
    write_whole(GENERATORS / "digits.safetensors", save(tensors, metadata=header))


def make_attack(materials: Materials) -> Iterator[str]:
    """Train and measure the attacks; write their table and some of their digits."""
    learn, held_out = draw(LEARN, 0), draw(HELD_OUT, 1)
    materials.work.mkdir(parents=True, exist_ok=True)
    rows: list[AttackRow] = []
    first = [int((held_out[1] == digit).nonzero()[0, 0]) for digit in range(SHOWN)]
    shown = [held_out[0][first]]
    for row, changed in attack_rows(learn, held_out, ATTACK, materials.work):
        rows.append(row)
        shown.append(changed[first])
        yield f"{row.name}: fools {row.fooled}, l2 {row.l2}, told apart {row.told}"
    stated = {
        "held_out": f"{HELD_OUT} drawn digits, seed 1",
        "settings": asdict(ATTACK),
        "seed": ATTACK.seed,
        **versions(),
    }
    write_table(Table("Changed digits", rows, stated), materials.results / "digits-attack.json")
    write_whole(materials.results / "digits-attack.png", _sheet(shown))


def _sheet(lines: list[Tensor]) -> bytes:
    """Digits (n,1,28,28) in [0,1], a tensor a line, as one PNG file."""
    from PIL import Image

    pixels = torch.cat([line[:, 0].permute(1, 0, 2).reshape(28, -1) for line in lines])
    stream = io.BytesIO()
    Image.fromarray(to_bytes(pixels).numpy()).save(stream, format="PNG")
    return stream.getvalue()
