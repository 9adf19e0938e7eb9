"""The contract of single-image attacks: hyper-parameters in the constructor, data in the call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from uap_core.attacks.criterion import Aim
from uap_core.attacks.result import AttackResult
from uap_core.attacks.run import Subject
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import as_classifier

SLACK = 1e-5  # beyond [0,1], which arithmetic on pixels may leave


class Attack(ABC):
    """Hold the hyper-parameters of one attack on single images; call it with the data. Images of a batch never influence each
    other.

    ``targeted_only`` attacks need a target class.

    Example:
        >>> import torch, uap_core
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))  # any module, pixels to logits
        >>> x = torch.rand(5, 3, 2, 2)
        >>> result = uap_core.FGSM(0.1)(network, x, network(x).argmax(dim=1))
        >>> tuple(result.adversarial.shape), len(result.success)
        ((5, 3, 2, 2), 5)
    """

    targeted_only: ClassVar[bool] = False

    @torch.inference_mode(False)
    @torch.enable_grad()
    def __call__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> AttackResult:
        """Attack as ``stream`` does and return its last result; the results on the way, which cost something, are not made."""
        trial = self._begin(network, images, labels, targeted)
        for _share in self._run(trial, generator):
            pass
        return trial.result()

    @torch.inference_mode(False)
    @torch.enable_grad()
    def stream(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> Iterator[AttackResult]:
        """Attack images away from their labels, or towards them when ``targeted``; works inside ``torch.no_grad()`` too.

        Args:
            network: a ``Classifier``, or any module that maps pixels in [0,1] to logits (N,K).
            images: float (N,3,H,W) in [0,1]; N may be 0.
            labels: class indices (N,), of any integer type. An image that is at its target already is returned as it is.
            targeted: whether ``labels`` are what the images shall become.
            generator: for attacks that draw numbers (seed 0 when left out): all images of a batch get the same ones, so
                that each fares as it would alone.

        Yields:
            The best so far, several times a second, and at last the result.

        Raises:
            SettingError: images or labels that do not fit the network, or pixels outside [0,1].
            ModelError: a module that does not return logits.
        """
        trial = self._begin(network, images, labels, targeted)
        for share in self._run(trial, generator):
            if share < 1:
                with trial.subject.paused():
                    yield trial.result(share, done=False)
        yield trial.result()

    @abstractmethod
    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """Offer pictures to ``subject`` and yield the share of the work that is done, often enough to be stopped."""

    def _run(self, trial: _Trial, generator: torch.Generator | None) -> Iterator[float]:
        if len(trial.subject.images):
            yield from self.run(trial.subject, generator or torch.Generator().manual_seed(0))

    def _begin(self, network: nn.Module, images: Tensor, labels: Tensor, targeted: bool) -> _Trial:
        """What is attacked, once everything about it is in order."""
        classifier = as_classifier(network)
        check_images(classifier, images)
        classifier.learn_classes(images)
        self._check_labels(classifier, images, labels, targeted)
        # Copies of what inference mode made, which could have no gradient.
        images = images.to(classifier.dtype or images.dtype)
        images = images.clone() if images.is_inference() else images
        labels = labels.to(images.device, torch.long, copy=True)
        subject = Subject(classifier, images, Aim(labels, targeted))
        if not targeted or not len(images):
            return _Trial(subject)
        with torch.no_grad():
            clean = subject.logits(images, subject.all)
        subject.labels = clean.argmax(dim=1)
        there = subject.labels == labels
        if not bool(there.any()):
            return _Trial(subject)
        subject.settle(images, clean, subject.all)
        rest = subject.all[~there]
        others = Subject(classifier, images[rest], Aim(labels[rest], targeted))
        others.queries, others.labels = subject.queries[rest], subject.labels[rest]
        return _Trial(others, subject.result(), rest)

    def _check_labels(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool) -> None:
        if labels.shape != images.shape[:1] or labels.is_floating_point() or labels.dtype in (torch.bool, torch.complex64):
            raise SettingError(
                _("There are {count} images and labels of shape {shape}: one each is needed, a whole number.").format(
                    count=len(images), shape=tuple(labels.shape)
                )
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(classifier.labels):
            raise SettingError(
                _("{network} has classes 0 to {last}.").format(network=classifier.card.name, last=len(classifier.labels) - 1)
            )
        if self.targeted_only and not targeted:
            raise SettingError(_("{attack} is targeted: choose a target class.").format(attack=type(self).__name__))


@dataclass
class _Trial:
    """A ``subject`` under attack; of a batch with images that were at their target, the ``rest`` (n,) of its ``whole``."""

    subject: Subject
    whole: AttackResult | None = None
    rest: Tensor | None = None

    def result(self, share: float = 1.0, done: bool = True) -> AttackResult:
        """The best so far for the whole batch."""
        found = self.subject.result(share, done)
        return found if self.whole is None or self.rest is None else found.within(self.whole, self.rest)


def check_images(classifier: Classifier, images: Tensor) -> None:
    """Raise SettingError for ``images`` that are no floats (N,3,H,W) in [0,1] of the network's size."""
    if not classifier.takes(images) or not images.is_floating_point():
        raise SettingError(
            _("{network} takes images {expected} of floats, not {shape} of {kind}.").format(
                network=classifier.card.name,
                expected=classifier.batch_shape,
                shape=tuple(images.shape),
                kind=str(images.dtype).rpartition(".")[2],
            )
        )
    if not bool(((images >= -SLACK) & (images <= 1 + SLACK)).all()):
        raise SettingError(
            _("Pixels lie between 0 and 1, and these do not. Divide bytes by 255; let `wrap` normalise inside the network.")
        )


def check_epsilon(epsilon: float) -> None:
    """Raises SettingError for an l_inf bound that no picture can keep."""
    if not 0 <= epsilon <= 1:
        raise SettingError(_("Epsilon must lie between 0 and 255/255."))


def check_counts(**counts: int) -> None:
    """Raises SettingError for a number of steps that is below 1."""
    for name, count in counts.items():
        if count < 1:
            raise SettingError(_("{name} must be at least 1.").format(name=name.replace("_", " ").capitalize()))
