"""Learning from a network that knows the task: from its probabilities, and from where its feature maps see what.

Probabilities as targets are distillation (Hinton et al., 2015; for transformers Touvron et al., DeiT, ICML 2021). Tokens
that imitate a convolutional network's feature maps at the same place are "locality guidance" (Li et al., ECCV 2022): what
lies side by side belongs together, which a convolution knows from the start and attention must learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.models.architectures.resnet64 import WIDTHS, ResNet64
from uap_core.models.architectures.vit64 import PATCH, D, ViT64
from uap_core.models.card import Card
from uap_core.models.tensors import read_tensors


class Teacher(nn.Module):
    """A frozen ResNet-64: normalised pixels (n,3,S,S) to logits and its last two feature maps, of 1/8 and 1/16 of the side."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.network = ResNet64(len(card.classes))
        self.network.load_state_dict({name: value.float() for name, value in read_tensors(card.weights_path).items()})
        self.network.requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.train(False)

    def train(self, mode: bool = True) -> Teacher:
        """Stay as it is: what it knows is not to change."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (n, classes) and maps (n,C,h,w)."""
        early = self.network.features[:-1](x)
        late = self.network.features[-1](early)
        return self.network.head(late.mean(dim=(2, 3))), [early, late]


class Lessons(nn.Module):
    """What a pupil is told by its ``teacher``; the linear maps from its tokens to the teacher's channels learn with it."""

    def __init__(self, teacher: Teacher, share: float, guidance: float) -> None:
        super().__init__()
        self.teacher, self.share, self.guidance = teacher, share, guidance
        self.guides = nn.ModuleList(nn.Linear(D, channels) for channels in WIDTHS[-2:])

    def loss(self, pupil: nn.Module, x: Tensor, y: Tensor, side: int) -> Tensor:
        """The loss of a ``pupil`` that sees ``x`` (n,3,S,S), normalised, at ``side`` pixels; ``y`` (n, classes) are shares.

        Raises SettingError for a pupil without tokens to look at.
        """
        if not isinstance(pupil, ViT64):
            raise SettingError("Only a vision transformer can be taught beside a teacher.")
        logits, maps = self.teacher(x)
        seen = x if x.shape[-1] == side else F.interpolate(x, size=(side, side), mode="bilinear", antialias=True)
        answer, halfway, end = pupil.on_the_way(seen)
        targets = (1 - self.share) * y + self.share * logits.float().softmax(dim=1)
        return F.cross_entropy(answer.float(), targets) + self.guidance * self.distance([halfway, end], maps, side // PATCH)

    def distance(self, tokens: Sequence[Tensor], maps: Sequence[Tensor], grid: int) -> Tensor:
        """Squared distance of tokens (n,grid^2,D), each through its linear map, from standardised maps; mean, then sum."""
        terms = []
        for guide, z, wanted in zip(self.guides, tokens, maps, strict=True):
            wanted = at_grid(wanted.float(), grid)
            terms.append((guide(z).float().transpose(1, 2).reshape(wanted.shape) - wanted).square().mean())
        return torch.stack(terms).sum()


def at_grid(maps: Tensor, grid: int) -> Tensor:
    """``maps`` (n,C,h,w) on ``grid`` x ``grid`` places, each channel with mean 0 and deviation 1 over the batch."""
    if maps.shape[-1] != grid:
        maps = F.interpolate(maps, size=(grid, grid), mode="bilinear", align_corners=False, antialias=maps.shape[-1] > grid)
    return F.batch_norm(maps, None, None, training=True)
