"""The problem that a crafting method solves: networks, images, ball, criterion.

Methods use networks and images through here: the gradient of a loss on the pattern, predictions, and rates. With several
processes each batch is divided among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.distributed import all_sum, my_share
from uap_core.crafting.random_views import seen
from uap_core.errors import DatasetError, SettingError
from uap_core.images.batches import as_bytes
from uap_core.images.eight_bits import from_bytes
from uap_core.metrics import Rate, fooling_rate, target_rate
from uap_core.models.bf16 import sixteen_bits
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import input_gradient
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import apply

MEASURE_BATCH = 16  # no slower than 32 a picture, with half the memory: 700 MB instead of 1 100 on EfficientNet-Lite0
MEAN, WORST = "mean", "worst"
REMEMBERED = 2  # patterns whose predictions are cached: a run ends by measuring the same two again

# Logits (n,K) of the clean and of the perturbed images to the loss (n,).
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Problem:
    """Hold what a pattern is asked to do.

    Args:
        networks: one, or an ensemble of one input size.
        images: the craft set, uint8 (N,3,H,W); none of them where a method needs none.
        ball: what the pattern must stay in.
        criterion: what counts as success.
        clean: logits (N,K) of the clean images, for each network.
        ensemble: "mean" or "worst" of the networks' losses, which is descended on.
    """

    networks: tuple[Classifier, ...]
    images: Tensor
    ball: Ball
    criterion: Criterion
    clean: tuple[Tensor, ...]
    ensemble: str = MEAN
    _asked: list[tuple[Tensor, list[Tensor]]] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def pose(
        cls,
        networks: Sequence[Classifier],
        images: Tensor,
        ball: Ball,
        criterion: Criterion | None = None,
        ensemble: str = MEAN,
    ) -> Problem:
        """Compute the clean logits, once for the whole run.

        ``images`` (N,3,H,W) are uint8, or floats in [0,1], which are rounded to the nearest of 256 levels. Raises DatasetError,
        ModelError or SettingError for what cannot be posed.
        """
        criterion = Criterion() if criterion is None else criterion
        target = criterion.target
        if target is None and criterion.labels is not None:
            raise SettingError("One pattern has one criterion for all images: any other label, or one target class.")
        images = as_bytes(images)
        if not len(images):
            raise DatasetError("There are no images to craft on.")
        shapes = {network.shape for network in networks} - {None}
        if not networks or len(shapes) > 1:
            raise SettingError("A pattern needs a network, or several that take images of the same size.")
        shape = images.shape[-2], images.shape[-1]
        ball.check_seen(shape)
        ball.check_reach(shape)
        for network in networks:
            network.check_takes(images)
            network.learn_classes(images)
        if target is not None:
            if not all(0 <= target < len(network.labels) for network in networks):
                raise SettingError(f"There is no class {target} to aim at.")
            if len({network.labels[target] for network in networks}) != 1:
                raise SettingError("These networks number their classes differently, so they have no common target.")
        clean = tuple(clean_logits(network, images) for network in networks)
        return cls(tuple(networks), images, ball, criterion, clean, ensemble)

    @classmethod
    def without_images(cls, networks: Sequence[Classifier], ball: Ball, criterion: Criterion, ensemble: str = MEAN) -> Problem:
        """For methods that need none, (0,3,H,W) of the size that the networks take; nothing can be measured.

        Raises SettingError for networks that do not say that size, or say different ones.
        """
        shapes = {network.shape for network in networks} - {None}
        if len(shapes) != 1:
            raise SettingError(
                "Without images the networks must say which size they take, all the same one: wrap them with a size, or give "
                "images."
            )
        (shape,) = shapes
        assert shape is not None
        ball.check_reach(shape)
        ball.check_seen(shape)
        none = torch.empty((0, 3, *shape), dtype=torch.uint8)
        clean = tuple(torch.empty(0, len(network.labels)) for network in networks)
        return cls(tuple(networks), none, ball, criterion, clean, ensemble)

    def gradient(
        self,
        loss: Loss,
        batch: Tensor,
        v: Tensor,
        bf16: bool = False,
        views: Tensor | None = None,
        wobbles: Tensor | None = None,
    ) -> Tensor:
        """d loss / d v, the mean over the images of ``batch`` (indices) and over networks, or the worst network's.

        ``v`` is (3,H,W), or (n,3,H,W): one for each image of ``batch``; the result has its shape.

        The clamp to [0,1] is part of what is differentiated. With ``bf16`` the networks compute in 16 bits where that is
        fast (``sixteen_bits``); pattern, losses and gradient stay float32. ``views`` (n,2,3) move each image before the
        pattern is added, ``wobbles`` (n,2,3) move the perturbed image (input diversity).
        """
        mine = my_share(batch)
        with torch.enable_grad():
            v = v.detach().requires_grad_(True)
            moves = [None if maps is None else my_share(maps) for maps in (views, wobbles)]
            sums = self._sums(loss, mine, v, bf16, *moves)
            if self.ensemble == WORST:
                worst = int(all_sum(torch.stack(sums).detach()).argmax())
                sums = [sums[worst]]
            value = torch.stack(sums).mean() / len(batch)
        return all_sum(input_gradient(value, v).contiguous())

    def _sums(
        self, loss: Loss, mine: Tensor, v: Tensor, bf16: bool, views: Tensor | None, wobbles: Tensor | None
    ) -> list[Tensor]:
        """The loss summed over the images ``mine`` (indices), for each network."""
        if not len(mine):  # more processes than images: some networks cannot take an empty batch
            return [v.sum() * 0 for _ in self.networks]
        images = from_bytes(self.images[mine].to(v.device))
        x = apply(images if views is None else seen(images, views), v if v.ndim == 3 else my_share(v))
        x = x if wobbles is None else seen(x, wobbles)
        pairs = zip(self.networks, self.clean, strict=True)
        with sixteen_bits(x.device.type, bf16):
            logits = [(clean[mine], network(x)) for network, clean in pairs]
        return [loss(clean, under.float()).sum() for clean, under in logits]

    @property
    def device(self) -> torch.device:
        """Where the networks are: patterns live and are moved there, images stay where they are until they are used."""
        return self.networks[0].device

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images, and of the pattern."""
        return self.images.shape[2], self.images.shape[3]

    def random_signs(self, generator: torch.Generator) -> Tensor:
        """Random signs of the ball's norm, where the networks are."""
        return self.ball.random_signs(tuple(self.images.shape[1:]), generator).to(self.device)

    def rate(self, v: Tensor) -> Rate:
        """How often ``v`` succeeds: over all images, and over all networks of an ensemble."""
        return self.held_to(self.criterion.target, v)

    def held_to(self, target: int | None, v: Tensor) -> Rate:
        """Fooling rate, or with a ``target`` the target rate: the share that becomes it among images that were something
        else."""
        count, total, mine = 0, 0, my_share(torch.arange(len(self.images)))
        for clean, after in zip(self.clean, self._answers(v, mine), strict=True):
            before = clean[mine].argmax(dim=1)
            mine_alone = fooling_rate(before, after) if target is None else target_rate(before, after, target)
            found = all_sum(torch.tensor([mine_alone.count, mine_alone.total], device=before.device))
            count, total = count + int(found[0]), total + int(found[1])
        return Rate(count, total)

    def _answers(self, v: Tensor, mine: Tensor) -> list[Tensor]:
        """Predictions (n,) of the images ``mine`` (indices) under ``v``, a network; the last ones are remembered."""
        if not bool(v.any()):
            return [clean[mine].argmax(dim=1) for clean in self.clean]
        v = v.to(self.device)
        for pattern, answers in self._asked:
            if torch.equal(pattern, v):
                return answers
        answers = [predicted(network, self.images[mine], v) for network in self.networks]
        self._asked[:] = [*self._asked, (v.clone(), answers)][-REMEMBERED:]
        return answers


def perturbed(images: Tensor, v: Tensor) -> Tensor:
    """clamp(x + v, 0, 1) for uint8 ``images`` (n,3,H,W), as float32."""
    return apply(from_bytes(images.to(v.device)), v)


@torch.no_grad()
def clean_logits(classifier: Classifier, images: Tensor) -> Tensor:
    """Logits (N,K) of uint8 ``images`` (N,3,H,W), computed once for a whole run."""
    return torch.cat([classifier(from_bytes(part.to(classifier.device))) for part in images.split(MEASURE_BATCH)])


@torch.inference_mode()
def predicted(classifier: Classifier, images: Tensor, v: Tensor) -> Tensor:
    """Predicted class indices (N,) of uint8 ``images`` under ``v``."""
    if not len(images):
        return torch.empty(0, dtype=torch.long, device=v.device)
    return torch.cat([classifier(perturbed(part, v)).argmax(dim=1) for part in images.split(MEASURE_BATCH)])
