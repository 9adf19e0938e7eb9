"""How the embedded networks were trained: SGD on a one-cycle schedule, small images first, averaged weights.

One checkpoint, written after each epoch, holds the whole state: a run may be stopped and continued at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from uap_core.errors import SettingError
from uap_core.norms import of_levels
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
        epsilon=of_levels(4),
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
        epsilon=of_levels(10),
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


def one_cycle(progress: float) -> float:
    """The share of the peak rate at ``progress`` in [0,1]: linear to 1 over the first fifth, then linear to 0."""
    return progress / 0.2 if progress < 0.2 else (1 - progress) / 0.8
