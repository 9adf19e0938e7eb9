"""The l_p ball that a perturbation must stay in: project, draw from, measure. Pixels are in [0,1]; 0-255 is for reading."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from uap_core.checks import check_number, check_type
from uap_core.errors import SettingError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

LINF, L2 = "linf", "l2"
LEVELS = 255  # from black to white in 8 bits: the scale on which people read and type sizes
PAPERS_SHARE = 0.02  # of the largest l2 norm there is: what the paper's 2000/255 is of 224 x 224 pixels
LEAST = 0.1 / LEVELS  # a change that no 8-bit picture shows

Size = TypeVar("Size", float, "Tensor", "NDArray[Any]")


def of_levels(levels: Size) -> Size:
    """``levels`` 255ths in units of [0,1]: 10 is an epsilon of 10/255, and 2000 the paper's in l2, 7.84."""
    return levels / LEVELS


def to_levels(size: Size) -> Size:
    """A size in units of [0,1], in 255ths: what is shown."""
    return size * LEVELS


def in_levels(size: float) -> str:
    """A size in units of [0,1] as it is typed and printed: "10/255"."""
    return f"{to_levels(size):g}/{LEVELS}"


@dataclass(frozen=True)
class Ball:
    """Hold all v with ||v||_p <= radius: project on it, draw from it, fill it.

    Args:
        p: "linf" or "l2".
        radius: in units of [0,1] pixels (10/255, or 2000/255 = 7.84).

    Raises:
        SettingError: another norm, or a radius that is negative or no number, or in l_inf above 1.

    Example:
        >>> import torch, uap_core
        >>> ball = uap_core.Ball("linf", 0.1)
        >>> ball.project(torch.tensor([-0.3, 0.05, 0.2]))
        tensor([-0.1000,  0.0500,  0.1000])
        >>> str(uap_core.Ball("l2", 2000 / 255))
        'l2 2000/255 = 7.843'
    """

    p: str
    radius: float

    def __post_init__(self) -> None:
        check_number("epsilon", self.radius)
        if self.p not in (LINF, L2):
            raise SettingError(f"The norm must be {LINF!r} or {L2!r}, not {self.p!r}.")
        if self.radius < 0:
            raise SettingError("Epsilon must be a number that is not negative.")
        if self.p == LINF and self.radius > 1:
            said = "An l_inf epsilon is at most 255/255; pixels cannot move further."
            meant = " " + f"Did you mean {self.radius:g}/255?" if 1.5 <= self.radius <= LEVELS else ""
            raise SettingError(said + meant)

    @classmethod
    def parse(cls, text: str, p: str = LINF) -> Ball:
        """Parse a radius such as ``10/255`` or ``0.0392``. Raises SettingError."""
        check_type("epsilon", text, str, "a text such as 10/255")
        top, slash, bottom = text.partition("/")
        try:
            radius = float(top) / (float(bottom) if slash else 1.0)
        except (ValueError, ZeroDivisionError) as error:
            raise SettingError(f"Epsilon is typed like 10/255 or 0.04, not {text!r}.") from error
        ball = cls(p, radius)
        ball.check_seen()
        return ball

    def check_seen(self, shape: tuple[int, int] | None = None) -> None:
        """Raise SettingError for a radius at which no 8-bit picture changes: one that was divided by 255 twice, say.

        In l2 one that shows nothing when it is spread over pictures of ``shape`` (H,W), as a pattern is.
        """
        if 0 < self.radius < LEAST:
            meant = to_levels(self.radius)
            said = f"An epsilon of {in_levels(self.radius)} changes no pixel."
            raise SettingError(f"{said} Did you mean {meant:.4g}, which is {in_levels(meant)}?")
        most = math.sqrt(3 * math.prod(shape)) if shape else 0.0
        if self.p == L2 and 0 < self.radius < LEAST * most:
            usual = f"{round(to_levels(PAPERS_SHARE * most), -1):g}/{LEVELS}"
            said = f"An l2 epsilon of {in_levels(self.radius)} changes no pixel when it is spread over a whole picture."
            raise SettingError(f"{said} Did you mean l_inf, or some {usual}?")

    def check_reach(self, shape: tuple[int, int]) -> None:
        """Raise SettingError for an l2 radius that no change of pictures (H,W) in three colours can have."""
        most = math.sqrt(3 * math.prod(shape))
        if self.p == L2 and self.radius > most:
            raise SettingError(
                f"No change of {shape[1]} x {shape[0]} pixels is as large as an l2 epsilon of {self.radius:g}; the "
                f"largest has {most:.1f}. Did you mean {self.radius:g}/255?"
            )

    def project(self, v: Tensor) -> Tensor:
        """The point of the ball next to ``v`` (..., C, H, W); l2 norms are taken over the last three axes."""
        if self.p == LINF:
            return v.clamp(-self.radius, self.radius)
        norm = v.flatten(-3).norm(dim=-1)[..., None, None, None]
        # The last factor keeps float32 rounding from leaving the ball by a unit in the last place.
        return v * (self.radius / norm.clamp_min(1e-30) * (1 - 1e-6)).clamp(max=1.0)

    def random_signs(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Random signs of this norm, the baseline for every pattern; ``shape`` is (..., C, H, W)."""
        import torch

        signs = torch.randint(0, 2, shape, generator=generator).float() * 2 - 1
        return self.fill(signs)

    def gaussian(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Gaussian noise (..., C, H, W) with the l2 norm of this ball's random signs: what makes the two comparable.

        Of an l_inf ball the noise has the radius as its standard deviation, so single values leave the ball.
        """
        import torch

        radius = self.radius if self.p == L2 else self.radius * math.sqrt(math.prod(shape[-3:]))
        return Ball(L2, radius).fill(torch.randn(shape, generator=generator))

    def fill(self, direction: Tensor) -> Tensor:
        """The point of the sphere in the steepest direction: radius * sign(d) for l_inf, radius * d / ||d||_2 for l2."""
        if self.p == LINF:
            return direction.sign() * self.radius
        # Scaled first, since the square of a tiny gradient is zero in float32.
        direction = direction / direction.abs().amax(dim=(-3, -2, -1), keepdim=True).clamp_min(1e-37)
        norm = direction.flatten(-3).norm(dim=-1)[..., None, None, None]
        return direction / norm.clamp_min(1e-30) * (self.radius * (1 - 1e-6))

    def __str__(self) -> str:
        levels = to_levels(self.radius)
        if self.p == LINF:
            return f"l_inf {levels:.4g}/255"
        return f"l2 {levels:.4g}/255 = {self.radius:.4g}"


def on_grid(v: Tensor, ball: Ball) -> Tensor:
    """``v`` in whole 255ths within ``ball``, each value next to what it was: what a file of 8-bit integers holds.

    In l2 rounding may lengthen a pattern; it is then shortened a little first, until the rounded one fits.
    """
    if ball.p == LINF:
        limit = math.floor(to_levels(ball.radius) + 1e-3)
        return of_levels(to_levels(v).round().clamp(-limit, limit))
    steps, scale = to_levels(v), 1.0
    while float((steps * scale).round().double().norm()) > to_levels(ball.radius) * (1 - 1e-6):
        scale *= 0.999
    return of_levels((steps * scale).round())


@dataclass(frozen=True)
class Norms:
    """Size of one difference image in units of [0,1]; ``to_levels`` gives the other scale."""

    linf: float
    l2: float
    changed: float
    """Share of the values that differ at all, 0 to 1."""

    def of(self, p: str) -> float:
        """The one of "linf" or "l2"."""
        return self.linf if p == LINF else self.l2


def measure(difference: Tensor) -> Norms:
    """Norms of one difference (C,H,W) or (1,C,H,W)."""
    flat = difference.detach().double().flatten()
    return Norms(float(flat.abs().max()), float(flat.norm()), float((flat != 0).double().mean()))


def quantise(clean: Tensor, adversarial: Tensor, ball: Ball | None = None) -> Tensor:
    """The picture that an 8-bit file holds: ``adversarial`` (N,C,H,W) in [0,1] rounded to the nearest of 256 levels.

    With a ``ball`` the result stays within it: a value whose rounding would leave the ball is rounded towards ``clean``
    (which is on the 8-bit grid), so an exported picture never exceeds the stated epsilon.
    """
    start = to_levels(clean).round()
    steps = to_levels(adversarial) - start
    rounded = to_levels(adversarial).round() - start
    if ball is not None:
        towards_clean = steps.sign() * (steps.abs() + 1e-3).floor()
        limit = to_levels(ball.radius) + 1e-3
        if ball.p == LINF:
            rounded = rounded.where(rounded.abs() <= limit, towards_clean)
        else:
            outside = rounded.flatten(1).norm(dim=1) > limit
            rounded = towards_clean.where(outside[:, None, None, None], rounded)
    return of_levels(start + rounded).clamp(0, 1)
