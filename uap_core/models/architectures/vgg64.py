"""The embedded plain network for 64x64 images: 3x3 convolutions, ReLU and max pooling, after VGG (Simonyan & Zisserman, 2015).

No shortcuts, and no batch norm: it is trained with one, which is then folded into the convolutions, so that what ships and is
attacked is convolution and ReLU alone.
"""

from __future__ import annotations

from torch import Tensor, nn

STAGES = ((32,), (48,), (96, 128), (192, 256), (320,))


class VGG64(nn.Module):
    """Normalised RGB (N,3,64,64) to logits (N, classes); with ``batch_norm`` while it is trained."""

    def __init__(self, classes: int = 100, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage, widths in enumerate(STAGES):
            for width in widths:
                stride = 2 if channels == 3 else 1  # the first convolution sees every pixel; pooling comes later
                layers.append(nn.Conv2d(channels, width, 3, stride, 1, bias=not batch_norm))
                # A place for it in either case, so that the layers' names are the same.
                layers.append(nn.BatchNorm2d(width) if batch_norm else nn.Identity())
                layers.append(nn.ReLU())
                channels = width
            if 0 < stage < len(STAGES) - 1:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pixels to logits."""
        return self.head(self.features(x).mean(dim=(2, 3)))
