"""Every attack by name, as the Compare tab offers it: what it is, what it knows, how it is made for an epsilon and an effort.

Nothing heavy is imported here, so that the page can list them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.texts import N_, _

if TYPE_CHECKING:
    from uap_core.attacks.attack import Attack

WHITE, SCORES = N_("white box"), N_("black box, scores")
UNIVERSAL, SIGNS = "universal", "random-signs"
BASELINES = {UNIVERSAL: N_("Universal pattern"), SIGNS: N_("Random signs")}  # which know nothing of the photograph
ANY, TARGET, LEAST, RUNNER_UP = "any", "target", "least_likely", "runner_up"  # what attacks may be to reach
GOALS = {ANY: N_("any other label"), TARGET: N_("a class that I choose"), LEAST: N_("the least likely class")}
INTO, FOOLED, HELD = "into_target", "fooled", "held"  # and what came of it
VERDICTS = {INTO: N_("into the target"), FOOLED: N_("fooled"), HELD: N_("held")}


@dataclass(frozen=True)
class Item:
    """One attack. ``build`` takes epsilon (l_inf, units of [0,1]), effort (1 is quick) and whether to go on once it works.

    ``bounded`` attacks keep within epsilon, the others look for the smallest change in ``norm``. ``knows`` is what they need
    of the network.
    """

    key: str
    name: str
    source: str
    norm: str
    bounded: bool
    build: Callable[[float, int, bool], Attack]
    knows: str = WHITE
    chosen: bool = False
    short_name: str = ""

    @property
    def short(self) -> str:
        """What people call it where there is little room."""
        return _(self.short_name or self.name)


def _fgsm(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.fgsm import FGSM

    return FGSM(epsilon)


def _iterates(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.iterative_fgsm import IterativeFGSM

    return IterativeFGSM(epsilon, epsilon / 10, 10 * effort, all_steps=all_steps)


def _pgd(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.iterative_fgsm import IterativeFGSM

    return IterativeFGSM(epsilon, epsilon / 4, 10 * effort, random_start=True, all_steps=all_steps)


def _momentum(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.iterative_fgsm import IterativeFGSM

    return IterativeFGSM(epsilon, epsilon / 10, 10 * effort, momentum=1.0, all_steps=all_steps)


def _deepfool(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.deepfool import DeepFool

    return DeepFool()


def _deepfool_linf(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.deepfool import DeepFool
    from uap_core.norms import LINF

    return DeepFool(LINF)


def _penalty(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.penalty import Penalty

    return Penalty(search_steps=3, iterations=15 * effort)


def _lbfgs(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.lbfgs import LBFGS

    return LBFGS(search_steps=2, iterations=10 * effort)


def _carlini_wagner(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.carlini_wagner import CarliniWagner

    return CarliniWagner(search_steps=3, iterations=15 * effort)


def _carlini_wagner_linf(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.carlini_wagner_linf import CarliniWagnerLinf

    return CarliniWagnerLinf(rounds=10 * effort)


def _carlini_wagner_l0(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.carlini_wagner_l0 import CarliniWagnerL0

    return CarliniWagnerL0(iterations=15 * effort)


def _hinge(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.hinge import Hinge

    return Hinge(search_steps=3, iterations=15 * effort)


def _square(epsilon: float, effort: int, all_steps: bool) -> Attack:
    from uap_core.attacks.square import Square

    return Square(epsilon, query_budget=200 * effort)


MENU = {
    item.key: item
    for item in (
        Item("fgsm", "FGSM", "Goodfellow et al., 2015", "linf", True, _fgsm, chosen=True),
        Item("iterates", N_("FGSM's iterates"), "Kurakin et al., 2017", "linf", True, _iterates, chosen=True),
        Item("pgd", N_("PGD, random start"), "Madry et al., 2018", "linf", True, _pgd, short_name="PGD"),
        Item("momentum", N_("MI-FGSM, momentum"), "Dong et al., 2018", "linf", True, _momentum, short_name="MI-FGSM"),
        Item("square", "Square", "Andriushchenko et al., 2020", "linf", True, _square, knows=SCORES),
        Item("deepfool", "DeepFool", "Moosavi-Dezfooli et al., 2016", "l2", False, _deepfool, chosen=True),
        Item("deepfool-linf", "DeepFool l_inf", "Moosavi-Dezfooli et al., 2016", "linf", False, _deepfool_linf),
        Item("lbfgs", "L-BFGS", "Szegedy et al., 2014", "l2", False, _lbfgs, chosen=True),
        Item(
            "penalty",
            N_("Penalty, cross-entropy"),
            N_("the lecture's relaxation"),
            "l2",
            False,
            _penalty,
            short_name=N_("Penalty"),
        ),
        Item("hinge", N_("Hinge on probabilities"), N_("the lecture's general form"), "l2", False, _hinge),
        Item("carlini-wagner", "Carlini & Wagner l2", "Carlini & Wagner, 2017", "l2", False, _carlini_wagner, chosen=True),
        Item("carlini-wagner-linf", "Carlini & Wagner l_inf", N_("the same"), "linf", False, _carlini_wagner_linf),
        Item("carlini-wagner-l0", "Carlini & Wagner l_0", N_("the same"), "l0", False, _carlini_wagner_l0),
    )
}


def attack_name(key: str) -> str:
    """What people call an attack of the menu or a pattern of BASELINES."""
    return _(BASELINES[key] if key in BASELINES else MENU[key].name)
