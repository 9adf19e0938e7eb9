"""A universal perturbation: a pattern, the ball it was made for, and where it came from. Save, load, apply."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.checks import check_number, check_path, check_type, shown
from uap_core.errors import PerturbationError, SettingError
from uap_core.images.batches import SLACK, check_batch, check_pattern
from uap_core.images.eight_bits import from_bytes
from uap_core.io.atomic import whole_file, write_whole
from uap_core.io.paths import PERTURBATIONS
from uap_core.norms import Ball, Norms, measure, of_levels, to_levels
from uap_core.perturbations.array_files import check_header, check_said
from uap_core.perturbations.importers import Reading, detect, read_arrays, understood

if TYPE_CHECKING:
    from torch import Tensor

ENDINGS = (".safetensors", ".npy")


@dataclass(frozen=True)
class Perturbation:
    """Hold one universal perturbation: a pattern, the ball it was made for, and where it came from.

    Args:
        name: what lists call it.
        pattern: float32 (3,H,W) in units of [0,1] pixels, within ``ball``.
        ball: norm and radius.
        provenance: how it was made.

    Raises:
        PerturbationError: ``pattern`` has another shape, or values that are not finite.

    Example:
        >>> import torch, uap_core
        >>> v = uap_core.Perturbation("grey", torch.full((3, 4, 4), 0.1), uap_core.Ball("linf", 0.1))
        >>> v.apply(torch.zeros(2, 3, 4, 4)).shape, round(v.norms.l2, 3)
        (torch.Size([2, 3, 4, 4]), 0.693)
    """

    name: str
    pattern: Tensor
    ball: Ball
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import torch

        check_type("a name", self.name, str, "a text")
        check_type("a ball", self.ball, Ball, "a Ball, such as Ball('linf', 10 / 255)")
        if not isinstance(self.pattern, torch.Tensor) or not self.pattern.is_floating_point():
            raise PerturbationError(f"A pattern is a tensor of floats in units of [0,1] pixels, not {shown(self.pattern)}.")
        if self.pattern.ndim != 3 or self.pattern.shape[0] != 3 or not self.pattern.numel():
            raise PerturbationError(f"A perturbation has the shape (3, height, width), not {tuple(self.pattern.shape)}.")
        if not bool(self.pattern.isfinite().all()):
            raise PerturbationError("This perturbation holds values that are not numbers.")
        size = self.norms.of(self.ball.p)
        if size > self.ball.radius * (1 + SLACK) + SLACK:
            raise PerturbationError(f"This pattern, of the norm {size:.4g} in units of [0,1], is larger than the {self.ball}.")

    @property
    def norms(self) -> Norms:
        """Size of the pattern."""
        return measure(self.pattern)

    def apply(self, images: Tensor) -> Tensor:
        """Add the pattern to images as ``apply`` does.

        Args:
            images: float (N,3,H,W) in [0,1], of the pattern's height and width.

        Raises:
            PerturbationError: the sizes differ; a pattern is never resized.
            SettingError: pixels that are no floats in [0,1].
        """
        check_batch(images)
        self.check_fits((images.shape[2], images.shape[3]))
        return apply(images, self.pattern)

    def check_fits(self, shape: tuple[int, int]) -> None:
        """Raise PerturbationError for pictures of another ``shape`` (H,W) in pixels."""
        mine, theirs = tuple(self.pattern.shape[1:]), shape
        if mine != theirs:
            raise PerturbationError(
                f"This perturbation is made for {mine[1]} x {mine[0]} pixels, the network takes {theirs[1]} x "
                f"{theirs[0]}. Choose a perturbation of the network's size; resizing would destroy it."
            )

    def scaled_to(self, radius: float) -> Perturbation:
        """The same pattern for another epsilon: v * radius / its radius."""
        check_number("epsilon", radius, least=0)
        Ball(self.ball.p, radius).check_reach((self.pattern.shape[1], self.pattern.shape[2]))
        factor = radius / self.ball.radius if self.ball.radius else 0.0
        return Perturbation(self.name, self.pattern * factor, Ball(self.ball.p, radius), self.provenance)


def apply(images: Tensor, v: Tensor | Perturbation) -> Tensor:
    """Add a perturbation to images and clip to the range of pixels: clamp(x + v, 0, 1), the one equation of this project.

    Args:
        images: float (N,3,H,W) in [0,1].
        v: a pattern (3,H,W) for all of them or (N,3,H,W) for each, in the same units; or a ``Perturbation``.

    Raises:
        PerturbationError: a pattern of another size.
        SettingError: pixels that are no floats in [0,1].

    Example:
        >>> import torch, uap_core
        >>> x = torch.tensor([0.5, 0.9]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
        >>> uap_core.apply(x, torch.full((3, 1, 2), 0.2))[0, 0]
        tensor([[0.7000, 1.0000]])
    """
    if isinstance(v, Perturbation):
        return v.apply(images)
    check_batch(images)
    check_pattern(v, images)
    return (images + v.to(images.device)).clamp(0, 1)


def save_perturbation(perturbation: Perturbation, path: str | Path) -> None:
    """Write a .safetensors file with pattern, ball and provenance, or a bare .npy array (3,H,W) float32.

    A pattern of whole 255ths (see ``norms.on_grid``) is written as the 8-bit integers that it is: a quarter of the size.

    Args:
        perturbation: the perturbation to write.
        path: ends in .safetensors or .npy.

    Raises:
        PerturbationError: another ending, or a provenance of a million letters.

    Example:
        >>> import tempfile, uap_core
        >>> v = uap_core.load_perturbation("resnet64-linf10")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     uap_core.save_perturbation(v, f"{folder}/copy.safetensors")
        ...     bool((uap_core.load_perturbation(f"{folder}/copy.safetensors").pattern == v.pattern).all())
        True
    """
    check_type("a perturbation", perturbation, Perturbation, "a Perturbation")
    check_path(path)
    path = Path(path)
    pattern = perturbation.pattern.contiguous().cpu()
    if path.suffix == ".npy":
        with whole_file(path) as out:
            np.save(out, pattern.numpy(), allow_pickle=False)
        return
    if path.suffix != ".safetensors":
        raise PerturbationError(f"A perturbation is saved as {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, not {path.suffix!r}.")
    import torch
    from safetensors.torch import save

    header = {
        "name": perturbation.name,
        "p": perturbation.ball.p,
        "radius": repr(perturbation.ball.radius),
        "provenance": json.dumps(perturbation.provenance),
    }
    check_said(header)
    levels = to_levels(pattern).round()
    if float(levels.abs().max()) <= 127 and torch.equal(of_levels(levels), pattern):
        pattern = levels.to(torch.int8)
    write_whole(path, save({"pattern": pattern}, metadata=header))


def load_perturbation(path: str | Path) -> Perturbation:
    """Read a file of ``save_perturbation``, or of another project in its likeliest interpretation (see ``importers``).

    Nothing that could run code is ever unpickled.

    Args:
        path: a .safetensors, .npy, .npz, .mat or .pth file; or the name of a pattern that ships, such as "resnet64-linf10"
            (``uap library`` lists them).

    Raises:
        PerturbationError: there is no such file, or it holds no pattern.

    Example:
        >>> import uap_core
        >>> v = uap_core.load_perturbation("resnet64-linf10")
        >>> tuple(v.pattern.shape), str(v.ball)
        ((3, 64, 64), 'l_inf 10/255')
    """
    path = shipped_path(path)
    if (own := open_own(path)) is not None:
        return own
    arrays = read_arrays(path)
    return from_arrays(arrays, detect(arrays), path)


def shipped_path(path: str | Path) -> Path:
    """The shipped file with the bare name ``path``; an existing or any other path unchanged."""
    check_path(path)
    path = Path(path)
    shipped = PERTURBATIONS / f"{path.name.removesuffix(ENDINGS[0])}{ENDINGS[0]}"
    return shipped if not path.exists() and path.name == str(path) and shipped.is_file() else path


def from_arrays(arrays: dict[str, np.ndarray], reading: Reading, path: Path) -> Perturbation:
    """The pattern of a foreign file, in the ball of its own norm. Raises PerturbationError when it cannot be read so."""
    import torch

    pattern = torch.from_numpy(understood(arrays, reading))
    radius = measure(pattern).of(reading.p)
    whole = round(to_levels(radius))
    if abs(to_levels(radius) - whole) < 1e-3:  # 10.00001/255 is 10/255 that went through other hands
        radius = of_levels(whole)
    return Perturbation(path.stem, pattern, Ball(reading.p, radius), {"file": path.name, "read_as": str(reading)})


def open_own(path: Path) -> Perturbation | None:
    """Read a file of ``save_perturbation``; None for any other file. Raises PerturbationError."""
    if path.suffix.lower() != ".safetensors" or not path.is_file():
        return None
    check_header(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as archive:
            header = archive.metadata() or {}
            if not {"p", "radius"} <= set(header):
                return None
            stored = archive.get_tensor("pattern")
        pattern = stored.float() if stored.is_floating_point() else from_bytes(stored)
        ball = Ball(header["p"], float(header["radius"]))
        provenance = json.loads(header.get("provenance", "{}"))
        if not isinstance(provenance, dict):
            raise ValueError("provenance is a dictionary")
    except (SafetensorError, SettingError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise PerturbationError("This file holds no perturbation that was saved by this app.") from error
    return Perturbation(header.get("name", path.stem), pattern, ball, provenance)


def versions() -> dict[str, str]:
    """Versions, device and the time, for a provenance record."""
    from importlib.metadata import version

    from uap_core.models.device import device_name

    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"time": stamp, "device": device_name(), **{name: version(name) for name in ("torch", "numpy")}}
