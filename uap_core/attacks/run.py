"""One attack on one network: what it costs, image by image, and the best adversarial images so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.result import AttackResult, Trial
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import input_gradient

NEVER = 1e30  # inf less a share of itself would be no number


class AttackRun:
    """Count what an attack asks of the network, and keep the best that it finds.

    Methods take ``which``, indices (n,) of some of the images; all of them when left out. Until something is found, the best is
    the clean image.

    Args:
        classifier: the network.
        images: (N,3,H,W) in [0,1].
        criterion: what counts as success, with a label for each image.
    """

    def __init__(self, classifier: Classifier, images: Tensor, criterion: Criterion) -> None:
        self.classifier, self.images, self.criterion = classifier, images, criterion
        count = len(images)
        self.all = torch.arange(count, device=images.device)
        self.gradients, self.queries = torch.zeros_like(self.all), torch.zeros_like(self.all)
        self.adversarial = images.clone()
        self.labels = torch.full_like(criterion.y, -1) if criterion.targeted else criterion.y.clone()
        self.success = torch.zeros(count, dtype=torch.bool, device=images.device)
        self.size = images.new_full((count,), torch.inf)
        self.closest = images.new_full((count,), torch.inf)
        self.trials: list[Trial] = []
        self.started = time.perf_counter()

    def logits(self, x: Tensor, which: Tensor | None = None) -> Tensor:
        """Logits (n,K) of ``x`` (n,3,H,W), versions of the images ``which``; counts a query for each."""
        self.queries[self.all if which is None else which] += 1
        return self.classifier(x)

    def gradient(self, value: Tensor, x: Tensor, which: Tensor | None = None) -> Tensor:
        """d value_i / d x_i (n,3,H,W), where ``value`` (n,) depends on its own image alone; counts a gradient for each."""
        self.gradients[self.all if which is None else which] += 1
        return input_gradient(value.sum(), x)

    def judge(self, x: Tensor, which: Tensor | None = None) -> None:
        """Make ``x`` (n,3,H,W) the result for ``which``, and ask the network what it sees in it."""
        which = self.all if which is None else which
        with torch.inference_mode():
            self.settle(x, self.logits(x, which), which)

    def settle(self, x: Tensor, logits: Tensor, which: Tensor) -> None:
        """Make ``x`` (n,3,H,W), whose ``logits`` (n,K) are known, the result for ``which``."""
        self.adversarial[which] = x
        self.labels[which] = logits.argmax(dim=1)
        self.success[which] = self.criterion.of(which).reached(logits)

    def offer(self, x: Tensor, logits: Tensor, sizes: Tensor, which: Tensor, margin: float = 0.0) -> Tensor:
        """Keep the smallest success and, until there is one, the closest failure; return which succeed now, (n,) bool.

        A success passes the boundary by ``margin`` in logits. ``sizes`` (n,) are the norms that are compared.
        """
        criterion = self.criterion.of(which)
        gap = criterion.gap(logits)
        success = criterion.reached(logits) & (gap <= -margin)
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

    def comes_nearer(self, before: Tensor) -> Tensor:
        """Where (N,) nothing has worked yet, but the closest failure is nearer than ``before`` (N,) by at least 1 %."""
        return self.size.isinf() & (self.closest < before - 0.01 * before.abs().clamp_max(NEVER))

    def tried(self, constants: Tensor, lengths: Tensor, success: Tensor, which: Tensor) -> None:
        """Note one value of c for each of the images ``which`` (n,); all others are (n,) too. See ``Trial``."""
        columns = which, constants, lengths, success
        self.trials += [Trial(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock while the caller handles an intermediate result."""
        left = time.perf_counter()
        try:
            yield
        finally:
            self.started += time.perf_counter() - left

    def result(self, share: float = 1.0, done: bool = True) -> AttackResult:
        """The best so far, with norms computed from the tensor that is returned."""
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
            tuple(self.trials),
        )
