"""The attacks that the Compare tab, the command line and ``uap_core.attack`` offer, by key.

An attack puts itself here by ``register_attack`` over its class. Nothing heavy is imported, so that the page can list them at
once (see ``uap_core.registry``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from uap_core import attacks
from uap_core.registry import entries

if TYPE_CHECKING:
    from uap_core.attacks.base import Attack

WHITE = "white box"  # or "black box, scores"
UNIVERSAL, SIGNS = "universal", "random-signs"
BASELINES = {UNIVERSAL: "Universal pattern", SIGNS: "Random noise"}  # the same for every photograph
ANY, TARGET, LEAST, RUNNER_UP = "any", "target", "least_likely", "runner_up"  # what an attack aims at
GOALS = {ANY: "any other label", TARGET: "a class that I choose", LEAST: "the least likely class"}
INTO, FOOLED, HELD = "into_target", "fooled", "held"  # verdicts
VERDICTS = {INTO: "into the target", FOOLED: "fooled", HELD: "held"}


class Wanted(NamedTuple):
    """What an attack is built for: ``epsilon`` (l_inf, units of [0,1]), ``effort`` (1 is quick), whether to take all steps even
    after one succeeds, and the norm l_p that an attack for any norm keeps small."""

    epsilon: float
    effort: int
    all_steps: bool
    p: float = 2.0

    @property
    def more(self) -> int:
        """By how much an attack that searches multiplies the values of c, and the steps for each: together by ``effort``."""
        return max(1, round(math.sqrt(self.effort)))


@dataclass(frozen=True)
class Item:
    """One attack, as ``register_attack`` over its class states it.

    Args:
        key: its name in programs and on the command line.
        name: its display name.
        source: who published it.
        norm: "linf", "l2" or "l0", which it bounds by epsilon or minimises.
        bounded: whether it stays within epsilon; the others look for the smallest change in ``norm``.
        knows: the threat model, white box or black box.
        chosen: whether it is one of the usual ones, which `tests/bench/rows.py` times; the Compare tab begins with all.
        any_norm: whether it minimises the l_p norm of any p that is asked for; ``norm`` is the usual one.
        short_name: display name for small spaces.
        place: order in the menu, lowest first.
        module, class_name: where it is defined.
    """

    key: str
    name: str
    source: str
    norm: str
    bounded: bool
    knows: str = WHITE
    chosen: bool = False
    any_norm: bool = False
    short_name: str = ""
    place: int = 1000
    module: str = ""
    class_name: str = ""

    @property
    def short(self) -> str:
        """Display name for small spaces."""
        return self.short_name or self.name

    def build(self, epsilon: float, effort: int, all_steps: bool, p: float = 2.0) -> Attack:
        """Build the attack; see ``Wanted``. Imports its module."""
        import_module(self.module)
        return BUILDERS[self.key](Wanted(epsilon, effort, all_steps, p))


BUILDERS: dict[str, Callable[[Wanted], Attack]] = {}  # of the modules that are imported
Kind = TypeVar("Kind", bound="type[Attack]")


def register_attack(
    key: str,
    name: str,
    source: str,
    norm: str,
    bounded: bool,
    *,
    build: Callable[[Wanted], Attack],
    **words: Any,
) -> Callable[[Kind], Kind]:
    """Put an attack on the menu: a decorator of its class, which may have several. See ``Item``.

    All but ``build`` are plain values, since they are read without importing the file (see ``uap_core.registry``). An attack
    outside of this package is on the menu once its module is imported.
    """

    def keep(kind: Kind) -> Kind:
        item = Item(key, name, source, norm, bounded, **words, module=kind.__module__, class_name=kind.__name__)
        if MENU.setdefault(key, item) != item:
            raise TypeError(f"There are two attacks called {key!r}: {MENU[key].class_name} and {kind.__name__}.")
        BUILDERS[key] = build
        return kind

    return keep


_written = [Item(*entry.values, **entry.words) for entry in entries(attacks, "register_attack")]
MENU = {item.key: item for item in sorted(_written, key=lambda item: item.place)}


def attack_name(key: str) -> str:
    """Display name of an attack of the menu or a pattern of BASELINES."""
    return BASELINES[key] if key in BASELINES else MENU[key].name
