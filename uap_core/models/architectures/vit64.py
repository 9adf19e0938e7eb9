"""The embedded vision transformer for 64x64 images (Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021).

The paper's letters: an image becomes N tokens of D numbers, z_0 = [x_p E] + E_pos; each of L blocks adds multi-head
self-attention (MSA), then a two-layer perceptron (MLP), both of layer-normalised (LN) tokens:

    z'_l = MSA(LN(z_(l-1))) + z_(l-1)        z_l = MLP(LN(z'_l)) + z'_l

Three things are not the paper's. A patch is looked at by two small convolutions before E, since few images teach a transformer
little (Xiao et al., "Early convolutions help transformers see better", NeurIPS 2021). The logits are read from the mean of the
tokens, not from one more token. The MLP is three times as wide as D, not four.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

D, L, HEADS, MLP_RATIO = 192, 6, 3, 3
PATCH, GRID = 8, 8  # pixels a side of a patch; patches a side of a 64x64 image, for which positions are learnt
STEM = (48, 96)
SPREAD = 0.02  # standard deviation of fresh positions and of the head


class Attention(nn.Module):
    """Multi-head self-attention, written out: each token takes from every token, by how well its query fits their keys."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(D, 3 * D)
        self.project = nn.Linear(D, D)

    def heads(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (n,N,D) to queries, keys and values, each (n,HEADS,N,D/HEADS)."""
        q, k, v = self.qkv(z).unflatten(-1, (3, HEADS, D // HEADS)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def forward(self, z: Tensor) -> Tensor:
        """Tokens (n,N,D) to what each takes from all, (n,N,D)."""
        q, k, v = self.heads(z)
        return self.project((attention(q, k) @ v).transpose(1, 2).flatten(2))


def attention(q: Tensor, k: Tensor) -> Tensor:
    """A = softmax(q k^T / sqrt(D_h)), (n,HEADS,N,N), from queries and keys (n,HEADS,N,D_h): the rows sum to one."""
    return ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).softmax(dim=-1)


class Block(nn.Module):
    """One layer of the encoder: attention mixes tokens, the perceptron works on each by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(D)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(D)
        self.widen = nn.Linear(D, MLP_RATIO * D)
        self.narrow = nn.Linear(MLP_RATIO * D, D)

    def forward(self, z: Tensor) -> Tensor:
        """Tokens (n,N,D) to tokens (n,N,D)."""
        z = z + self.attention(self.norm1(z))
        return z + self.narrow(F.gelu(self.widen(self.norm2(z)), approximate="tanh"))


class ViT64(nn.Module):
    """Normalised RGB (N,3,H,W) to logits (N, classes); sides in multiples of 8 pixels, other grids see stretched positions."""

    def __init__(self, classes: int = 100) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, STEM[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(STEM[0]),
            nn.ReLU(),
            nn.Conv2d(STEM[0], STEM[1], 3, 2, 1, bias=False),
            nn.BatchNorm2d(STEM[1]),
            nn.ReLU(),
            nn.Conv2d(STEM[1], D, 2, 2),
        )
        self.positions = nn.Parameter(torch.randn(1, D, GRID, GRID) * SPREAD)
        self.blocks = nn.Sequential(*(Block() for _ in range(L)))
        self.norm = nn.LayerNorm(D)
        self.head = nn.Linear(D, classes)
        self._begin()

    def _begin(self) -> None:
        """Fresh weights with which L blocks in a row neither swell nor shrink the tokens."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=SPREAD if layer is self.head else 0.7 * D**-0.5)
                nn.init.zeros_(layer.bias)
        for name, weight in self.named_parameters():
            if name.endswith(("project.weight", "narrow.weight")):
                weight.data.mul_((2 * L) ** -0.5)

    def tokens(self, x: Tensor) -> Tensor:
        """z_0: what the patches hold and where they lie, (n,N,D)."""
        maps = self.patches(x)
        where = F.interpolate(self.positions, size=maps.shape[-2:], mode="bicubic", align_corners=False)
        return (maps + where).flatten(2).transpose(1, 2)

    def on_the_way(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n, classes), and the tokens (n,N,D) halfway and at the end: what a teacher looks at."""
        z = halfway = self.tokens(x)
        for number, block in enumerate(self.blocks, start=1):
            z = block(z)
            halfway = z if number == L // 2 else halfway
        end = self.norm(z)
        return self.head(end.mean(dim=1)), halfway, end

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pixels to logits."""
        return self.on_the_way(x)[0]
