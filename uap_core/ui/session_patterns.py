"""A visitor's own patterns: read from the files that they open, and the newest few kept in their session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uap_core.i18n import _
from uap_core.perturbations.importers import BYTES, UNIT
from uap_core.ui.pattern_names import clean_name
from uap_core.ui.state import Pattern
from uap_core.ui.stated import sayable

# What a foreign file may mean, in the order in which ``read_pattern`` takes them.
READINGS = {
    "axes": (_("rows before columns"), _("columns before rows")),
    "colours": (_("red first"), _("blue first")),
    "scale": (_("for pixels from {range}").format(range=_(UNIT)), _("for pixels from {range}").format(range=_(BYTES))),
    "norm": (_("bounded in l_inf"), _("bounded in l2")),
}
READING_LABELS = {
    "axes": _("Order of rows and columns"),
    "colours": _("Order of the colours"),
    "scale": _("Range of the pixels"),
    "norm": _("Norm that bounds it"),
}
OWN_KEPT = 8
MOST_ARRAYS, LONGEST_ARRAY = 50, 60  # in the menu of a file's arrays
LONGEST_OPENED = 150  # characters of a name that a file brings; those of runs say how they were made


def add_own(own: dict[str, Pattern], pattern: Pattern, key: str = "") -> dict[str, Pattern]:
    """The visitor's patterns with one more, last; of each kind only the newest few are kept in a session, and the one that
    the list calls ``key``, since it is chosen.

    What was kept under a name, what was opened and what a live run left behind is counted apart: none pushes out another.
    """
    found = {name: value for name, value in own.items() if value.name != pattern.name} | {pattern.name: pattern}
    kinds: dict[str, list[str]] = {}
    for name, value in found.items():
        kinds.setdefault(value.origin, []).append(name)
    gone = {name for alike in kinds.values() for name in alike[:-OWN_KEPT] if key != f"own:{name}"}
    return {name: value for name, value in found.items() if name not in gone}


def gone_sentence(before: dict[str, Pattern], now: dict[str, Pattern]) -> str:
    """What ``add_own`` let go, in a sentence that follows another one; empty when that is nothing."""
    gone = ", ".join(name for name in before if name not in now)
    said = _("{name} is gone: the newest {count} of a kind stay.")
    return f" {said.format(name=gone, count=OWN_KEPT)}" if gone else ""


@dataclass(frozen=True)
class Opened:
    """A pattern from a file. Of a foreign one, ``how`` it was read in the words of READINGS, the ``array`` that it is, and
    all that the file holds: ``arrays`` as (shown text, name)."""

    pattern: Pattern
    how: tuple[str, ...] = ()
    array: str = ""
    arrays: tuple[tuple[str, str], ...] = ()


def array_choices(held: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name with shape, type and range; name) of the arrays of a file; of one alone there is no choice."""
    named = list(held.items())[:MOST_ARRAYS]
    return tuple((f"{name[:LONGEST_ARRAY]}  {what}", name) for name, what in named) if len(named) > 1 else ()


def read_pattern(path: Path, size: int, how: Sequence[str] = (), array: str = "") -> Opened:
    """The pattern of an uploaded file. ``how`` overrules the reading of a foreign one, ``array`` says which it is.

    Raises SeveralArraysError where it must be said which, PerturbationError for what cannot be used.
    """
    from uap_core.errors import PerturbationError
    from uap_core.perturbations.doubts import described
    from uap_core.perturbations.importers import detect, read_arrays
    from uap_core.perturbations.perturbation import from_arrays, open_own

    words: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    provenance: dict[str, Any] = {}
    loaded = open_own(path)
    if loaded is not None:
        provenance = sayable(loaded.provenance)
    else:
        arrays = read_arrays(path)
        choices = array_choices({name: described(values) for name, values in arrays.items()})
        reading = detect(arrays, array)
        array = reading.array
        if how:
            second = [value == options[1] for value, options in zip(how, READINGS.values(), strict=True)]
            scale, p = (UNIT, BYTES)[second[2]], ("linf", "l2")[second[3]]
            reading = replace(reading, scale=scale, p=p, transposed=second[0], bgr=second[1])
        loaded = from_arrays(arrays, reading, path)
        chosen_second = (reading.transposed, reading.bgr, reading.scale == BYTES, reading.p == "l2")
        words = tuple(options[flag] for options, flag in zip(READINGS.values(), chosen_second, strict=True))
    if loaded.pattern.shape[1:] != (size, size):
        height, width = loaded.pattern.shape[1:]
        raise PerturbationError(
            _(
                "This perturbation is made for {width} x {height} pixels, the chosen network takes {size} x {size}."
                " It is never resized: that would destroy it. Choose a network of its size."
            ).format(width=width, height=height, size=size)
        )
    name = clean_name(loaded.name, LONGEST_OPENED) or clean_name(path.stem) or _("pattern")
    pattern = Pattern(name, loaded.pattern.numpy(), loaded.ball.p, loaded.ball.radius, provenance, file=str(path))
    return Opened(pattern, words, array, choices)
