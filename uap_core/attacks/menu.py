"""Every attack by name, as the Compare tab offers it: what it is, what it knows, how it is made for an epsilon and an effort.

An attack puts itself here by ``register_attack`` over its class. Nothing heavy is imported, so that the page can list them at
once (see ``uap_core.registry``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from uap_core import attacks
from uap_core.i18n import N_, _
from uap_core.registry import entries

if TYPE_CHECKING:
    from uap_core.attacks.base import Attack

WHITE = N_("white box")  # or "black box, scores"
UNIVERSAL, SIGNS = "universal", "random-signs"
BASELINES = {UNIVERSAL: N_("Universal pattern"), SIGNS: N_("Random noise")}  # which know nothing of the photograph
ANY, TARGET, LEAST, RUNNER_UP = "any", "target", "least_likely", "runner_up"  # what attacks may be to reach
GOALS = {ANY: N_("any other label"), TARGET: N_("a class that I choose"), LEAST: N_("the least likely class")}
INTO, FOOLED, HELD = "into_target", "fooled", "held"  # and what came of it
VERDICTS = {INTO: N_("into the target"), FOOLED: N_("fooled"), HELD: N_("held")}


class Wanted(NamedTuple):
    """What an attack of the menu is made for: ``epsilon`` (l_inf, units of [0,1]), ``effort`` (1 is quick), and whether to take
    all steps though an early one works."""

    epsilon: float
    effort: int
    all_steps: bool


@dataclass(frozen=True)
class Item:
    """One attack, as ``register_attack`` over its class states it.

    Args:
        key: what programs and the command line call it.
        name: what people call it.
        source: who published it.
        norm: "linf", "l2" or "l0": what it keeps within epsilon, or small.
        bounded: whether it keeps within epsilon; the others look for the smallest change in ``norm``.
        knows: what it needs of the network.
        chosen: whether the Compare tab runs it at first.
        short_name: for where there is little room.
        place: in the menu, the lowest first.
        module, class_name: where it is written.
    """

    key: str
    name: str
    source: str
    norm: str
    bounded: bool
    knows: str = WHITE
    chosen: bool = False
    short_name: str = ""
    place: int = 1000
    module: str = ""
    class_name: str = ""

    @property
    def short(self) -> str:
        """What people call it where there is little room."""
        return _(self.short_name or self.name)

    def build(self, epsilon: float, effort: int, all_steps: bool) -> Attack:
        """The attack, ready to run; see ``Wanted``. Imports its module."""
        import_module(self.module)
        return BUILDERS[self.key](Wanted(epsilon, effort, all_steps))


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
    """What people call an attack of the menu or a pattern of BASELINES."""
    return _(BASELINES[key] if key in BASELINES else MENU[key].name)
