"""Targeted Carlini & Wagner l2 (IEEE S&P 2017, section VI.A), each image with its own constant and its own early stop.

x' = (tanh(w) + 1) / 2;  minimise ||x' - x||_2^2 + c * max(max_{j != t} Z_j - Z_t, -kappa);  binary search for the least c.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uap_core.attacks.result import AttackResult, summarise
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier

INSIDE = 0.999  # atanh needs |2x-1| < 1; nearer to 1 the slope of tanh is so small that black and white pixels never move
PATIENCE = 0.9999


@dataclass(frozen=True)
class CarliniWagner:
    """search_steps binary-search steps over c from first_constant (x10 while failing), each of at most ``iterations`` steps.

    confidence is kappa, in logits; rate is Adam's. A search step ends for an image when a tenth of ``iterations`` passed
    without lowering its objective by more than 0.01 %.
    """

    search_steps: int = 9
    iterations: int = 200
    first_constant: float = 1e-3
    confidence: float = 0.0
    rate: float = 0.01

    def __post_init__(self) -> None:
        if self.search_steps < 1 or self.iterations < 1:
            raise SettingError("Search steps and iterations must be at least 1.")

    def __call__(self, classifier: Classifier, images: Tensor, targets: Tensor, targeted: bool = True) -> AttackResult:
        """``images`` (N,3,H,W) in [0,1], ``targets`` (N,). The result of a failed image is its best attempt."""
        return deque(self.stream(classifier, images, targets, targeted), maxlen=1).pop()

    def stream(self, classifier: Classifier, images: Tensor, targets: Tensor, targeted: bool = True) -> Iterator[AttackResult]:
        """Best so far, about twenty times a search step. Raises SettingError when a target is already predicted."""
        if not targeted:
            raise SettingError("This Carlini-Wagner attack is targeted: choose a target class.")
        with torch.inference_mode():
            clean = classifier(images)
        if bool((clean.argmax(dim=1) == targets).any()):
            raise SettingError("The target is what the network already sees. Choose another class.")
        search = _Search(self, classifier, images, targets)
        for number in range(self.search_steps):
            for iteration in search.minimise():
                if iteration % 10 == 0:
                    share = (number + iteration / self.iterations) / self.search_steps
                    yield replace(search.result(), share=share, done=False)
            search.next_constants()
        yield search.result()


class _Search:
    """What one run remembers: bounds on c, the smallest success and the closest failure, for each image on its own."""

    def __init__(self, attack: CarliniWagner, classifier: Classifier, images: Tensor, targets: Tensor) -> None:
        self.attack, self.classifier, self.images, self.targets = attack, classifier, images, targets
        count = len(images)
        self.started, self.steps = time.perf_counter(), 0
        self.constant = torch.full((count,), attack.first_constant)
        self.lower, self.upper = torch.zeros(count), torch.full((count,), math.inf)
        self.best = images.clone()
        self.best_label = classifier(images).argmax(dim=1).clone()
        self.best_l2 = torch.full((count,), math.inf)
        self.closest_gap = torch.full((count,), math.inf)

    def minimise(self) -> Iterator[int]:
        """One descent at the present constants; yields the iteration's number."""
        start = torch.atanh((self.images * 2 - 1).clamp(-INSIDE, INSIDE))
        w = start.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([w], lr=self.attack.rate)
        self.found = torch.zeros(len(self.images), dtype=torch.bool)
        objective_before = torch.full((len(self.images),), math.inf)
        waited = torch.zeros(len(self.images), dtype=torch.long)
        active = torch.ones(len(self.images), dtype=torch.bool)
        patience = max(1, self.attack.iterations // 10)
        for iteration in range(1, self.attack.iterations + 1):
            adversarial = (torch.tanh(w) + 1) / 2
            logits = self.classifier(adversarial)
            distance = (adversarial - self.images).flatten(1).square().sum(dim=1)
            gap = target_gap(logits, self.targets)
            objective = distance + self.constant * gap.clamp_min(-self.attack.confidence)
            optimiser.zero_grad()
            objective.sum().backward()
            self.steps += 1
            self._remember(adversarial.detach(), logits.detach(), gap.detach(), distance.detach().sqrt(), active)
            better = objective.detach() < objective_before * PATIENCE
            objective_before = torch.where(better, objective.detach(), objective_before)
            waited = torch.where(better, 0, waited + 1)
            active &= waited < patience
            if not bool(active.any()):
                return
            optimiser.step()
            yield iteration

    def _remember(self, adversarial: Tensor, logits: Tensor, gap: Tensor, l2: Tensor, active: Tensor) -> None:
        success = (gap <= -self.attack.confidence) & (gap < 0) & active
        self.found |= success
        smaller = success & (l2 < self.best_l2)
        closer = ~success & self.best_l2.isinf() & (gap < self.closest_gap) & active
        self.best_l2 = torch.where(smaller, l2, self.best_l2)
        self.closest_gap = torch.where(closer, gap, self.closest_gap)
        keep = smaller | closer
        self.best = torch.where(keep[:, None, None, None], adversarial, self.best)
        self.best_label = torch.where(keep, logits.argmax(dim=1), self.best_label)

    def next_constants(self) -> None:
        """Halve the interval where c worked once, multiply by ten where it never did."""
        self.upper = torch.where(self.found, torch.minimum(self.upper, self.constant), self.upper)
        self.lower = torch.where(self.found, self.lower, torch.maximum(self.lower, self.constant))
        middle = (self.lower + self.upper) / 2
        self.constant = torch.where(self.upper.isinf(), self.constant * 10, middle)

    def result(self) -> AttackResult:
        """The best found until now."""
        seconds = time.perf_counter() - self.started
        return summarise(self.images, self.best, self.best_label, self.targets, True, self.steps, seconds)


def target_gap(logits: Tensor, targets: Tensor) -> Tensor:
    """max_{j != t} Z_j - Z_t, (N,). The target is masked with -inf: a product would fail when all logits are negative."""
    at_target = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -math.inf).amax(dim=1)
    return others - at_target
