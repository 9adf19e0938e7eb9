"""Values that a program hands over: of the right type and finite, or one sentence. Without torch."""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from uap_core.errors import SettingError

TYPES = {"int": "a whole number", "float": "a number", "bool": "True or False", "str": "a text"}


def check_number(name: str, value: object, least: float = -math.inf, most: float = math.inf) -> None:
    """Raise SettingError unless ``value`` is a finite number from ``least`` to ``most``."""
    if not _is("float", value) or not _is_finite(value):
        raise SettingError(f"{_begun(name)} must be a number, not {shown(value)}.")
    if not least <= value <= most:  # type: ignore[operator]
        raise SettingError(f"{_begun(name)} must be {_range(least, most)}, not {shown(value)}.")


def check_whole(name: str, value: object, least: float = -math.inf, most: float = math.inf) -> None:
    """Raise SettingError unless ``value`` is a whole number from ``least`` to ``most``; True and False are none."""
    if not _is("int", value):
        raise SettingError(f"{_begun(name)} must be a whole number, not {shown(value)}.")
    check_number(name, value, least, most)


def check_type(name: str, value: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise SettingError unless ``value`` is a ``kind``, which is ``wanted`` in words."""
    if not isinstance(value, kind):
        raise SettingError(f"{_begun(name)} must be {wanted}, not {shown(value)}.")


def check_path(value: object) -> None:
    """Raise SettingError unless ``value`` names a file or folder."""
    check_type("a path", value, (str, os.PathLike), "a text or a pathlib.Path")
    named = os.fspath(value)  # type: ignore[call-overload]
    if not named or "\0" in named:
        raise SettingError("A path is not empty, and holds no null characters.")


def check_fields(thing: Any, infinite: Collection[str] = ()) -> None:
    """Raise SettingError unless the plain fields of a dataclass hold what they state: int, float, bool, str, or None as well.

    Numbers are finite, but for the fields named in ``infinite``.
    """
    for field in fields(thing):
        kinds, value = str(field.type).split(" | "), getattr(thing, field.name)
        if not set(kinds) <= {*TYPES, "None"} or (value is None and "None" in kinds):
            continue
        wanted = " or ".join(TYPES[kind] for kind in kinds if kind != "None")
        if not any(_is(kind, value) for kind in kinds):
            raise SettingError(f"{_begun(field.name)} of {type(thing).__name__} must be {wanted}, not {shown(value)}.")
        if _is("float", value) and not _is_finite(value) and not (field.name in infinite and value == math.inf):
            raise SettingError(f"{_begun(field.name)} of {type(thing).__name__} must be finite, not {shown(value)}.")


def shown(value: object) -> str:
    """A value for a sentence, in short: of long ones and of those that are no plain value the type."""
    if value is None or isinstance(value, (bool, int, float, str)):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return f"a {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if kind == "int":
        return isinstance(value, Integral)
    if kind == "float":
        return isinstance(value, Real)
    return kind == "str" and isinstance(value, str)


def _is_finite(value: object) -> bool:
    """Whether a number is one that floats can hold."""
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def _begun(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _range(least: float, most: float) -> str:
    if most == math.inf:
        return f"at least {least:g}"
    return f"at most {most:g}" if least == -math.inf else f"from {least:g} to {most:g}"
