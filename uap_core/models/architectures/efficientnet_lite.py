"""EfficientNet-Lite0, 1 and 2, Google's for phones: inverted bottlenecks with ReLU6, without squeeze and excitation.

After EfficientNet (Tan and Le, ICML 2019) and MobileNetV2 (Sandler et al., CVPR 2018). Layers are called as in timm, which has
the same networks. Importing it, and with it torchvision and torch's compiler, costs a hundred megabytes and two seconds, and
these are the networks that the page opens with.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

# Kernel, stride, expansion, channels and depth of the seven stages of Lite0.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM, HEAD = 32, 1280  # channels, of every size
SCALES = {  # width, depth
    "tf_efficientnet_lite0": (1.0, 1.0),
    "tf_efficientnet_lite1": (1.0, 1.1),
    "tf_efficientnet_lite2": (1.1, 1.2),
}
EPSILON = 1e-3  # of batch norms, as TensorFlow's


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": where the padding is odd, the larger half is below and on the right."""

    def forward(self, x: Tensor) -> Tensor:
        """(N,C,H,W) to (N,K,ceil(H/stride),ceil(W/stride))."""
        pads = [self._pad(x.shape[axis], axis - 2) for axis in (3, 2)]
        return super().forward(F.pad(x, [side for pad in pads for side in (pad // 2, pad - pad // 2)]))

    def _pad(self, size: int, axis: int) -> int:
        stride, kernel = self.stride[axis], self.kernel_size[axis]
        return max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size, or divides it by ``stride``."""
    if stride == 1:
        return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


class Separable(nn.Module):
    """The block of the first stage: depthwise, then pointwise."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = convolution(inputs, inputs, kernel, stride, inputs)
        self.bn1 = nn.BatchNorm2d(inputs, EPSILON)
        self.conv_pw = convolution(inputs, outputs, 1)
        self.bn2 = nn.BatchNorm2d(outputs, EPSILON)
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/stride, W/stride)."""
        return self.bn2(self.conv_pw(self.relu(self.bn1(self.conv_dw(x)))))


class Bottleneck(nn.Module):
    """Pointwise to ``expansion`` times the channels, depthwise, pointwise back; a shortcut where nothing changes size."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.conv_pw = convolution(inputs, wide, 1)
        self.bn1 = nn.BatchNorm2d(wide, EPSILON)
        self.conv_dw = convolution(wide, wide, kernel, stride, wide)
        self.bn2 = nn.BatchNorm2d(wide, EPSILON)
        self.conv_pwl = convolution(wide, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs, EPSILON)
        self.relu1, self.relu2 = nn.ReLU6(inplace=True), nn.ReLU6(inplace=True)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/stride, W/stride)."""
        y = self.relu1(self.bn1(self.conv_pw(x)))
        y = self.bn3(self.conv_pwl(self.relu2(self.bn2(self.conv_dw(y)))))
        return x + y if self.has_shortcut else y


class EfficientNetLite(nn.Module):
    """Normalised RGB (N,3,S,S) to logits (N, classes)."""

    def __init__(self, width: float, depth: float, classes: int = 1000) -> None:
        super().__init__()
        self.conv_stem = convolution(3, STEM, 3, 2)
        self.bn1 = nn.BatchNorm2d(STEM, EPSILON)
        self.relu1 = nn.ReLU6(inplace=True)
        channels, stages = STEM, list[nn.Module]()
        for number, (kernel, stride, expansion, base, repeats) in enumerate(STAGES):
            outputs, blocks = to_eights(base * width), list[nn.Module]()
            if 0 < number < len(STAGES) - 1:
                repeats = math.ceil(repeats * depth)
            for position in range(repeats):
                shape = (channels, outputs, kernel, stride if position == 0 else 1)
                blocks.append(Separable(*shape) if expansion == 1 else Bottleneck(*shape, expansion))
                channels = outputs
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = convolution(channels, HEAD, 1)
        self.bn2 = nn.BatchNorm2d(HEAD, EPSILON)
        self.relu2 = nn.ReLU6(inplace=True)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(HEAD, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pixels to logits."""
        x = self.blocks(self.relu1(self.bn1(self.conv_stem(x))))
        return self.classifier(self.global_pool(self.relu2(self.bn2(self.conv_head(x)))).flatten(1))


def to_eights(channels: float) -> int:
    """The multiple of eight that is nearest to ``channels``, and not a tenth below it."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found if found >= 0.9 * channels else found + 8
