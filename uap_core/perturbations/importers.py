"""Perturbation files of other projects: find the array, and interpret its values.

Such files hold bare numbers. Which axis holds the channels, on which scale the values are and which norm bounds them can mostly
be told from the numbers; whether rows and columns, or red and blue, are swapped cannot, and has to be stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uap_core.checks import shown
from uap_core.errors import PerturbationError
from uap_core.norms import LEAST, LEVELS, of_levels, to_levels
from uap_core.perturbations.array_files import read_file
from uap_core.perturbations.doubts import UNLIKELY, check_likely, described

UNIT, BYTES = "0 to 1", "0 to 255"
# Patterns made for an l_inf ball fill it: root mean square over largest value is 0.77 to 1 in published ones, below 0.3 in l2.
FILLS_ITS_BOX = 0.5
LONGEST_NAME, NAMED = 60, 12  # of arrays, in a sentence
SEEN = 16  # levels: patterns whose smallest value is larger are hardly made to go unnoticed


@dataclass(frozen=True)
class Reading:
    """How an array is understood.

    ``array``: its name in the file. ``channels``: which axis they are on, "first" or "last". ``transposed``: columns come
    before rows. ``bgr``: blue comes first. ``scale``: of the pixels that it is to be added to, ``UNIT`` or ``BYTES``.
    ``p``: the norm that bounds it, "linf" or "l2". ``zero``: the value that stands for no change, where nothing is negative.
    ``wraps``: negative values went over the top, -1 to 255.
    """

    array: str
    channels: str
    scale: str
    p: str
    transposed: bool = False
    bgr: bool = False
    zero: float = 0.0
    wraps: bool = False

    def __str__(self) -> str:
        order = "columns, rows" if self.transposed else "rows, columns"
        axes = f"channels, {order}" if self.channels == "first" else f"{order}, channels"
        shift = f"; {self.zero:g} means no change" if self.zero else "; negative values wrapped around" if self.wraps else ""
        return f"{axes}; {'blue' if self.bgr else 'red'} first; added to pixels from {self.scale}; bounded in {self.p}{shift}"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of numbers in a file that can be a pattern, by name, without axes of length one.

    Nothing is unpickled but what torch.load(weights_only=True) admits. Raises PerturbationError.
    """
    held = read_file(path)
    found = {name: value.squeeze() for name, value in held.items() if value.dtype.kind in "fiu"}
    fitting = {
        name: value for name, value in found.items() if value.ndim == 3 and value.size and 3 in (value.shape[0], value.shape[2])
    }
    others = sorted({str(value.dtype) for value in held.values() if value.dtype.kind in "bc"})
    if not found and others:
        raise PerturbationError(
            f"This file holds no array of real numbers, but {', '.join(others)}. Save the pattern as floats."
        )
    if not found:
        raise PerturbationError("This file holds no array of numbers.")
    if not fitting:
        shapes = ", ".join(str(value.shape) for value in list(found.values())[:NAMED])
        raise PerturbationError(
            "A perturbation has three channels, (3, height, width) or (height, width, 3); the arrays of numbers in "
            f"this file have other shapes: {shapes}."
        )
    return fitting


def detect(arrays: dict[str, np.ndarray], name: str = "", scale: str = "") -> Reading:
    """The likeliest reading of the array called ``name``, or of the only one that can be a pattern.

    A stated ``scale`` takes the numbers at their word. Raises PerturbationError where several arrays can be the pattern or
    none, with what each holds.
    """
    if name:
        if name not in arrays:
            raise PerturbationError(
                f"There is no array {shown(name)} in this file. It holds: {', '.join(list(arrays)[:NAMED])}."
            )
        return _reading(name, arrays[name], scale)
    if len(arrays) == 1:
        return _reading(*next(iter(arrays.items())), scale)
    likely = []
    for candidate, values in arrays.items():
        try:
            likely.append(_reading(candidate, values, scale))
        except PerturbationError:
            continue
    if not likely or not _are_one(arrays, likely):
        raise SeveralArraysError(arrays)
    return likely[0]


def _are_one(arrays: dict[str, np.ndarray], likely: list[Reading]) -> bool:
    """Whether all readings give one pattern: kept twice, on two scales, with channels first and last."""
    first, *others = (understood(arrays, reading) for reading in likely)
    return all(first.shape == other.shape and np.allclose(first, other, atol=LEAST / 10) for other in others)


class SeveralArraysError(PerturbationError):
    """Several arrays can be the pattern, or none seems to be: it must be said which one. ``held`` describes them by name."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.held = {name: described(values) for name, values in arrays.items()}
        told = "; ".join(f"{name[:LONGEST_NAME]!r} {what}" for name, what in list(self.held.items())[:NAMED])
        more = f"; and {len(self.held) - NAMED} more" if len(self.held) > NAMED else ""
        super().__init__(
            f"This file holds several arrays, and their numbers do not tell which one is the perturbation: {told}{more}."
            " Save that one alone, or name it (uap convert --array NAME)."
        )


def _reading(name: str, array: np.ndarray, scale: str) -> Reading:
    values = array.astype(np.float64)
    largest = _largest(values)
    kind = scale or (UNIT if largest <= 1 and array.dtype.kind == "f" else BYTES)
    wraps, zero = (False, 0.0) if scale else (_wraps(array), _zero(values, float(LEVELS) if kind == BYTES else 1.0))
    if wraps:
        values, zero = _unwrapped(array), 0.0
    elif not scale and not zero and largest <= LEVELS:
        check_likely(array, float(LEVELS) if kind == BYTES else 1.0)
    values = values - zero
    fills = math.sqrt(float((values**2).mean())) >= FILLS_ITS_BOX * _largest(values)
    return Reading(name, "first" if values.shape[0] == 3 else "last", kind, "linf" if fills else "l2", zero=zero, wraps=wraps)


def _wraps(array: np.ndarray) -> bool:
    """Whether unsigned numbers are all near 0 or near the top, on both sides: a signed pattern, cast."""
    if array.dtype.kind != "u":
        return False
    signed = _unwrapped(array)
    size = np.abs(signed)
    # 28 and 228 are 128 less and more 100 as well: a pattern that was made stronger to be seen.
    return bool(signed.min() < 0 < signed.max()) and size.max() <= to_levels(UNLIKELY) and size.min() <= SEEN


def _unwrapped(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.str.replace("u", "i")).astype(np.float64)


def _zero(values: np.ndarray, full: float) -> float:
    """Mid-grey if the values show that it means no change: they fill a narrow box around it. Otherwise 0.

    A photograph is not as close to mid-grey, nor are most of its pixels at both ends of its range.
    """
    middle = to_levels((values.min() + values.max()) / 2 / full)
    reach = (values.max() - values.min()) / 2
    if values.min() < 0 or not 126.9 <= middle <= 128.1 or not 0 < reach <= UNLIKELY / 2 * full:
        return 0.0
    zero = of_levels(round(2 * middle) / 2) * full
    return zero if math.sqrt(float(((values - zero) ** 2).mean())) >= FILLS_ITS_BOX * reach else 0.0


def understood(arrays: dict[str, np.ndarray], reading: Reading) -> np.ndarray:
    """The pattern, float32 (3,H,W) in units of [0,1] pixels. Raises PerturbationError when it cannot be read so."""
    array = arrays[reading.array]
    values = _unwrapped(array) if reading.wraps else array.astype(np.float64) - reading.zero
    largest = _largest(values)
    if values.shape[0 if reading.channels == "first" else 2] != 3:
        raise PerturbationError(f"The {reading.channels} axis of this array does not have the three channels: {values.shape}.")
    if largest > (LEVELS if reading.scale == BYTES else 1):
        raise PerturbationError(f"These values go up to {largest:.4g}: they cannot be meant for pixels from {reading.scale}.")
    if reading.channels == "last":
        values = values.transpose(2, 0, 1)
    if reading.transposed:
        values = values.transpose(0, 2, 1)
    if reading.bgr:
        values = values[::-1]
    return np.ascontiguousarray(values / (LEVELS if reading.scale == BYTES else 1), dtype=np.float32)


def _largest(values: np.ndarray) -> float:
    if not np.isfinite(values).all():
        raise PerturbationError("This perturbation holds values that are not numbers.")
    return float(np.abs(values).max())
