"""What an image batch must be: the one check at the door of attacks, of crafting, of measuring and of patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.checks import check_type, shown
from uap_core.errors import PerturbationError, SettingError
from uap_core.norms import LEVELS, to_levels

if TYPE_CHECKING:
    from torch import Tensor

SLACK = 1e-5  # beyond [0,1], which arithmetic on pixels may leave; 16-bit floats have a coarser grid
DIVIDED_TWICE = 1.001 / LEVELS  # no photograph is as dark as that
IN_LEVELS = 4.0  # no change of a pixel in [0,1] is as large, of small pictures in l2 neither: such a pattern is in levels
NORMALISED = 4.0  # pixels less their mean, by their deviation, go from -2.2 to 2.7


def check_tensor(images: object) -> None:
    """Raise SettingError unless ``images`` are a plain tensor, of whatever shape."""
    import torch

    if not isinstance(images, torch.Tensor):
        made = " torch.from_numpy makes one." if type(images).__module__ == "numpy" else ""
        raise SettingError(f"Pictures are a torch tensor (N,3,H,W), not {shown(images)}.{made}")
    if images.layout is not torch.strided or images.is_quantized or images.is_nested or images.device.type == "meta":
        raise SettingError("Pictures are a plain tensor (N,3,H,W) with its values in memory: neither sparse nor quantised.")


def check_shape(images: Tensor) -> None:
    """Raise SettingError unless ``images`` have a shape (N,3,H,W)."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise SettingError(
            f"Pictures are a tensor (N,3,height,width), red, green and blue before the rows, not {tuple(images.shape)}."
        )
    if 0 in images.shape[2:]:
        raise SettingError(f"These pictures have no pixels: {tuple(images.shape)}.")


def check_pixels(images: Tensor) -> None:
    """Raise SettingError unless ``images`` are floats in [0,1], up to rounding; says what they seem to be instead."""
    if not images.is_floating_point():
        kind = str(images.dtype).rpartition(".")[2]
        raise SettingError(f"Pixels are floats from 0 to 1, and these are {kind}. Divide bytes by 255: images.float() / 255.")
    if not images.numel():
        return
    low, high = (float(end) for end in images.detach().aminmax())  # one pass; NaN comes through
    slack = slack_of(images)
    if -slack <= low and high <= 1 + slack:
        if slack < high <= DIVIDED_TWICE:
            raise SettingError(f"The brightest of these pixels has {high:.4g} of 1: they were divided by 255 twice.")
        return
    if not (low > -float("inf") and high < float("inf")):
        raise SettingError("Some pixels are not numbers (NaN or infinite). Pixels lie between 0 and 1.")
    said = f"Pixels lie between 0 and 1, and these go from {low:.4g} to {high:.4g}."
    if -slack <= low and high > NORMALISED:
        raise SettingError(f"{said} Divide bytes by 255.")
    if low < 0 and max(-low, high) < NORMALISED:
        raise SettingError(f"{said} If they are normalised, give them as they were before, and let `wrap` normalise inside.")
    raise SettingError(f"{said} Divide bytes by 255; let `wrap` normalise inside the network.")


def check_batch(images: object) -> None:
    """Raise SettingError unless ``images`` are floats (N,3,H,W) in [0,1]."""
    check_tensor(images)
    check_shape(images)  # type: ignore[arg-type]
    check_pixels(images)  # type: ignore[arg-type]


def check_pattern(v: object, images: Tensor) -> None:
    """Raise SettingError or PerturbationError unless ``v`` are floats that can be added to ``images``, in the same units."""
    import torch

    check_type("a pattern", v, torch.Tensor, "a tensor (3,H,W) or (N,3,H,W), or a Perturbation")
    assert isinstance(v, torch.Tensor)
    if not fits(v, images) or not v.is_floating_point():
        said = f"A pattern for pictures {tuple(images.shape)} has floats {tuple(images.shape[1:])}, not {tuple(v.shape)} of"
        raise PerturbationError(f"{said} {v.dtype}: it is never resized.")
    if v.ndim == 3 and not (largest := float(v.detach().abs().amax())) <= IN_LEVELS:  # NaN is not
        raise PerturbationError(
            f"A pattern is in units of [0,1] pixels, and this one goes to {largest:g}. Divide levels by 255."
        )


def fits(v: Tensor, images: Tensor) -> bool:
    """Whether ``v`` is one pattern for all ``images`` or one for each; a side of length one counts as repeated."""
    pairs = list(zip(reversed(v.shape), reversed(images.shape), strict=False))
    return 3 <= v.ndim <= 4 and all(mine in (1, theirs) for mine, theirs in pairs)


def slack_of(images: Tensor) -> float:
    """How far rounding may take pixels beyond [0,1] in the precision of ``images``."""
    import torch

    return max(SLACK, torch.finfo(images.dtype).eps if images.element_size() < 4 else 0.0)


def as_bytes(images: Tensor) -> Tensor:
    """uint8 ``images`` (N,3,H,W) unchanged; floats in [0,1] rounded to 256 levels. Raises SettingError for anything else."""
    import torch

    check_tensor(images)
    check_shape(images)
    if images.dtype == torch.uint8:
        if images.numel() and 0 < int(images.max()) <= 1:
            raise SettingError("These bytes are 0 or 1: floats from 0 to 1 became bytes. Multiply them by 255 first.")
        return images
    if not images.is_floating_point():
        kind = str(images.dtype).rpartition(".")[2]
        raise SettingError(f"Pictures are uint8 from 0 to 255, or floats from 0 to 1, not {kind}.")
    check_pixels(images)
    return to_levels(images.detach().float()).round().clamp(0, LEVELS).to(torch.uint8)
