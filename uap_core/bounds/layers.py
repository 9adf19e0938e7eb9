"""How far one layer can stretch a change: upper bounds of its Lipschitz constant from l2 to l2.

A layer f has the constant L when ||f(x) - f(y)|| <= L ||x - y|| for all x and y. For a linear layer that is its largest
singular value. Szegedy et al. (2013, section 4.3) compute it for convolutions from their Fourier coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

CHUNK = 2**22  # complex numbers at a time
MARGIN = 1 + 1e-4  # for rounding in 32 bits where a matrix is skipped; the result is computed in 64
ITERATIONS, TOLERANCE = 100, 1e-4  # of the power method
Pair = tuple[int, int]


def matrix_norm(matrix: Tensor) -> float:
    """The largest singular value of a matrix, real or complex: the constant of a fully connected layer."""
    matrix = matrix.detach().to(torch.complex128 if matrix.is_complex() else torch.float64)
    gram = matrix.mH @ matrix if matrix.shape[0] > matrix.shape[1] else matrix @ matrix.mH
    return math.sqrt(max(0.0, float(torch.linalg.eigvalsh(gram)[-1])))


@dataclass(frozen=True)
class Convolution:
    """``weight`` (D, C / groups, kh, kw), zeros around, input of ``size`` (H, W); bias moves all outputs alike and is left out.

    The circular bound holds for the layer as it is, with zeros around: embed the picture in zeros on a circle of at least
    H + 2 padding a side, which keeps norms, and the circular layer gives there every output of the real one, since none of
    these windows reaches around the circle. It has other outputs too, and omitting them shortens the result: so the real
    layer's norm is never above the circular one's.
    """

    weight: Tensor
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    size: Pair

    @property
    def circle(self) -> Pair:
        """Sides of that circle, in whole strides. A 1x1 kernel treats all frequencies alike, so that one of them is enough."""
        sides = zip(self.size, self.padding, self.stride, self.weight.shape[2:], strict=True)
        height, width = (s if k == 1 else math.ceil((n + 2 * p) / s) * s for n, p, s, k in sides)
        return height, width

    def circular_bound(self) -> float:
        """The exact norm of the strided layer on the circle (Szegedy et al., 2013): an upper bound of the real layer's.

        A stride s folds s x s frequencies of the input onto one of the output. So the circular layer is one matrix
        (D, C s^2) of Fourier coefficients over s for each output frequency, and its norm is their largest singular value.
        """
        unit = float(self.weight.abs().max())  # powers of very small or large weights would leave the range of 32 bits
        return unit * replace(self, weight=self.weight / unit)._largest_fourier() if 0 < unit < math.inf else unit

    def _largest_fourier(self) -> float:
        largest = 0.0
        for matrices in self._fourier():
            limits = torch.linalg.matrix_norm(matrices)  # Frobenius: never below the largest singular value
            largest = max(largest, matrix_norm(matrices[limits.argmax()]))
            matrices = matrices[limits * MARGIN > largest]
            power = matrices.mH @ matrices if matrices.shape[1] > matrices.shape[2] else matrices @ matrices.mH
            for exponent in (2, 4, 8):  # that of a power comes closer: what cannot exceed the largest is not looked at closely
                limits = torch.linalg.matrix_norm(power).pow(1 / exponent)
                near = limits * MARGIN > largest
                matrices, limits, power = matrices[near], limits[near], power[near] @ power[near]
            for limit, matrix in zip(limits.tolist(), matrices, strict=True):
                if limit * MARGIN > largest:
                    largest = max(largest, matrix_norm(matrix))
        return largest

    def real_norm(self, generator: torch.Generator) -> float:
        """The norm of the layer with zero padding, by the power method: an estimate from below."""
        x = torch.randn((1, self.weight.shape[1] * self.groups, *self.size), generator=generator)
        settings = self.stride, self.padding, self.dilation, self.groups
        norm = 0.0
        for _ in range(ITERATIONS):
            length = x.norm()
            if length == 0:
                break
            y = F.conv2d(x / length, self.weight, None, *settings)
            before, norm = norm, float(y.norm())
            if norm <= before * (1 + TOLERANCE):
                break
            x = conv2d_input(x.shape, self.weight, y, *settings)
        return norm

    def _fourier(self) -> Iterator[Tensor]:
        """The matrices (n, D / groups, C / groups * s^2) of all groups and output frequencies, some at a time.

        Half of the frequencies is enough: the kernel is real, so opposite ones have the same singular values.
        """
        (high, wide), (down, across) = self.circle, self.stride
        outputs, inputs, *kernel = self.weight.shape
        kernels = self.weight.reshape(self.groups, -1, inputs, math.prod(kernel)).to(torch.complex64)
        rows, columns = (_waves(n, k, d) for n, k, d in zip(self.circle, kernel, self.dilation, strict=True))
        folded_rows = torch.arange(high).view(down, -1).T  # (output frequency, those folded onto it)
        folded_columns = torch.arange(wide).view(across, -1).T[: wide // across // 2 + 1]
        pairs = torch.cartesian_prod(torch.arange(len(folded_rows)), torch.arange(len(folded_columns)))
        for i, j in (part.T for part in pairs.split(max(1, CHUNK // (outputs * inputs * down * across)))):
            waves = torch.einsum("nap,nbq->nabpq", rows[folded_rows[i]], columns[folded_columns[j]]).flatten(3).flatten(1, 2)
            found = torch.einsum("gdct,nat->gndca", kernels, waves) / math.sqrt(down * across)
            yield found.flatten(0, 1).flatten(2)


def _waves(side: int, kernel: int, dilation: int) -> Tensor:
    """e^(-2 pi i f t / side) for every frequency f and every place t of a kernel's taps, (side, kernel)."""
    angle = -2 * math.pi / side * torch.outer(torch.arange(side), dilation * torch.arange(kernel)).double()
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def max_pool_bound(kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> float:
    """The square root of the number of windows that contain a pixel: 2 for 3x3 windows at stride 2, 1 where they do not
    overlap.

    Two maxima over one window differ by no more than the largest difference within it; and the square of each pixel's
    difference is counted at most once for each window that contains the pixel.
    """
    return math.sqrt(math.prod(math.ceil(k * math.gcd(d, s) / s) for k, s, d in zip(kernel, stride, dilation, strict=True)))


def positive_bound(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> float:
    """For a linear layer whose weights are not negative (means, bilinear enlarging, selections), input of ``shape``.

    Schur's test: the norm of a matrix is at most the root of its largest row sum times its largest column sum. Both come from
    a picture of ones: what the layer makes of it, and the gradient of the sum of that.
    """
    with torch.inference_mode(False), torch.enable_grad():
        ones = torch.ones(shape, dtype=torch.float64, requires_grad=True)
        rows = layer(ones)
        (columns,) = torch.autograd.grad(rows.sum(), ones)
    return math.sqrt(float(rows.detach().max()) * float(columns.max()))
