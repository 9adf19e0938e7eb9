r"""A pattern for networks that none of the crafting ones is: their labels and layers together, under input diversity.

With g_k and h_k of the k-th network as in ``crafting/few_pictures.py``, but at random pictures that are moved once they are
perturbed, step along

    sum_k ( g_k / ||g_k||_2 + loud h_k / ||h_k||_2 ).

Labels lead where these networks err; what makes all layers of several networks loud makes those of another one loud too. At one
length no network outvotes the others. Where such a run ends depends much on how it began: so several patterns are begun, and
the one that fools most craft images after a tenth of the run goes on to the end. Input diversity is Xie et al.'s (CVPR 2019,
for single images), loud layers are those of GD-UAP (TPAMI 2019) and PSP-UAP (CVPR 2025); joining them is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.crafting.few_pictures import FewPictures
from uap_core.crafting.menu import register_method
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State
from uap_core.crafting.transfer import check_wobble, draw_wobbles
from uap_core.errors import SettingError

STARTS = 9
SHORTEST = 40  # steps of a run that is begun several times
SEEN = 100  # images that starts are compared on


@register_method(
    "never_seen",
    "This project's method, for networks never seen",
    "this project",
    "Labels and loud layers of all networks alike, on resized and shifted pictures: weaker here, strongest elsewhere.",
    place=20,
    targets=False,
)
@dataclass(frozen=True, kw_only=True)
class NeverSeen(FewPictures):
    """Craft for networks never seen, best on several others: labels and loud layers under input diversity (see the module).

    Args:
        starts: patterns that are begun; each takes a tenth of the run, and the best goes on.
        wobble: strength of the input diversity: largest resizing and shift of the perturbed picture, as a share of its side.
        noise, loud, smallest_view: see ``FewPictures``.
        own, exponent, tiles: see ``Activations``.
        rate, start, shrinking, bf16: see ``Default``.
        budget, batch_size, interval, delta: see ``Crafter``. Each picture takes two gradients.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> networks = [uap_core.load_model(key) for key in ("resnet64", "vgg64")]
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(networks, images, method=uap_core.NeverSeen(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "never_seen"
    untargeted: ClassVar[str] = "The method for networks never seen has no target: loud layers lead anywhere."
    batch_size: int = 4
    wobble: float = 0.25
    starts: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_wobble(self.wobble)
        if not 1 <= self.starts <= STARTS:
            raise SettingError(f"Patterns are begun once to {STARTS} times: each start is a tenth of the run.")

    def wobbles(self, batch: Tensor, state: State) -> Tensor:
        """Draw new maps for each picture at every step."""
        return draw_wobbles(len(batch), self.wobble, state.generator)

    def step(self, problem: Problem, state: State) -> None:
        """See ``Crafter.step``; at the end of a start, first keep the best pattern and begin the next one."""
        if self._begun > 1 and state.step in range(self._tenth, self._begun * self._tenth + 1, self._tenth):
            self._end_start(problem, state)
        super().step(problem, state)

    def moment(self, state: State) -> tuple[int, int]:
        """Steps of this pattern, counted from its own start, and those of one whole run."""
        before = min(state.step // self._tenth, self._begun - 1) * self._tenth
        return state.step - before, self.steps - (self._begun - 1) * self._tenth

    @property
    def _tenth(self) -> int:
        """Steps of one start."""
        return max(1, self.steps // 10)

    @property
    def _begun(self) -> int:
        """The starts of this run: one, where it is too short for several."""
        return self.starts if self.steps >= SHORTEST else 1

    def _end_start(self, problem: Problem, state: State) -> None:
        """Keep the better of this start and those before it; begin the next one, or go on with the best."""
        memory = state.memory
        rate = _first_of(problem).rate(problem.ball.project(state.pattern)).value
        if "best rate" not in memory or rate > float(memory["best rate"]):
            memory |= {f"best {name}": memory[name] for name in _moments(memory)}
            memory |= {"best pattern": state.pattern, "best rate": torch.tensor(rate)}
        if state.step < self._begun * self._tenth:
            state.pattern = self.begin(problem, state.generator).pattern
            for name in _moments(memory):
                del memory[name]
        else:
            state.pattern = memory["best pattern"]
            memory |= {name: memory[f"best {name}"] for name in _moments(memory)}


def _moments(memory: dict[str, Tensor]) -> list[str]:
    """The names of what the optimiser remembers."""
    return [name for name in memory if not name.startswith("best ")]


def _first_of(problem: Problem) -> Problem:
    """The same for its first images alone: enough to choose by."""
    return replace(problem, images=problem.images[:SEEN], clean=tuple(clean[:SEEN] for clean in problem.clean), _asked=[])
