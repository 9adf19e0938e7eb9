"""How the embedded networks were trained: SGD on a one-cycle schedule, small images first, averaged weights.

One checkpoint, written after each epoch, holds the whole state: a run may be stopped and continued at any time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import DatasetError, SettingError
from uap_core.io.atomic import whole_file
from uap_core.models.bf16 import sixteen_bits
from uap_core.models.classifier import Normalise
from uap_core.models.device import device_of
from uap_core.training.augment import crop_and_flip, cutmix, jitter_colours
from uap_core.training.opponents import EachImage, LearningPattern, Opponent

IMAGES, UNIVERSAL = "images", "universal"
OPPONENTS = (IMAGES, UNIVERSAL)


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    ``size`` is that of the pictures and of what the network takes in use. ``small_share`` of the ``epochs`` see crops of
    ``small_size`` pixels, the rest of ``large_size``; CutMix joins ``mix_chance`` of the batches until the last
    ``plain_share`` of them, which see unmixed images. Random crops show things larger than whole pictures do, so in use the
    network sees its pictures enlarged to ``view_size`` (Touvron et al., "Fixing the train-test resolution discrepancy",
    NeurIPS 2019): here by a quarter, about the mean enlargement of the crops; with 0 it sees them as they are.

    With an ``epsilon`` above 0 the share 1 - ``alpha`` of each batch is attacked in l_inf, ``against`` each image by itself or
    one universal pattern (see ``opponents``). ``start`` names the embedded network whose weights the run begins with; fresh
    ones when empty.
    """

    epochs: int = 50
    batch_size: int = 128
    peak_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    smallest_crop: float = 0.35
    colour: float = 0.3
    mix_chance: float = 0.5
    plain_share: float = 0.15
    size: int = 64
    small_size: int = 48
    small_share: float = 0.45
    large_size: int = 64
    average_decay: float = 0.998
    view_size: int = 80
    seed: int = 0
    epsilon: float = 0.0
    alpha: float = 0.5
    against: str = IMAGES
    start: str = ""

    def rate(self, moment: float) -> float:
        """The learning rate after ``moment`` epochs, a real number."""
        return self.peak_rate * one_cycle(moment / self.epochs)

    def side(self, epoch: int) -> int:
        """Pixels a side of the crops of one epoch."""
        return self.small_size if epoch < self.small_share * self.epochs else self.large_size

    def mixing(self, epoch: int) -> float:
        """The chance of CutMix for a batch of one epoch."""
        return self.mix_chance if epoch < (1 - self.plain_share) * self.epochs else 0.0

    def opponent(self) -> Opponent | None:
        """The threat model of the training, or None. Raises SettingError for an unknown one."""
        if self.against not in OPPONENTS:
            raise SettingError(
                f"A network is trained against {', '.join(OPPONENTS[:-1])} or {OPPONENTS[-1]}, not against {self.against!r}."
            )
        if not self.epsilon:
            return None
        if self.against == UNIVERSAL:
            return LearningPattern(self.epsilon, self.alpha, self.large_size)
        return EachImage(self.epsilon, self.alpha)


# What ships was made by these. All but the first see small crops only, which costs half as much to train and to use; each view
# was the best of several on training images.
RECIPES = {
    "resnet64": Recipe(),
    "vgg64": Recipe(epochs=28, mix_chance=0.0, small_size=32, small_share=0.5, large_size=48, view_size=48),
    "separable64": Recipe(epochs=36, mix_chance=0.2, small_share=1.0, view_size=60),
    "resnet64_robust": Recipe(
        epochs=15,
        peak_rate=0.06,
        mix_chance=0.0,
        small_share=1.0,
        view_size=0,
        epsilon=4 / 255,
        alpha=0.0,
        start="resnet64",
    ),
    # A pattern belongs to one size of picture.
    "resnet64_universal": Recipe(
        epochs=3,
        peak_rate=0.02,
        mix_chance=0.0,
        small_share=0.0,
        view_size=0,
        epsilon=10 / 255,
        against=UNIVERSAL,
        start="resnet64",
    ),
}


def recipe_of(
    architecture: str, epochs: int | None, seed: int, epsilon: float, alpha: float | None, against: str = IMAGES
) -> Recipe:
    """The recipe of an ``architecture``, attacked when ``epsilon`` is above 0; None for its own ``epochs`` and ``alpha``."""
    own = RECIPES.get(architecture, Recipe())
    if epsilon:
        # Mixed pictures and attacked ones at once are more than a small network can learn; a pattern fits one size of crops.
        share = 0.0 if against == UNIVERSAL else own.small_share
        plain = replace(own, mix_chance=0.0, small_share=share)
        own = RECIPES.get(f"{architecture}_{'universal' if against == UNIVERSAL else 'robust'}", plain)
    alpha = own.alpha if alpha is None else alpha
    return replace(own, epochs=epochs or own.epochs, seed=seed, epsilon=epsilon, alpha=alpha, against=against)


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


def one_cycle(progress: float) -> float:
    """The share of the peak rate at ``progress`` in [0,1]: linear to 1 over the first fifth, then linear to 0."""
    return progress / 0.2 if progress < 0.2 else (1 - progress) / 0.8


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 250) -> tuple[float, float]:
    """Top-1 and top-5 accuracy in [0,1] of ``network`` on uint8 ``images`` (N,3,H,W) with class indices ``labels`` (N,)."""
    network.eval()
    device = device_of(network)
    top1 = top5 = 0
    for start in range(0, len(images), batch_size):
        logits = network(images[start : start + batch_size].to(device).float() / 255)
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

    ``craft`` and ``held_out`` are (uint8 images (N,3,H,W), int64 labels (N,)). If ``checkpoint`` exists the run
    continues from it, and the rows of finished epochs are yielded again first. ``opponent`` is the recipe's own when left out.
    Raises DatasetError for less than one batch, SettingError for a checkpoint of another network or recipe.
    """
    images, labels = craft
    steps = len(images) // recipe.batch_size
    if not steps:
        raise DatasetError(f"Training needs at least {recipe.batch_size} images, one batch; there are {len(images)}.")
    classes = int(labels.max()) + 1
    generator = torch.Generator().manual_seed(recipe.seed)
    device = device_of(network)
    model = nn.Sequential(Normalise().to(device), network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True
    )
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.peak_rate,
        momentum=recipe.momentum,
        nesterov=True,
    )
    opponent = opponent or recipe.opponent()
    rows: list[EpochRow] = []
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        shapes = [tuple(tensor.shape) for tensor in model.state_dict().values()]
        if state.get("recipe") != asdict(recipe) or [tuple(tensor.shape) for tensor in state["model"].values()] != shapes:
            raise SettingError(
                f"{checkpoint.name!r} holds the training of another network or recipe. Name another --checkpoint."
            )
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        generator.set_state(state["generator"])
        if opponent:
            opponent.load(state["opponent"])
        rows = [EpochRow(**row) for row in state["rows"]]
    yield from rows

    for epoch in range(len(rows), recipe.epochs):
        started = time.perf_counter()
        torch.set_flush_denormal(True)  # for an epoch only, since the mode is the whole thread's
        model.train()
        losses = []
        side, mixing = recipe.side(epoch), recipe.mixing(epoch)
        for step, batch in enumerate(torch.randperm(len(images), generator=generator).split(recipe.batch_size)[:steps]):
            x = crop_and_flip(images[batch].to(device).float() / 255, side, recipe.smallest_crop, generator)
            x = jitter_colours(x, recipe.colour, generator)
            y = F.one_hot(labels[batch], classes).float().to(device)
            if mixing and float(torch.rand(1, generator=generator)) < mixing:
                x, y = cutmix(x, y, generator)
            if opponent:
                x = opponent.meet(model, x, y, generator)
            rate = recipe.rate(epoch + step / steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            with sixteen_bits(device.type):
                logits = model(x.to(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), y, label_smoothing=recipe.label_smoothing)
            loss.backward()
            if opponent:
                opponent.learn()
            optimiser.step()
            optimiser.zero_grad()
            averaged.update_parameters(model)
            losses.append(float(loss.detach()))
        seconds = time.perf_counter() - started
        torch.set_flush_denormal(False)
        top1, top5 = accuracy(averaged.module, *held_out)
        rows.append(
            EpochRow(epoch + 1, sum(losses) / steps, top1, top5, rate, steps * recipe.batch_size / seconds, round(seconds, 1))
        )
        _save(
            checkpoint,
            {
                "model": model.state_dict(),
                "averaged": averaged.state_dict(),
                "optimiser": optimiser.state_dict(),
                "generator": generator.get_state(),
                "rows": [asdict(row) for row in rows],
                "recipe": asdict(recipe),
                "opponent": opponent.state() if opponent else {},
            },
        )
        yield rows[-1]
    model.load_state_dict(averaged.module.state_dict())


def _save(path: Path, state: dict[str, object]) -> None:
    """A run killed while saving keeps its last whole checkpoint."""
    with whole_file(path) as out:
        torch.save(state, out)
