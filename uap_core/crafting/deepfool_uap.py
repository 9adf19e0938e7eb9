"""The algorithm of the paper that found universal perturbations: DeepFool on one image after another.

Moosavi-Dezfooli, Fawzi, Fawzi & Frossard, "Universal adversarial perturbations", CVPR 2017, Algorithm 1. Given images X, a
classifier k, a radius xi of the l_p ball and a share delta:

    v = 0
    while Err(X + v) < 1 - delta:
        for each image x_i of X, in a random order:
            if k(x_i + v) = k(x_i):
                dv = argmin_r ||r||_2  such that  k(x_i + v + r) != k(x_i)     DeepFool finds it
                v  = P_{p,xi}(v + dv)                                          project onto the ball
    return v

Err is the share of images whose label changes. (The paper writes <=; here a run ends at exactly 1 - delta too.) Larger batches
run DeepFool at once on all their images that are not fooled, and take for dv the mean of their steps times ``gain``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.deepfool import Crossing, cross_boundary
from uap_core.crafting.base import Crafter
from uap_core.crafting.distributed import all_sum, my_share
from uap_core.crafting.menu import register_method
from uap_core.crafting.problem import WORST, Problem, predicted
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.eight_bits import from_bytes
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball


@register_method(
    "deepfool",
    "DeepFool, in batches",
    "Moosavi-Dezfooli et al., CVPR 2017",
    "Adds the paper's steps, the shortest over a decision boundary; unlike it, of eight images at once, their mean times 400.",
    place=30,
    settings={"batch_size": 8, "gain": 400.0},
    colour="#6B7280",
    marker="P",
)
@dataclass(frozen=True, kw_only=True)
class DeepFoolUAP(Crafter):
    """Craft by the algorithm of the UAP paper: add the DeepFool step of each image that is not fooled yet, project, repeat.

    Moosavi-Dezfooli et al., "Universal adversarial perturbations", CVPR 2017, Algorithm 1. The run stops after the pass that
    fools 1 - ``delta`` of the craft set. Two defaults are not the paper's: at most 5 passes, and 10 iterations of DeepFool;
    ``paper()`` has all of its settings. Here as everywhere pixels are clamped to [0,1].

    Args:
        candidates: classes that DeepFool looks at, the highest ones.
        overshoot: of DeepFool's steps, as a share.
        iterations: DeepFool's steps for an image at most.
        passes: over the craft set at most.
        gain: factor on the mean step of a batch; 1 at batch size 1, where the mean is the step itself. In larger batches a
            few hundred fool far more images at the same cost (see the ablations): the projection then leaves little but the
            signs of recent steps, as in sign gradient descent.
        budget: image-gradients at most, of all networks together.
        batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: no passes or iterations, fewer than two candidates, a negative overshoot, or a gain that is not positive.

    Example:
        >>> import uap_core
        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))  # any module of yours
        >>> images = torch.rand(16, 3, 8, 8)  # in [0,1]
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
    ends_itself: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.passes, self.iterations) < 1 or self.candidates < 2:
            raise SettingError("DeepFool needs at least one pass, one iteration and two candidate classes.")
        if self.overshoot < 0 or self.gain <= 0:
            raise SettingError("DeepFool's overshoot is not negative, and its gain above 0.")

    @classmethod
    def paper(cls) -> DeepFoolUAP:
        """The paper's settings: image by image, pass after pass until 1 - delta of the craft set is fooled.

        DeepFool has its own paper's settings: 10 classes, an overshoot of 0.02, at most 50 iterations. As in the paper, a run
        that never gets there has no end: close it to stop it.
        """
        return cls(batch_size=1, gain=1.0, delta=0.2, candidates=10, overshoot=0.02, iterations=50, passes=10**9)

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """Refuse the worst loss of an ensemble: DeepFool has no loss, and steps of several networks are averaged."""
        if ensemble == WORST:
            raise SettingError("DeepFool has no loss, so it knows no worst network. Choose the mean.")

    def share(self, problem: Problem, state: State) -> float:
        """The share that is done of the passes or of the budget, whichever ends first; a run ends at 1."""
        return max(super().share(problem, state), state.seen / (self.passes * len(problem.images)))

    def iterate(self, problem: Problem, state: State) -> Iterator[bool]:
        """Run Algorithm 1 on ``state.pattern``, which is v; yields after each batch, True at the end of a pass."""
        n = len(problem.images)

        def Err() -> float:  # the share of images whose label v changes, or turns into the target
            return problem.rate(state.pattern).value

        # `enough` is 1 - delta. A saved run first ends the pass that it was in.
        while state.seen < state.pass_end or Err() < self.enough:
            state.pass_end = (state.seen // n + 1) * n
            while state.seen < state.pass_end:
                batch = state.next_batch(n, self.batch_size)  # in a random order
                state.seen += len(batch)
                dv, count = self._smallest_steps(problem, batch, state)  # DeepFool, where k(x_i + v) = k(x_i)
                if count:
                    v = state.pattern + self.gain * dv / count  # v + dv for one image
                    state.pattern = problem.ball.project(v)  # P_{p,xi}
                yield state.seen >= state.pass_end

    def _smallest_steps(self, problem: Problem, batch: Tensor, state: State) -> tuple[Tensor, float]:
        """The sum (3,H,W) of the steps of those images of ``batch`` that v does not fool yet, and their number."""
        total = torch.zeros_like(state.pattern)
        tally = torch.zeros(2, device=state.pattern.device)  # steps, backward passes
        mine = my_share(batch)
        for network, clean in zip(problem.networks, problem.clean, strict=True):
            found = self._deepfool(network, problem.images[mine], clean[mine].argmax(dim=1), state.pattern, problem.criterion)
            total += found.steps[found.crossed].sum(dim=0)
            tally += torch.tensor([int(found.crossed.sum()), int(found.backward_passes.sum())], device=tally.device)
        steps, passes = all_sum(tally).tolist()
        state.image_gradients += int(passes)
        return all_sum(total), steps

    def _deepfool(self, network: Classifier, images: Tensor, clean: Tensor, v: Tensor, criterion: Criterion) -> Crossing:
        """DeepFool from x_i + v for those of ``images`` (n,3,H,W) that v does not fool yet; ``clean`` (n,) are k(x_i)."""
        now = predicted(network, images, v)
        left = (now == clean if criterion.target is None else now != criterion.target).cpu()
        x = from_bytes(images[left].to(v.device)) + v
        f = lambda x: network(x.clamp(0, 1))  # noqa: E731
        return cross_boundary(f, x, self.candidates, self.overshoot, self.iterations, criterion)
