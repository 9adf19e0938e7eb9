"""Limits of what visitors may ask of the machine, which a host sets by environment variables."""

from __future__ import annotations

import os
import re
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
    fetch_megabytes: int = _limit(5000, "UAP_FETCH_MB", "megabytes of networks that the page may fetch until it ends")
    sessions: int = _limit(300, "UAP_SESSIONS", "open pages whose choices are kept; the one that was not used for longest goes")
    disk_megabytes: int = _limit(1000, "UAP_DISK_MB", "megabytes of uploads, and as many of files made here; the oldest go")
    visitor_megabytes: int = _limit(250, "UAP_VISITOR_MB", "of these, megabytes of uploads from one address; its oldest go")

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


WORDS = {
    "UAP_HOSTS": "names under which the page is served, such as uap.example.org; any name when left out",
    "UAP_FRAMES": "origins whose pages may show this one in a frame, such as https://moodle.example.org",
}
_HOST, _ORIGIN = re.compile(r"(\*\.)?[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]"), re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?")


def hosts() -> list[str]:
    """The names of UAP_HOSTS. Raises SettingError."""
    return _listed("UAP_HOSTS", _HOST)


def frames() -> list[str]:
    """The origins of UAP_FRAMES. Raises SettingError."""
    return _listed("UAP_FRAMES", _ORIGIN)


def _listed(variable: str, form: re.Pattern[str]) -> list[str]:
    found = [word.strip() for word in os.environ.get(variable, "").split(",") if word.strip()]
    for word in found:
        if not form.fullmatch(word):
            raise SettingError(f"{variable} must be {WORDS[variable]}; several with commas. {word!r} is none.")
    return found
