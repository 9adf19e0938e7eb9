"""The contract of single-image attacks: hyper-parameters in the constructor, data in the call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.aim import Aim
from uap_core.attacks.result import AttackResult
from uap_core.attacks.subject import Subject
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.texts import _


class Attack(ABC):
    """A frozen dataclass of hyper-parameters. Images of a batch never influence each other.

    ``targeted_only`` attacks need a target class.
    """

    targeted_only: ClassVar[bool] = False

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> AttackResult:
        """The result of ``stream``, without the results on the way, which cost something too."""
        subject = self._subject(classifier, images, labels, targeted)
        for _result in self.run(subject, generator or torch.Generator().manual_seed(0)):
            pass
        return subject.result()

    def stream(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targeted: bool = False,
        generator: torch.Generator | None = None,
    ) -> Iterator[AttackResult]:
        """Attack ``images`` (N,3,H,W) in [0,1] away from ``labels`` (N,), or towards them when ``targeted``.

        Yields the best so far, several times a second, and at last the result. ``generator`` is for attacks that draw
        numbers (seed 0 when left out): all images of a batch get the same ones, so that each fares as it would alone.
        Raises SettingError for pictures or labels that do not fit the network, or a target that is already predicted.
        """
        subject = self._subject(classifier, images, labels, targeted)
        for share in self.run(subject, generator or torch.Generator().manual_seed(0)):
            if share < 1:
                with subject.paused():
                    yield subject.result(share, done=False)
        yield subject.result()

    @abstractmethod
    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """Offer pictures to ``subject`` and yield the share of the work that is done, often enough to be stopped."""

    def _subject(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool) -> Subject:
        """What is attacked, once everything about it is in order."""
        self._check(classifier, images, labels, targeted)
        subject = Subject(classifier, images, Aim(labels.clone(), targeted))  # labels found in inference mode have no gradient
        if targeted:
            with torch.inference_mode():
                clean = subject.logits(images, subject.all)
            subject.labels = clean.argmax(dim=1)
            if bool((subject.labels == labels).any()):
                raise SettingError(_("The target is what the network already sees. Choose another class."))
        return subject

    def _check(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool) -> None:
        side = classifier.size
        if images.shape[1:] != (3, side, side) or not images.is_floating_point():
            raise SettingError(
                _("{network} takes images (N,3,{side},{side}) of floats, not {shape}.").format(
                    network=classifier.card.name, side=side, shape=tuple(images.shape)
                )
            )
        if labels.shape != images.shape[:1]:
            raise SettingError(
                _("There are {count} images and labels of shape {shape}: one each is needed.").format(
                    count=len(images), shape=tuple(labels.shape)
                )
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(classifier.labels):
            raise SettingError(
                _("{network} has classes 0 to {last}.").format(network=classifier.card.name, last=len(classifier.labels) - 1)
            )
        if self.targeted_only and not targeted:
            raise SettingError(_("{attack} is targeted: choose a target class.").format(attack=type(self).__name__))


def check_epsilon(epsilon: float) -> None:
    """Raises SettingError for an l_inf bound that no picture can keep."""
    if not 0 <= epsilon <= 1:
        raise SettingError(_("Epsilon must lie between 0 and 255/255."))


def check_counts(**counts: int) -> None:
    """Raises SettingError for a number of steps that is below 1."""
    for name, count in counts.items():
        if count < 1:
            raise SettingError(_("{name} must be at least 1.").format(name=name.replace("_", " ").capitalize()))
