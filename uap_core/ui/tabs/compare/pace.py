"""How long the attacks take on this machine, told before they begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from uap_core.attacks.menu import BASELINES, MENU

if TYPE_CHECKING:
    from uap_core.experiments.compare import Bout, Contender

PASSES = 60  # of an attack that states no budget
TRIES = 8  # of a bounded attack that looks for its smallest epsilon
SHOWING = 0.15  # seconds that a finished row takes


class Pace:
    """Seconds of each attack by network: those that it took the last time, else what its passes through the network take."""

    def __init__(self) -> None:
        self._a_pass: dict[str, float] = {}
        self._took: dict[tuple[str, str, bool, int], float] = {}

    def saw(self, network: str, row: Contender, bout: Bout) -> None:
        """A finished row of a comparison on ``network``."""
        self._took[network, row.key, bout.matched, bout.effort] = row.seconds
        if row.gradients:
            a_pass = row.seconds / (row.gradients + row.queries)
            self._a_pass[network] = min(a_pass, self._a_pass.get(network, a_pass))

    def knows(self, network: str) -> bool:
        """Whether anything was seen of this network."""
        return network in self._a_pass

    def expected(self, network: str, keys: Sequence[str], bout: Bout) -> float | None:
        """Seconds of a run; None while nothing was seen of this network."""
        if not self.knows(network):
            return None
        return sum(self.share_of(network, key, bout) for key in keys)

    def share_of(self, network: str, key: str, bout: Bout) -> float:
        """Seconds of one attack, its row included; 1 of a network that nothing was seen of."""
        if not self.knows(network):
            return 1.0
        took = self._took.get((network, key, bout.matched, bout.effort))
        if took is None:
            took = passes(key, bout) * self._a_pass[network]
        return took + SHOWING


def passes(key: str, bout: Bout) -> int:
    """Passes through the network that an attack of the menu needs at most, or about so many."""
    from uap_core.experiments.compare import OTHER_EPSILON, budget_of

    tries = 1 if bout.matched else TRIES
    if key in BASELINES:
        return 2 * tries
    budget = budget_of(MENU[key].build(OTHER_EPSILON, bout.effort, False))
    if budget is None:
        return PASSES if not MENU[key].bounded else 3 * tries
    both = 1 if budget.unit == "queries" else 2
    return both * budget.count * budget.searches * (tries if MENU[key].bounded else 1)
