"""The embedded residual network for 64x64 images (He et al., CVPR 2016, basic blocks).

Small enough to ship (2.3 million parameters) and quick enough to attack live on a laptop. The widths and depths put most
of the work where feature maps are small, which is where a processor without an accelerator is fastest.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 64, 128, 320)
DEPTHS = (1, 2, 3, 1)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the shortcut averages before it subsamples, so that no pixel is ignored."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/stride, W/stride)."""
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x))


class ResNet64(nn.Module):
    """Normalised RGB (N,3,64,64) to logits (N, classes). Fully convolutional until the mean, so 48x48 works too."""

    def __init__(self, classes: int = 100) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, WIDTHS[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(),
        ]
        channels = WIDTHS[0]
        for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
            for position in range(depth):
                layers.append(BasicBlock(channels, width, 2 if stage > 0 and position == 0 else 1))
                channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pixels to logits."""
        return self.head(self.features(x).mean(dim=(2, 3)))
