"""The embedded depthwise network for 64x64 images: each 3x3 convolution stays within its channel, 1x1 ones mix them.

After MobileNet (Howard et al., 2017), with a shortcut around every layer that keeps its size.
"""

from __future__ import annotations

from torch import Tensor, nn

WIDTHS = (128, 256, 512)
DEPTHS = (3, 4, 3)
STEM = 64


class Separable(nn.Module):
    """Depthwise 3x3, pointwise 1x1, each with batch norm; a shortcut where input and output have the same size."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/stride, W/stride)."""
        y = self.relu(self.bn2(self.pointwise(self.bn1(self.depthwise(x)))))
        return x + y if self.has_shortcut else y


class Separable64(nn.Module):
    """Normalised RGB (N,3,64,64) to logits (N, classes)."""

    def __init__(self, classes: int = 100) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, STEM, 3, 2, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU()]
        channels = STEM
        for width, depth in zip(WIDTHS, DEPTHS, strict=True):
            for position in range(depth):
                layers.append(Separable(channels, width, 2 if position == 0 else 1))
                channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pixels to logits."""
        return self.head(self.features(x).mean(dim=(2, 3)))
