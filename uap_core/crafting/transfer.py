"""The project's method with input diversity: the perturbed picture is enlarged, shrunk and shifted at random as well.

Such a pattern depends less on one network and transfers better to unseen ones (Xie et al., CVPR 2019, for single images), at a
small cost on the networks it was crafted on. Works best on an ensemble.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.crafting.default import Default
from uap_core.crafting.menu import register_method
from uap_core.crafting.state import State
from uap_core.errors import SettingError


def draw_wobbles(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """``count`` maps (count,2,3) as in ``random_views``: sizes from 1 / (1 + ``strength``) to 1 + ``strength``, evenly in their
    logarithm, and shifts of up to ``strength`` / 4 of the side, across and down."""
    side = (1 + strength) ** (2 * torch.rand(count, generator=generator) - 1)
    middle = strength / 2 * (2 * torch.rand(count, 2, generator=generator) - 1)
    zero = torch.zeros(count)
    across, down = torch.stack([side, zero, middle[:, 0]], dim=1), torch.stack([zero, side, middle[:, 1]], dim=1)
    return torch.stack([across, down], dim=1)


@register_method(
    "transfer",
    "This project's method, for networks never seen",
    "this project; input diversity: Xie et al., CVPR 2019",
    "The same with input diversity: the perturbed picture is resized and shifted at random. Weaker here, stronger elsewhere.",
    place=20,
)
@dataclass(frozen=True, kw_only=True)
class Transfer(Default):
    """Craft as ``Default`` does with input diversity, for unseen networks: resize and shift the perturbed picture at random.

    Xie et al., "Improving transferability of adversarial examples with input diversity", CVPR 2019, for single images.

    Args:
        wobble: strength of the input diversity: largest resizing and shift of the perturbed picture, as a share of its side.
        rate, start, shrinking, smallest_view, tiles: see ``Default``.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Transfer(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "transfer"
    wobble: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wobble < 0:
            raise SettingError("The input diversity (wobble) is a share of the picture's side: 0 or more.")

    def wobbles(self, batch: Tensor, state: State) -> Tensor:
        """Draw new maps for each image at every step."""
        return draw_wobbles(len(batch), self.wobble, state.generator)
