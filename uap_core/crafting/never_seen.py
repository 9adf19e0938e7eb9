r"""A pattern for networks that none of the crafting ones is: their labels and layers together, under input diversity.

With g_k and h_k of the k-th network as in ``crafting/few_pictures.py``, but at random pictures that are moved once they are
perturbed, step along

    sum_k ( g_k / ||g_k||_2 + loud h_k / ||h_k||_2 ).

Labels lead where these networks err; what makes all layers of several networks loud makes those of another one loud too. At one
length no network outvotes the others. Input diversity is Xie et al.'s (CVPR 2019, for single images), loud layers are those of
GD-UAP (TPAMI 2019) and PSP-UAP (CVPR 2025); joining them is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from uap_core.crafting.few_pictures import FewPictures
from uap_core.crafting.menu import register_method
from uap_core.crafting.state import State
from uap_core.crafting.transfer import check_wobble, draw_wobbles


@register_method(
    "never_seen",
    "This project's method, for networks never seen",
    "this project",
    "Labels and loud layers of all networks alike, on resized and shifted pictures: weaker here, strongest elsewhere.",
    place=20,
    targets=False,
)
@dataclass(frozen=True, kw_only=True)
class NeverSeen(FewPictures):
    """Craft for networks never seen, best on several others: labels and loud layers under input diversity (see the module).

    Args:
        wobble: strength of the input diversity: largest resizing and shift of the perturbed picture, as a share of its side.
        noise, loud, smallest_view: see ``FewPictures``.
        own, exponent, tiles: see ``Activations``.
        rate, start, shrinking, bf16: see ``Default``.
        budget, batch_size, interval, delta: see ``Crafter``. Each picture takes two gradients.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> networks = [uap_core.load_model(key) for key in ("resnet64", "vgg64")]
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(networks, images, method=uap_core.NeverSeen(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "never_seen"
    untargeted: ClassVar[str] = "The method for networks never seen has no target: loud layers lead anywhere."
    batch_size: int = 4
    wobble: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_wobble(self.wobble)

    def wobbles(self, batch: Tensor, state: State) -> Tensor:
        """Draw new maps for each picture at every step."""
        return draw_wobbles(len(batch), self.wobble, state.generator)
