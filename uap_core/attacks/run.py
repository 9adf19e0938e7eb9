"""One run against one network: what is asked of it, image by image, and the best that was found so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from uap_core.attacks.criterion import Aim
from uap_core.attacks.result import AttackResult
from uap_core.models.classifier import Classifier


class Subject:
    """``images`` (N,3,H,W) in [0,1] under attack. ``which`` is always indices (n,) of some of them.

    Until something is found, the best is the picture itself, as the closest failure.
    """

    def __init__(self, classifier: Classifier, images: Tensor, aim: Aim) -> None:
        self.classifier, self.images, self.aim = classifier, images, aim
        count = len(images)
        self.all = torch.arange(count, device=images.device)
        self.gradients, self.queries = torch.zeros_like(self.all), torch.zeros_like(self.all)
        self.adversarial = images.clone()
        self.labels = aim.labels.clone() if not aim.targeted else torch.full_like(aim.labels, -1)
        self.success = torch.zeros(count, dtype=torch.bool, device=images.device)
        self.size = images.new_full((count,), torch.inf)
        self.closest = images.new_full((count,), torch.inf)
        self.started = time.perf_counter()

    def logits(self, x: Tensor, which: Tensor) -> Tensor:
        """Logits (n,K) of ``x`` (n,3,H,W), which are versions of the images ``which``; a query for each."""
        self.queries[which] += 1
        return self.classifier(x)

    def gradient(self, value: Tensor, x: Tensor, which: Tensor, keep: bool = False) -> Tensor:
        """d value / d x for ``value`` (n,), each row its image's own; a gradient for each. ``keep`` the graph for another."""
        self.gradients[which] += 1
        return torch.autograd.grad(value.sum(), x, retain_graph=keep)[0]

    def settle(self, x: Tensor, logits: Tensor, which: Tensor) -> None:
        """``x`` (n,3,H,W) is the result for ``which``, whatever was before."""
        self.adversarial[which] = x
        self.labels[which] = logits.argmax(dim=1)
        self.success[which] = self.aim.of(which).reached(logits)

    def offer(self, x: Tensor, logits: Tensor, sizes: Tensor, which: Tensor, margin: float = 0.0) -> Tensor:
        """Remember the smallest success and, until there is one, the closest failure; returns (n,) who succeeds now.

        A success passes the boundary by ``margin`` in logits. ``sizes`` (n,) are the norms that count.
        """
        aim = self.aim.of(which)
        gap = aim.gap(logits)
        success = aim.reached(logits) & (gap <= -margin)
        smaller = success & (sizes < self.size[which])
        closer = ~success & self.size[which].isinf() & (gap < self.closest[which])
        self.size[which[smaller]] = sizes[smaller]
        self.closest[which[closer]] = gap[closer]
        taken = smaller | closer
        if bool(taken.any()):
            rows = which[taken]
            self.adversarial[rows] = x[taken]
            self.labels[rows] = logits[taken].argmax(dim=1)
            self.success[rows] = success[taken]
        return success

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What whoever watches does with a result in between is not the attack's time."""
        left = time.perf_counter()
        try:
            yield
        finally:
            self.started += time.perf_counter() - left

    def result(self, share: float = 1.0, done: bool = True) -> AttackResult:
        """The best so far, with norms of the very tensor that is returned."""
        change = (self.adversarial - self.images).flatten(2)
        return AttackResult(
            self.adversarial.clone(),
            self.success.clone(),
            self.labels.clone(),
            change.abs().amax(dim=(1, 2)),
            change.flatten(1).norm(dim=1),
            (change != 0).any(dim=1).sum(dim=1),
            self.gradients.clone(),
            self.queries.clone(),
            time.perf_counter() - self.started,
            share,
            done,
        )
