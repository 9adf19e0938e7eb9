"""The method of this project: the best combination when each part was ablated at equal cost.

It minimises the sum of two losses: the clipped log-probability of the clean prediction, and the cosine similarity to the clean
logits. It uses random views of the craft images, since a small craft set is quickly overfitted; small batches; Adam (in l2 a
running mean of directions) with a learning rate as large as the ball, falling linearly to zero; a ball that starts at twice its
radius and shrinks during the first part of the run, so that the first steps see informative gradients; and finally scales the
pattern to the surface of the ball.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.base import largest_value, saturate
from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.menu import register_method
from uap_core.crafting.optimizers import adam, mean_direction
from uap_core.crafting.problem import Problem
from uap_core.crafting.random_views import draw_views
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.norms import LINF, Ball

CLIP = 5.0
TURN = 0.5


def unlikely_and_turned(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
    """Minus min(cross-entropy of the clean prediction, CLIP s) plus TURN |z| cos(z, z'), logits (n,K) to (n,).

    z are the clean logits, z' the perturbed ones, s and |z| the standard deviation and the norm of z about its mean: both
    parts scale with the logits, so that networks with large and with small ones are treated alike. With a ``target`` its
    cross-entropy alone.
    """
    if target is not None:
        return clipped_cross_entropy(clean, perturbed, target)
    spread = clean.std(dim=1, unbiased=False)
    unlikely = F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none").minimum(CLIP * spread)
    return TURN * spread * clean.shape[1] ** 0.5 * F.cosine_similarity(clean, perturbed) - unlikely


def tiled(values: Tensor, tiles: int) -> Tensor:
    """Replace each of the ``tiles`` x ``tiles`` squares of ``values`` (C,H,W) by their mean; same shape.

    Of a gradient this is the gradient on the repeated square, up to a factor to which Adam is invariant.
    """
    if tiles == 1:
        return values
    channels, height, width = values.shape
    cut = values.view(channels, tiles, height // tiles, tiles, width // tiles)
    return cut.mean(dim=(1, 3)).repeat(1, tiles, tiles)


@register_method(
    "default",
    "This project's method",
    "this project",
    "Makes the clean label unlikely and turns the logits away, with Adam on moving views; the ball shrinks to epsilon.",
    place=10,
    short_name="this project's method",
    colour="#D55E00",
    marker="o",
)
@dataclass(frozen=True, kw_only=True)
class Default(FirstOrder):
    """Craft by the method of this project: two losses, random views, a ball that shrinks to epsilon (see the module).

    Args:
        rate: of the first step, as a share of what a value may reach.
        start: radius of the first ball, as a multiple of the final one.
        shrinking: share of the run during which the ball shrinks.
        smallest_view: smallest side of a random view, as a share of the image's side.
        tiles: repetitions of one square across and down the pattern; 1 for a free pattern.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Default(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "default"
    least_tiles: ClassVar[int] = 1
    batch_size: int = 8
    rate: float = 1.0
    start: float = 2.0
    shrinking: float = 0.6
    smallest_view: float = 0.8
    tiles: int = 1
    loss = staticmethod(unlikely_and_turned)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start < 1 or not 0 < self.shrinking <= 1:
            raise SettingError("The first ball is at least as large as the last, and shrinks over a share of the run.")
        if not 0 < self.smallest_view <= 1:
            raise SettingError("The smallest view is a share of the picture's side: above 0, up to 1.")
        if self.tiles < self.least_tiles:
            raise SettingError("A pattern has at least one tile.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Faint random signs. Raises SettingError for tiles that do not fill the picture."""
        tiles = self.tiles_of(problem.shape)
        for side in problem.shape:
            if side % tiles:
                raise SettingError(f"{tiles} tiles do not fill {side} pixels evenly.")
        return State(0.1 * tiled(problem.random_signs(generator), tiles), generator)

    def tiles_of(self, shape: tuple[int, int]) -> int:
        """The tiles across and down for pictures of ``shape`` (H,W)."""
        return self.tiles

    def step(self, problem: Problem, state: State) -> None:
        """One step in the present ball: of Adam in l_inf, along the mean direction in l2."""
        gradient = tiled(self.batch_gradient(problem, state, state.pattern), self.tiles_of(problem.shape))
        ball = self.ball_after(problem.ball, (state.step + 1) / self.steps)
        size = self.rate * largest_value(ball, state.pattern) * (1 - state.step / self.steps)
        direction = (adam if ball.p == LINF else mean_direction)(state.memory, gradient, state.step + 1)
        state.pattern = ball.project(state.pattern - size * direction)

    def views(self, batch: Tensor, state: State) -> Tensor:
        """Draw a new view of each image at every step."""
        return draw_views(len(batch), self.smallest_view, state.generator)

    def ball_after(self, ball: Ball, share: float) -> Ball:
        """The ball once ``share`` of the run is done."""
        radius = ball.radius * (1 + (self.start - 1) * max(0.0, 1 - share / self.shrinking))
        return Ball(ball.p, min(radius, 1.0) if ball.p == LINF else radius)

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Scale to the surface of the ball, unless that fools fewer images."""
        state.pattern = problem.ball.project(state.pattern)
        yield from saturate(problem, state)
