r"""A pattern by activations, without any picture: it makes every linear layer as loud as it can.

With a_l(x) the output of the l-th convolution or fully connected layer, maximise over random pictures x

    (1/L) sum_l log ||a_l(clamp(x + v, 0, 1))||_4.

The idea is that of GD-UAP (Mopuri et al., TPAMI 2019) and PSP-UAP (CVPR 2025): a pattern that overdrives all layers changes
the answer, whatever the picture. As in the latter the pictures are noise mixed with the pattern itself, which the network takes
for things, under random views. Ours are the noise, whose spectrum falls like that of photographs, the mixing half and half, the
4-norm (theirs is the 2-norm), and the steps: Adam in a ball that shrinks to epsilon, on a repeated tile, as in
``crafting/default.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import largest_value
from uap_core.crafting.default import Default
from uap_core.crafting.distributed import all_sum, my_share
from uap_core.crafting.menu import LARGE_SIDE, TILES, register_method, with_targets
from uap_core.crafting.problem import MEAN, Problem
from uap_core.crafting.random_views import draw_views, seen
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.noise import coloured_noise
from uap_core.models.bf16 import sixteen_bits
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import input_gradient
from uap_core.models.layer_outputs import layer_outputs
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import apply

OWN_VIEW = 0.1  # smallest side of a view of the pattern itself
POWER = 4  # of the norm of an output
TINY = 1e-30  # where an output is all zero


@register_method(
    "activations",
    "Activations",
    "after PSP-UAP, CVPR 2025",
    "Makes all layers as loud as it can, on noise mixed with the pattern itself: no pictures, no labels.",
    place=90,
    targets=False,
    needs_images=False,
    colour="#332288",
    marker="P",
)
@dataclass(frozen=True, kw_only=True)
class Activations(Default):
    """Craft without pictures: raise the log norms of all linear layers on drawn noise under random views (see the module).

    Args:
        own: share of the pattern itself in the pictures.
        exponent: of the noise's spectrum, see ``coloured_noise``.
        smallest_view: smallest side of a random view of the noise, as a share of its side.
        tiles: repetitions of one square across and down the pattern; 0 for four from 128 pixels on, two below, or one where
            they do not fill it.
        rate, start, shrinking, bf16: see ``Default``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> v = uap_core.craft(uap_core.load_model("resnet64"), method=uap_core.Activations(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6, v.provenance["craft_set"]
        (True, 'no images')
    """

    key: ClassVar[str] = "activations"
    needs_images: ClassVar[bool] = False
    untargeted: ClassVar[str] = "The activations method has no target: it knows no classes."
    least_tiles: ClassVar[int] = 0
    smallest_view: float = 0.3
    tiles: int = 0
    own: float = 0.5
    exponent: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.own <= 1 or not 0 <= self.exponent <= 2:
            raise SettingError("The pattern's own share of a picture is 0 to 1, and the exponent of the noise 0 to 2.")

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """There is no targeted form, and no worst of several networks: their layers have no common scale."""
        if criterion.targeted:
            raise SettingError(f"{self.untargeted} Choose one of: {with_targets()}.")
        if ensemble != MEAN:
            raise SettingError("The activations of several networks have no common scale: descend on their mean.")

    def tiles_of(self, shape: tuple[int, int]) -> int:
        """The tiles across and down for pictures of ``shape`` (H,W)."""
        fitting = TILES if min(shape) >= LARGE_SIDE else 2
        return self.tiles or (1 if any(side % fitting for side in shape) else fitting)

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The gradient at ``v`` of minus the mean log norm, over new pictures."""
        state.image_gradients += self.batch_size * len(problem.networks)
        mine = my_share(self.drawn(problem, state, self.batch_size, self.smallest_view))
        with torch.enable_grad():
            v = v.detach().requires_grad_(True)
            x = apply(mine.to(v.device), v)
            with sixteen_bits(x.device.type, self.bf16):
                sums = [loudness(layer_outputs(network, x)).sum() for network in problem.networks if len(mine)]
            value = -torch.stack([*sums, v.sum() * 0]).sum() / (self.batch_size * len(problem.networks))
        return all_sum(input_gradient(value, v).contiguous())

    def drawn(self, problem: Problem, state: State, count: int, smallest: float) -> Tensor:
        """``count`` pictures of noise, mixed with the pattern itself, both under random views, (count,3,H,W) in [0,1].

        ``smallest`` is the smallest side of a view of the noise, as a share of its side.
        """
        generator, v = state.generator, state.pattern.cpu()
        noise = coloured_noise(count, problem.shape, self.exponent, generator)
        noise = seen(noise, draw_views(count, smallest, generator))
        reach = largest_value(self.ball_after(problem.ball, (state.step + 1) / self.steps), v)
        amplified = 0.5 + (v / max(2 * reach, 1e-12)).clamp(-0.5, 0.5)  # faint at first, as the pattern is
        return torch.lerp(noise, seen(amplified.expand(count, -1, -1, -1), draw_views(count, OWN_VIEW, generator)), self.own)

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Scale to the surface of the ball: louder still."""
        state.pattern = problem.ball.fill(state.pattern)
        yield from ()


def loudness(outputs: list[Tensor]) -> Tensor:
    """The mean over layers of the log of each image's 4-norm of the output, up to a constant, (n,)."""
    return torch.stack([(MeanFourthPower.apply(output) + TINY).log() / POWER for output in outputs]).mean(dim=0)


class MeanFourthPower(torch.autograd.Function):
    """The mean of a^4 over all but the first axis of (n,...), in 32 bits, (n,): few large values count most.

    Its gradient is written out: torch's own chain of operations writes each tensor several times over, which took a third of a
    crafting step.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        """Squares of squares."""
        ctx.save_for_backward(a)
        squares = a.float().square()
        return (squares * squares).mean(dim=tuple(range(1, a.ndim)))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """4 a^3 over the number of values."""
        (a,) = ctx.saved_tensors
        wide = a.float()
        share = (POWER * gradient / (a.numel() // len(a))).view(-1, *[1] * (a.ndim - 1))
        return (wide.square() * wide * share).to(a.dtype)
