r"""A pattern from few pictures, down to a single one: their answers decide, and what they cannot show comes from drawn noise.

With z(x) the logits, a_l(x) the output of the l-th of n convolutions and fully connected layers, J the loss of
``crafting/default.py``, and over random pictures x

    g = grad_v E[ J(z(x), z(clamp(x + v, 0, 1))) ],    h = grad_v E[ -(1/n) sum_l log ||a_l(clamp(x + v, 0, 1))||_4 ],

step along g / ||g||_2 + loud h / ||h||_2.

x is a random view of one of the pictures, or, for a share of each batch, noise mixed with the pattern itself, as in
``crafting/activations.py``. One picture is soon overfitted: noise is new at every step, and loud layers change answers whatever
the picture. Both expectations are taken over the whole batch, in one pass forward and two backward; the clean logits of the
moved pictures take another pass forward. At one length the two weigh alike in every network: without that, a weight that suits
MobileNet leaves GoogLeNet no better than random views alone. Both ideas have their sources (GD-UAP, TPAMI 2019; PSP-UAP, CVPR
2025; tiles: TSC-UAP, TIFS 2024); joining them is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.crafting.activations import TINY, Activations, loudness
from uap_core.crafting.default import unlikely_and_turned
from uap_core.crafting.distributed import all_sum, my_share
from uap_core.crafting.menu import register_method
from uap_core.crafting.problem import Problem
from uap_core.crafting.random_views import draw_views, seen
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.eight_bits import from_bytes
from uap_core.models.bf16 import sixteen_bits
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import input_gradient
from uap_core.models.layer_outputs import answers_and_outputs
from uap_core.perturbations.perturbation import apply

NOISE_VIEW = 0.3  # smallest side of a view of the noise


@register_method(
    "few_pictures",
    "Few pictures",
    "this project",
    "Makes the clean label unlikely and all layers loud, on views of the pictures and on drawn noise: for one to some dozens.",
    place=15,
    targets=False,
    colour="#882255",
    marker="X",
)
@dataclass(frozen=True, kw_only=True)
class FewPictures(Activations):
    """Craft from few pictures: their labels and the layers' log norms together, on them and on drawn noise (see the module).

    A batch is filled however few pictures there are, by other views of the same ones. It is small, one picture and one of
    noise: at one cost many steps on two do more than few steps on many.

    Args:
        noise: share of each batch that is drawn noise.
        loud: length of the layers' gradient, as a multiple of that of the labels'.
        smallest_view: smallest side of a random view of a picture, as a share of its side.
        own: share of the pattern itself in the noise pictures.
        exponent, tiles: see ``Activations``.
        rate, start, shrinking, bf16: see ``Default``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=1)
        >>> v = uap_core.craft(network, images, method=uap_core.FewPictures(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "few_pictures"
    needs_images: ClassVar[bool] = True
    untargeted: ClassVar[str] = "The method for few pictures has no target: loud layers lead anywhere."
    batch_size: int = 2
    smallest_view: float = 0.8
    noise: float = 0.5
    loud: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.noise < 1 or self.loud < 0:
            raise SettingError("The share of noise is from 0 to below 1, and the weight of the layers' norms 0 or more.")

    @property
    def steps(self) -> int:
        """Steps of the whole run: each takes two gradients of every picture of its batch."""
        return max(1, self.budget // (2 * self.batch_size))

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The direction at ``v`` on views of the next pictures and on new noise."""
        state.image_gradients += 2 * self.batch_size * len(problem.networks)
        mine = my_share(self._batch(problem, state)).to(v.device)
        with torch.enable_grad():
            v = v.detach().requires_grad_(True)
            x = apply(mine, v)
            with sixteen_bits(x.device.type, self.bf16):
                terms = [_labels_and_layers(network, mine, x) for network in problem.networks if len(mine)]
            nothing = v.sum() * 0  # of a process without pictures
            labels, layers = (sum(each, nothing) for each in zip((nothing, nothing), *terms, strict=True))
        g = all_sum(input_gradient(labels, v, retain_graph=True).contiguous())
        h = all_sum(input_gradient(layers, v).contiguous())
        return unit(g) + self.loud * unit(h)

    def _batch(self, problem: Problem, state: State) -> Tensor:
        """Views of the next pictures, then noise, (batch_size,3,H,W) in [0,1]."""
        drawn = min(self.batch_size - 1, round(self.noise * self.batch_size))
        pictures = from_bytes(problem.images[next_pictures(state, len(problem.images), self.batch_size - drawn)].cpu())
        pictures = seen(pictures, draw_views(len(pictures), self.smallest_view, state.generator))
        return torch.cat([pictures, self.drawn(problem, state, drawn, NOISE_VIEW)]) if drawn else pictures


def _labels_and_layers(network: Classifier, clean: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """What both gradients are of, summed over the pictures ``clean`` (n,3,H,W), perturbed to ``x``."""
    with torch.no_grad():
        before = network(clean).float()
    after, outputs = answers_and_outputs(network, x)
    return unlikely_and_turned(before, after.float()).sum(), -loudness(outputs).sum()


def unit(gradient: Tensor) -> Tensor:
    """``gradient`` at length 1; all zero where it is."""
    return gradient / gradient.norm().clamp_min(TINY)


def next_pictures(state: State, count: int, size: int) -> Tensor:
    """Indices (size,) of the next of ``count`` pictures: pass after pass, as many as it takes, each reshuffled."""
    while len(state.order) < size:
        state.order = torch.cat([state.order, torch.randperm(count, generator=state.generator)])
    batch, state.order = state.order[:size], state.order[size:]
    return batch
