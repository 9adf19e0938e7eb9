"""A pattern for some classes alone: it fools the pictures of these and leaves the others as they are.

Class-discriminative perturbations (Zhang et al., "CD-UAP: class discriminative universal adversarial perturbation", AAAI
2020), and with a target from one source class into one other (Benz et al., "Double targeted universal adversarial
perturbations", ACCV 2020). One more term on the loss of ``default``: the label of the other pictures is to be held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.checks import check_whole
from uap_core.crafting.default import Default
from uap_core.crafting.problem import Loss, Problem
from uap_core.crafting.state import State
from uap_core.errors import DatasetError, SettingError

KEEP, KEEP_WITH_TARGET = 2.0, 1.0  # a class is less easily reached than left


def is_inside(clean: Tensor, classes: Sequence[int]) -> Tensor:
    """Where (n,) the network's own answer, of logits ``clean`` (n,K), is one of ``classes``. No ground truth enters."""
    return torch.isin(clean.argmax(dim=1), torch.tensor(classes, device=clean.device))


def fool_inside_keep_outside(clean: Tensor, perturbed: Tensor, fool: Loss, classes: Sequence[int], keep: float) -> Tensor:
    """``fool`` for images whose clean answer is one of ``classes``, else ``keep`` times the cross-entropy of the clean answer.

    Args:
        clean: logits (n,K) of the clean images.
        perturbed: logits (n,K) of the perturbed ones.
        fool: a loss (n,) of both, which falls as images are fooled.
        classes: indices of the classes to fool.
        keep: weight of the others' loss, at least 0.

    Returns:
        The loss (n,) to minimise (Zhang et al., AAAI 2020, equation 3).
    """
    held = keep * F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none")
    return torch.where(is_inside(clean, classes), fool(clean, perturbed), held)


@dataclass(frozen=True, kw_only=True)
class ClassAlone(Default):
    """Craft as ``Default`` does, for the images of some classes alone: half of each batch is drawn from them, half from others.

    Whose image it is says the network's own answer. Zhang et al., "CD-UAP", AAAI 2020; with a target Benz et al., "Double
    targeted universal adversarial perturbations", ACCV 2020. The last pattern is not scaled up to the ball's surface: that
    would fool others as well.

    Args:
        classes: indices of the classes to fool.
        keep: how much the other images' labels count: the more, the fewer of either kind are fooled. With a target
            ``KEEP_WITH_TARGET`` is a good start.
        rate, start, shrinking, smallest_view, tiles: see ``Default``.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval: see ``Crafter``; there is no ``delta``, which counts all images.

    Raises:
        SettingError: no class or a setting out of its range; on crafting, a class that the network has not, all of its
            classes, or a target that is one of them.
        DatasetError: on crafting, images that are all of these classes, or none.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64)
        >>> cats = tuple(map(network.index_of, ("tabby", "Persian cat")))
        >>> v = uap_core.craft(network, images, method=uap_core.ClassAlone(classes=cats, budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "class_alone"
    classes: tuple[int, ...] = ()
    keep: float = KEEP

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "classes", tuple(sorted(set(self.classes))))
        if not self.classes:
            raise SettingError("Name at least one class to fool.")
        for number in self.classes:
            check_whole("a class", number, least=0)
        if self.keep < 0:
            raise SettingError("The weight of the other images' labels (keep) is 0 or more.")
        if self.delta:
            raise SettingError("A pattern for some classes has no delta, which counts all images.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """As ``default``, once it is known that there is something to fool and something to keep."""
        check_classes(problem, self.classes)
        state = super().begin(problem, generator)
        state.memory["inside"] = is_inside(problem.clean[0], self.classes).cpu()
        return state

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The gradient at ``v`` on images of which half are of the classes; drawn with replacement, since those may be few."""
        inside = state.memory["inside"].cpu()  # a run that goes on brings it back where the networks are
        mine = max(1, self.batch_size // 2)
        batch = [
            which[torch.randint(len(which), (count,), generator=state.generator)]
            for which, count in ((inside.nonzero()[:, 0], mine), ((~inside).nonzero()[:, 0], self.batch_size - mine))
        ]
        return self.counted_gradient(problem, state, torch.cat(batch), v)

    def objective(self, problem: Problem) -> Loss:
        """The loss of ``default`` inside, the label outside."""
        fool = super().objective(problem)
        return partial(fool_inside_keep_outside, fool=fool, classes=self.classes, keep=self.keep)

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Onto the ball, not out to its surface."""
        state.pattern = problem.ball.project(state.pattern)
        yield from ()


def check_classes(problem: Problem, classes: Sequence[int]) -> None:
    """Raise SettingError for ``classes`` that cannot be fooled alone, DatasetError for images that do not show how."""
    for network in problem.networks:
        names = [network.labels[network.index_of(number)] for number in classes]
        if len(names) == len(network.labels):
            raise SettingError(f"These are all classes of {network.card.name}, so none is left to keep: choose some of them.")
        if names != [problem.networks[0].labels[number] for number in classes]:
            raise SettingError("These networks number their classes differently, so they have no common classes.")
    target = problem.criterion.target
    if target in classes:
        name = problem.networks[0].labels[target or 0]
        raise SettingError(f"The class to reach, {name!r}, is one of those to leave: choose another one.")
    count = int(is_inside(problem.clean[0], classes).sum())
    if count in (0, len(problem.images)):
        said = "None" if not count else "All"
        raise DatasetError(f"{said} of these images look like the chosen classes to the network: both kinds are needed.")
