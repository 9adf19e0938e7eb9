"""The paper's own algorithm (Moosavi-Dezfooli et al., CVPR 2017, Algorithm 1): DeepFool, image by image.

For each image that v does not fool yet, find the smallest l2 step that takes x + v over a decision boundary (DeepFool,
Moosavi-Dezfooli et al., CVPR 2016), add it to v, and project back onto the ball. Every setting is the paper's at batch size 1,
but one: pixels are clamped to [0,1], here as everywhere, while the step is sought. Larger batches run DeepFool on all their
images that are not fooled at once and add the mean of their steps times ``gain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.deepfool import Crossing, cross_boundary
from uap_core.crafting.base import Crafter
from uap_core.crafting.distributed import all_sum, my_share
from uap_core.crafting.menu import register_method
from uap_core.crafting.problem import WORST, Goal, Problem, predicted
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball


@register_method(
    "deepfool",
    N_("DeepFool, in batches"),
    "Moosavi-Dezfooli et al., CVPR 2017",
    N_("The paper's own: adds the shortest steps over a decision boundary, here the mean of eight images times 400."),
    place=30,
    settings={"batch_size": 8, "gain": 400.0},
    colour="#6B7280",
    marker="P",
)
@dataclass(frozen=True, kw_only=True)
class DeepFoolUAP(Crafter):
    """Craft by the paper's own algorithm: add the DeepFool step of each image that is not fooled yet, project, repeat.

    Moosavi-Dezfooli et al., "Universal adversarial perturbations", CVPR 2017, Algorithm 1. The run stops after the pass that
    fools 1 - ``delta`` of the craft set.

    Args:
        candidates: classes that DeepFool looks at, the highest ones.
        overshoot: of DeepFool's steps, as a share.
        iterations: DeepFool's steps for an image at most.
        passes: over the craft set at most.
        gain: what the mean step of a batch is multiplied by: 1 at batch size 1, where the mean is the step itself. In larger
            batches a few hundred fool far more at the same cost (see the ablations): the ball holds the pattern, and steps so
            long leave its signs to the images of the moment, as sign steps do.
        budget: image-gradients at most, of all networks together.
        batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: no passes or iterations, or fewer than two candidates.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.DeepFoolUAP(budget=100))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "deepfool"
    budget: int = 10**9
    batch_size: int = 1
    delta: float = 0.2
    candidates: int = 10
    overshoot: float = 0.02
    iterations: int = 10
    passes: int = 5
    gain: float = 1.0
    measures_itself = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.passes, self.iterations) < 1 or self.candidates < 2:
            raise SettingError(_("DeepFool needs at least one pass, one iteration and two candidate classes."))

    @classmethod
    def paper(cls) -> DeepFoolUAP:
        """Algorithm 1 as it stands: image by image, pass after pass until 1 - delta of the craft set is fooled.

        DeepFool has its own paper's settings: 10 classes, an overshoot of 0.02, at most 50 steps. A set that cannot be fooled
        so far has no end, as there: close the run to stop it.
        """
        return cls(batch_size=1, gain=1.0, delta=0.2, candidates=10, overshoot=0.02, iterations=50, passes=10**9)

    def check(self, networks: tuple[Classifier, ...], ball: Ball, goal: Goal) -> None:
        """Steps of several networks are averaged; there is no loss of which one could be the worst."""
        if goal.ensemble == WORST:
            raise SettingError(_("DeepFool has no loss, so it knows no worst network. Choose the mean."))

    def share(self, state: State) -> float:
        """Of the passes or of the budget, whichever ends first."""
        return max(super().share(state), int(state.memory["seen"]) / (self.passes * int(state.memory["images"])))

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """No pattern, no image seen."""
        state = super().begin(problem, generator)
        state.memory = {"images": torch.tensor(len(problem.images)), "seen": torch.tensor(0)}
        return state

    def may_stop(self, state: State) -> bool:
        """Only after a whole pass, as in the paper."""
        return int(state.memory["seen"]) % int(state.memory["images"]) < min(self.batch_size, int(state.memory["images"]))

    def pauses(self, before: int, state: State) -> bool:
        """Measured after every pass, as in the paper; the loop's interval comes on top."""
        return self.may_stop(state) or super().pauses(before, state)

    def step(self, problem: Problem, state: State) -> None:
        """One batch: the steps of those of its images that are not fooled yet, by each network."""
        batch = state.next_batch(len(problem.images), self.batch_size)
        state.memory["seen"] = state.memory["seen"] + len(batch)
        total = torch.zeros_like(state.pattern)
        tally = torch.zeros(2, device=state.pattern.device)  # images that got a step, backward passes
        mine = my_share(batch)
        for network, clean in zip(problem.networks, problem.clean, strict=True):
            found = self._steps(network, problem.images[mine], clean[mine].argmax(dim=1), state.pattern, problem.goal.target)
            total += found.steps[found.crossed].sum(dim=0)
            tally += torch.tensor([int(found.crossed.sum()), int(found.backward_passes.sum())], device=tally.device)
        steps, passes = all_sum(tally).tolist()
        state.image_gradients += int(passes)
        if steps:
            state.pattern = problem.ball.project(state.pattern + self.gain * all_sum(total) / steps)

    def _steps(self, network: Classifier, images: Tensor, clean: Tensor, v: Tensor, target: int | None) -> Crossing:
        """DeepFool from x + v for those of ``images`` that ``v`` does not fool (or bring to the target) yet."""
        if not len(images):
            return cross_boundary(network, v.new_zeros(0, *v.shape))
        now = predicted(network, images, v)
        left = (now == clean if target is None else now != target).cpu()
        return cross_boundary(
            lambda x: network(x.clamp(0, 1)),
            images[left].to(v.device).float() / 255 + v,
            self.candidates,
            self.overshoot,
            self.iterations,
            target,
        )
