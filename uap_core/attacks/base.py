"""The contract of single-image attacks: hyper-parameters in the constructor, data in the call."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.result import AttackResult
from uap_core.attacks.run import AttackRun
from uap_core.checks import check_fields, check_type, check_whole
from uap_core.errors import SettingError
from uap_core.images.batches import check_pixels, check_tensor
from uap_core.metrics import predict
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import as_classifier
from uap_core.norms import LINF, Ball

WIDE = (torch.uint16, torch.uint32, torch.uint64)


class Attack(ABC):
    """Hold the hyper-parameters of one attack on single images; call it with the data.

    Images of a batch never influence each other. An attack that is ``targeted_only`` needs a target class.

    Example:
        >>> import torch, uap_core
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))  # any module, pixels to logits
        >>> x = torch.rand(5, 3, 2, 2)
        >>> result = uap_core.FGSM(0.1)(network, x, network(x).argmax(dim=1))
        >>> tuple(result.adversarial.shape), len(result.success)
        ((5, 3, 2, 2), 5)
    """

    targeted_only: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise SettingError for hyper-parameters of other types than the class states."""
        check_fields(self)

    @torch.inference_mode(False)
    @torch.enable_grad()
    def __call__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor | Criterion,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> AttackResult:
        """Run the attack and return the final result; see ``stream``. Builds no intermediate results."""
        trial = self._begin(network, images, labels, targeted, generator)
        for _share in self._run(trial, generator):
            pass
        return trial.result()

    @torch.inference_mode(False)
    @torch.enable_grad()
    def stream(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor | Criterion,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> Iterator[AttackResult]:
        """Attack images away from their labels, or towards them when ``targeted``; works inside ``torch.no_grad()`` too.

        Args:
            network: a ``Classifier``, or any module that maps pixels in [0,1] to logits (N,K).
            images: float (N,3,H,W) in [0,1]; N may be 0.
            labels: class indices (N,), of any integer type, or a ``Criterion``. An image that is at its target already is
                returned unchanged.
            targeted: whether ``labels`` are targets to reach; a ``Criterion`` says so itself.
            generator: for attacks that draw numbers (seed 0 when left out). All images of a batch get the same numbers, so
                that each gets the result that it would get alone.

        Yields:
            The best so far, several times a second; finally the result.

        Raises:
            SettingError: images or labels that do not fit the network, or pixels outside [0,1].
            ModelError: a module that does not return logits.
        """
        trial = self._begin(network, images, labels, targeted, generator)
        for share in self._run(trial, generator):
            if share < 1:
                with trial.run.paused():
                    yield trial.result(share, done=False)
        yield trial.result()

    @abstractmethod
    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float] | None:
        """Hand adversarial images to ``run``.

        An attack of many steps is a generator: it yields the share of the work that is done, often enough to be stopped.
        """

    def _run(self, trial: _Trial, generator: torch.Generator | None) -> Iterator[float]:
        if len(trial.run.images):
            generator = torch.Generator().manual_seed(0) if generator is None else generator
            yield from self.perturb(trial.run, generator) or ()

    def _begin(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor | Criterion,
        targeted: bool,
        generator: torch.Generator | None,
    ) -> _Trial:
        """Check everything, and set aside the images that are at their target already."""
        classifier = as_classifier(network)
        check_type("generator", generator, (torch.Generator, type(None)), "a torch.Generator")
        check_images(classifier, images)
        classifier.learn_classes(images)
        # At least 32 bits, in which no epsilon is lost. Copies of what inference mode made, which could have no gradient.
        images = images.detach().to(torch.promote_types(torch.float32, classifier.dtype or torch.float32)).clamp(0, 1)
        images = images.clone() if images.is_inference() else images
        criterion = self._criterion(classifier, images, labels, targeted)
        run = AttackRun(classifier, images, criterion)
        if not criterion.targeted or not len(images):
            return _Trial(run)
        with torch.no_grad():
            clean = run.logits(images)
        run.labels = clean.argmax(dim=1)
        there = run.labels == criterion.y
        if not bool(there.any()):
            return _Trial(run)
        run.settle(images, clean, run.all)
        rest = run.all[~there]
        others = AttackRun(classifier, images[rest], criterion.of(rest))
        others.queries, others.labels = run.queries[rest], run.labels[rest]
        return _Trial(others, run.result(), rest)

    def _criterion(self, classifier: Classifier, images: Tensor, labels: Tensor | Criterion, targeted: bool) -> Criterion:
        """What counts as success, with a label for each image on its device."""
        check_type("targeted", targeted, bool, "True or False")
        criterion = labels if isinstance(labels, Criterion) else Criterion(labels, targeted)
        if not isinstance(criterion.labels, Tensor):
            clean = predict(classifier, [images]) if len(images) else torch.empty(0, dtype=torch.long)
            criterion = criterion.for_images(clean)
        y = criterion.y
        if y.dtype in WIDE:
            y = y.long()  # torch hardly computes with them
        if y.shape != images.shape[:1] or y.is_floating_point() or y.dtype in (torch.bool, torch.complex64):
            raise SettingError(
                f"There are {len(images)} images and labels of shape {tuple(y.shape)}: one each is needed, a whole number."
            )
        if len(y) and not 0 <= int(y.min()) <= int(y.max()) < len(classifier.labels):
            raise SettingError(f"{classifier.card.name} has classes 0 to {len(classifier.labels) - 1}.")
        if self.targeted_only and not criterion.targeted:
            raise SettingError(f"{type(self).__name__} is targeted: choose a target class.")
        return Criterion(y.to(images.device, torch.long, copy=True), criterion.targeted)


@dataclass
class _Trial:
    """A ``run`` of an attack; where images were at their target already, it has the ``rest`` (n,) of the ``whole`` batch."""

    run: AttackRun
    whole: AttackResult | None = None
    rest: Tensor | None = None

    def result(self, share: float = 1.0, done: bool = True) -> AttackResult:
        """The best so far for the whole batch."""
        found = self.run.result(share, done)
        return found if self.whole is None or self.rest is None else found.within(self.whole, self.rest)


def check_images(classifier: Classifier, images: Tensor) -> None:
    """Raise SettingError unless ``images`` are floats (N,3,H,W) in [0,1] of the network's size."""
    check_tensor(images)
    if not classifier.takes(images) or not images.is_floating_point():
        kind = str(images.dtype).rpartition(".")[2]
        raise SettingError(
            f"{classifier.card.name} takes images {classifier.batch_shape} of floats, not {tuple(images.shape)} of {kind}."
        )
    check_pixels(images)


def check_epsilon(epsilon: float) -> None:
    """Raise SettingError unless ``epsilon`` is 0, or at most 1 and seen; says which number was probably meant."""
    Ball(LINF, epsilon).check_seen()


def check_positive(most: float = math.inf, **values: float) -> None:
    """Raise SettingError for a rate or a share that is not above 0, or above ``most``."""
    for name, value in values.items():
        if not 0 < value <= most:
            end = "" if most == math.inf else f", up to {most:g}"
            raise SettingError(f"{name.replace('_', ' ').capitalize()} must be above 0{end}, not {value:g}.")


def check_counts(**counts: int) -> None:
    """Raise SettingError for a number of steps that is no whole number, or below 1."""
    for name, count in counts.items():
        check_whole(name, count, least=1)
