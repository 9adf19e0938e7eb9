"""Train an embedded network by a recipe, with a checkpoint after each epoch."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import DatasetError, SettingError
from uap_core.images.eight_bits import from_bytes
from uap_core.io.atomic import whole_file
from uap_core.models.bf16 import sixteen_bits
from uap_core.models.classifier import Normalise
from uap_core.models.denormals import no_denormals
from uap_core.models.device import device_of
from uap_core.training.augment import crop_and_flip, cutmix, jitter_colours
from uap_core.training.checkpoints import read_state
from uap_core.training.opponents import Opponent
from uap_core.training.recipe import Recipe
from uap_core.training.teacher import Lessons


@dataclass(frozen=True)
class EpochRow:
    """One finished epoch: mean training loss, and accuracy of the averaged weights on the validation images (0 to 1).

    The accuracy is that at the size of training, not yet enlarged.
    """

    epoch: int
    loss: float
    top1: float
    top5: float
    rate: float
    images_per_second: float
    seconds: float


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 250) -> tuple[float, float]:
    """Top-1 and top-5 accuracy in [0,1] of ``network`` on uint8 ``images`` (N,3,H,W) with class indices ``labels`` (N,)."""
    network.eval()
    device = device_of(network)
    top1 = top5 = 0
    for start in range(0, len(images), batch_size):
        logits = network(from_bytes(images[start : start + batch_size].to(device)))
        hits = logits.topk(min(5, logits.shape[1])).indices.cpu() == labels[start : start + batch_size, None]
        top1 += int(hits[:, 0].sum())
        top5 += int(hits.any(dim=1).sum())
    return top1 / len(images), top5 / len(images)


def train(
    network: nn.Module,
    craft: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    recipe: Recipe,
    checkpoint: Path,
    opponent: Opponent | None = None,
) -> Iterator[EpochRow]:
    """Train ``network`` (normalised images to logits) and yield a row an epoch; the averaged weights end up in it.

    ``craft`` and ``held_out`` are (uint8 images (N,3,H,W), int64 labels (N,)). If ``checkpoint`` exists the run continues
    from it, and the rows of finished epochs are yielded again first. ``opponent`` is the recipe's own when left out. Raises
    DatasetError for less than one batch, SettingError for a checkpoint of another network, recipe, opponent or set of pictures.
    """
    if len(craft[0]) < recipe.batch_size:
        raise DatasetError(f"Training needs at least {recipe.batch_size} images, one batch; there are {len(craft[0])}.")
    training = _Training(network, recipe, opponent or recipe.opponent())
    training.meet(*craft)
    rows = training.load(checkpoint)
    yield from rows
    for epoch in range(len(rows), recipe.epochs):
        started = time.perf_counter()
        with no_denormals():  # for an epoch only, since the mode is the whole thread's
            losses = training.epoch(*craft, epoch)
        seconds = time.perf_counter() - started
        top1, top5 = accuracy(training.averaged.module, *held_out)
        speed = len(losses) * recipe.batch_size / seconds
        rate = recipe.rate(epoch + (len(losses) - 1) / len(losses))
        rows.append(EpochRow(epoch + 1, sum(losses) / len(losses), top1, top5, rate, speed, round(seconds, 1)))
        training.save(checkpoint, rows)
        yield rows[-1]
    training.model.load_state_dict(training.averaged.module.state_dict())


class _Training:
    """The state of a training: model, averaged weights, optimiser, opponent and generator."""

    def __init__(self, network: nn.Module, recipe: Recipe, opponent: Opponent | None) -> None:
        self.recipe, self.opponent, self.device = recipe, opponent, device_of(network)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.model = nn.Sequential(Normalise().to(self.device), network)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.averaged = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True
        )
        self.lessons = _lessons_of(recipe)
        taught = [self.model] if self.lessons is None else [self.model, self.lessons.to(self.device)]
        self.optimisers = recipe.optimisers(nn.ModuleList(taught))
        self.classes, self.pictures = 0, ""
        self.began = _digest(self.model.state_dict().values())
        self.met = opponent.told if opponent else ""

    def meet(self, images: Tensor, labels: Tensor) -> None:
        """Take down what is trained on, and how many classes the network tells apart: the pictures may not have all of them."""
        if self.lessons:
            self.classes = self.lessons.teacher.network.head.out_features
        else:
            side = self.recipe.side(0)
            with torch.no_grad():
                self.model.eval()
                self.classes = self.model(from_bytes(images[:1, :, :side, :side].to(self.device))).shape[1]
        self.pictures = _digest([labels, *images.split(1000)])

    def epoch(self, images: Tensor, labels: Tensor, epoch: int) -> list[float]:
        """Go through the images once, as far as they make whole batches; the loss of each batch."""
        recipe, steps = self.recipe, len(images) // self.recipe.batch_size
        self.model.train()
        losses = []
        batches = torch.randperm(len(images), generator=self.generator).split(recipe.batch_size)[:steps]
        for step, batch in enumerate(batches):
            x, y = self._augmented(images[batch], F.one_hot(labels[batch], self.classes), epoch)
            if self.opponent:
                x = self.opponent.meet(self.model, x, y, self.generator)
            for group in itertools.chain.from_iterable(optimiser.param_groups for optimiser in self.optimisers):
                group["lr"] = recipe.rate(epoch + step / steps) * group.get("times", 1.0)
            loss = self._loss(x.to(memory_format=torch.channels_last), y, epoch)
            loss.backward()
            if self.opponent:
                self.opponent.learn()
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad()
            self.averaged.update_parameters(self.model)
            losses.append(float(loss.detach()))
        return losses

    def _loss(self, x: Tensor, y: Tensor, epoch: int) -> Tensor:
        """Of a batch ``x`` (n,3,S,S) in [0,1] with ``y`` (n,K): cross-entropy, or what a teacher makes of it."""
        with sixteen_bits(self.device.type):
            if self.lessons:
                normalise, pupil = self.model
                return self.lessons.loss(pupil, normalise(x), y, self.recipe.shown(epoch))
            logits = self.model(x)
        return F.cross_entropy(logits.float(), y, label_smoothing=self.recipe.label_smoothing)

    def _augmented(self, images: Tensor, y: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        """A batch of uint8 ``images`` as random crops in [0,1], and its labels (n,K), mixed by chance."""
        recipe, mixing = self.recipe, self.recipe.mixing(epoch)
        x = crop_and_flip(from_bytes(images.to(self.device)), recipe.side(epoch), recipe.smallest_crop, self.generator)
        x, y = jitter_colours(x, recipe.colour, self.generator), y.float().to(self.device)
        if mixing and float(torch.rand(1, generator=self.generator)) < mixing:
            return cutmix(x, y, self.generator)
        return x, y

    def load(self, checkpoint: Path) -> list[EpochRow]:
        """Restore ``checkpoint`` if it exists; the rows of the epochs that it has seen."""
        if not checkpoint.exists():
            return []
        state = read_state(checkpoint, *self._identity(), "model")
        if any(state[name] != value for name, value in self._identity().items()):
            raise SettingError(
                f"{checkpoint.name!r} holds the training of another network or recipe, or on other pictures or patterns. Name "
                "another --checkpoint, or move it away."
            )
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        for optimiser, known_state in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(known_state)
        if self.lessons:
            self.lessons.guides.load_state_dict(state["guides"])
        self.generator.set_state(state["generator"])
        if self.opponent:
            self.opponent.load(state["opponent"])
        return [EpochRow(**row) for row in state["rows"]]

    def _identity(self) -> dict[str, Any]:
        """What makes two trainings the same one."""
        return {"recipe": asdict(self.recipe), "pictures": self.pictures, "began": self.began, "met": self.met}

    def save(self, checkpoint: Path, rows: list[EpochRow]) -> None:
        """Write the checkpoint atomically: a run killed while saving keeps its last one."""
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "guides": self.lessons.guides.state_dict() if self.lessons else {},
            "generator": self.generator.get_state(),
            "rows": [asdict(row) for row in rows],
            **self._identity(),
            "opponent": self.opponent.state() if self.opponent else {},
        }
        with whole_file(checkpoint) as out:
            torch.save(state, out)


def _digest(tensors: Iterable[Tensor]) -> str:
    """SHA-256 of their values, in their order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _lessons_of(recipe: Recipe) -> Lessons | None:
    with torch.random.fork_rng():  # layers draw their first weights from torch's global generator
        torch.manual_seed(recipe.seed)
        return recipe.lessons()
