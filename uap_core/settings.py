"""Limits of what visitors may ask of the machine, which a host sets by environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from uap_core.errors import SettingError


def _limit(default: int, variable: str, meaning: str) -> int:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Limits:
    """Whole numbers above 0, each with the variable that sets another."""

    upload_megabytes: int = _limit(30, "UAP_UPLOAD_MB", "megabytes of an uploaded file")
    megapixels: int = _limit(50, "UAP_MEGAPIXELS", "million pixels of an uploaded picture")
    images: int = _limit(1000, "UAP_IMAGES", "images that a live run crafts on, and as many to measure on")
    seconds: int = _limit(600, "UAP_SECONDS", "seconds that one live run may take")
    waiting: int = _limit(20, "UAP_WAITING", "runs that may wait for their turn, which comes to one at a time")
    network_megabytes: int = _limit(1500, "UAP_MEMORY", "megabytes of networks kept in memory")

    @classmethod
    def named(cls, environment: Mapping[str, str]) -> Limits:
        """The limits that variables of ``environment`` set, else the defaults. Raises SettingError."""
        found = {}
        for limit in fields(cls):
            variable, meaning = limit.metadata["variable"], limit.metadata["meaning"]
            value = environment.get(variable, "")
            if value and not (value.isascii() and value.isdigit() and int(value) > 0):
                raise SettingError(f"{variable} must be a whole number above 0 ({meaning}), not {value!r}.")
            if value:
                found[limit.name] = int(value)
        return cls(**found)

    def described(self) -> str:
        """A line for each: variable, value, meaning."""
        return "\n".join(f"  {f.metadata['variable']}={getattr(self, f.name)}  {f.metadata['meaning']}" for f in fields(self))


def limits() -> Limits:
    """The limits set by the environment. Raises SettingError."""
    return Limits.named(os.environ)
