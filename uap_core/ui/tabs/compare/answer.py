"""The tab's question, and its answer: with what was measured on photographs for the chosen network where that was."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from uap_core.attacks.menu import UNIVERSAL
from uap_core.i18n import _
from uap_core.metrics import Rate
from uap_core.ui.html.words import plain
from uap_core.ui.state import Studio

QUESTION = _("What does an attack made for one picture do?")
ONE_STEP, NOISE = "fgsm", "random_signs"
CLEAR = 0.1  # by how much one must be ahead for the sentence to say so


@dataclass(frozen=True)
class _Row:
    """One of the precomputed sweep (``experiments.epsilon_sweep.SweepRow``), which is read here without torch."""

    attack: str
    epsilon: float
    fooling_rate: Rate


def answer(studio: Studio, network: str) -> str:
    """In a sentence."""
    table = studio.precomputed(f"{network}-sweep", _Row)
    rows = sorted(table.rows, key=lambda row: row.epsilon) if table else []
    both = [
        (found[ONE_STEP], found[UNIVERSAL], found.get(NOISE), epsilon)
        for epsilon, alike in groupby(rows, key=lambda row: row.epsilon)
        if (found := {row.attack: row.fooling_rate for row in alike}).keys() >= {ONE_STEP, UNIVERSAL}
    ]
    if both:
        own, universal, noise, epsilon = max(both, key=lambda one: one[0].value - one[1].value)
        if own.value - universal.value > CLEAR:
            said = _(
                "It needs less strength: at strength {level:g} of 255 a single step made for each picture fools {network} on"
                " {own:.0%} of {count} photographs, the universal pattern on {universal:.0%}{noise} – but each picture needs"
                " its own. Below, an attack that is bounded may use all the strength it is given, and is then no fainter than"
                " the pattern; the others search for the smallest change that fools."
            )
            return said.format(
                level=epsilon * 255,
                network=plain(studio.card(network).name),
                own=own.value,
                universal=universal.value,
                count=own.total,
                noise="" if noise is None else _(", random noise on {noise:.1%}").format(noise=noise.value),
            )
    return _("It looks for a change of this one answer only: the chart shows how small a change it found, and what it took.")
