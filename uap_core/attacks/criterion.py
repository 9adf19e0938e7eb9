"""What counts as success, for an attack on single images and for a universal pattern alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.checks import check_type, check_whole, shown
from uap_core.errors import SettingError


@dataclass(frozen=True)
class Criterion:
    """State what counts as success: ``Criterion()`` is any change of the prediction, ``Criterion.into(3)`` is class 3.

    Args:
        labels: class index for all images, or indices (N,), one an image: the classes to become when ``targeted``, else those
            to leave. Left out, it is what the network predicts on the clean images.
        targeted: whether ``labels`` are targets to reach.

    Raises:
        SettingError: targeted, and no labels.

    Example:
        >>> import torch, uap_core
        >>> logits = torch.tensor([[5.0, 2.0, 3.0], [0.0, 4.0, 1.0]])
        >>> uap_core.Criterion.into(torch.tensor([1, 1])).reached(logits).tolist()
        [False, True]
        >>> uap_core.Criterion(torch.tensor([1, 1])).reached(logits).tolist()
        [True, False]
    """

    labels: Tensor | int | None = None
    targeted: bool = False

    def __post_init__(self) -> None:
        check_type("targeted", self.targeted, bool, "True or False")
        if isinstance(self.labels, Integral) and not isinstance(self.labels, bool):
            object.__setattr__(self, "labels", int(self.labels))  # NumPy's, too
            check_whole("a class", self.labels, least=0)
        elif self.labels is not None and not isinstance(self.labels, Tensor):
            raise SettingError(f"Labels are a tensor of class indices (N,), or one whole number, not {shown(self.labels)}.")
        if self.targeted and self.labels is None:
            raise SettingError("A targeted criterion needs a target class.")

    @classmethod
    def into(cls, target: Tensor | int) -> Criterion:
        """Reach ``target``: one class index for all images, or indices (N,)."""
        return cls(target, targeted=True)

    @property
    def target(self) -> int | None:
        """The target class of all images, if there is one."""
        return self.labels if self.targeted and isinstance(self.labels, int) else None

    def of(self, which: Tensor) -> Criterion:
        """The criterion of the images ``which`` (n,), by index."""
        return Criterion(self.labels[which], self.targeted) if isinstance(self.labels, Tensor) else self

    def for_images(self, clean: Tensor) -> Criterion:
        """The same with one label an image (N,); ``clean`` (N,) are the predictions on the clean images."""
        if isinstance(self.labels, Tensor):
            return self
        return Criterion(clean if self.labels is None else torch.full_like(clean, self.labels), self.targeted)

    @property
    def y(self) -> Tensor:
        """The labels (N,). Raises SettingError where they are not stated image by image: see ``for_images``."""
        if not isinstance(self.labels, Tensor):
            raise SettingError("This criterion states no label for each image.")
        return self.labels

    def reached(self, logits: Tensor) -> Tensor:
        """Where (n,) the prediction of ``logits`` (n,K) counts as success."""
        return (logits.argmax(dim=1) == self.y) == self.targeted

    def gap(self, scores: Tensor) -> Tensor:
        """How far (n,) ``scores`` (n,K) are from success: max_{j != y} Z_j - Z_y, or the reverse; below 0 once reached."""
        own, others = own_and_best_other(scores, self.y)
        return others - own if self.targeted else own - others

    def loss(self, logits: Tensor) -> Tensor:
        """What sign methods climb (n,): the cross-entropy J of the label to leave, or -J of the target."""
        return (-1 if self.targeted else 1) * F.cross_entropy(logits, self.y, reduction="none")


def own_and_best_other(Z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Z_y and max_{j != y} Z_j, (n,) each, of scores ``Z`` (n,K) and classes ``y`` (n,).

    The class y itself is masked with -inf: multiplying by 0 would fail where all logits are negative.
    """
    return Z.gather(1, y[:, None])[:, 0], Z.scatter(1, y[:, None], -math.inf).amax(dim=1)


def least_likely(logits: Tensor) -> Tensor:
    """The least likely class (n,) of ``logits`` (n,K): the hardest target (Kurakin et al., 2017)."""
    return logits.argmin(dim=1)


def runner_up(logits: Tensor) -> Tensor:
    """The second likeliest class (n,) of ``logits`` (n,K): the default target of attacks that need one."""
    return logits.topk(2, dim=1).indices[:, 1]
