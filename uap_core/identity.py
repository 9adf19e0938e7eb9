"""The identity of a method in files: the id of its class, and the settings that differ from the defaults.

A renamed class, a new setting with a default or a reworded text changes no identity; another value of a setting does. Settings
that are not written have the present default, so before a default changes, the files that rely on it must state the old value
(a test pins the defaults).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any


def identity(thing: Any) -> dict[str, Any]:
    """{"method": its id, "settings": see ``settings``} of a dataclass: equal for two that do the same.

    The id is the ``key`` that its class itself states: a subclass does something else. A class without one, such as a
    method of your own, is identified by its module and name.
    """
    kind = type(thing)
    return {"method": vars(kind).get("key") or f"{kind.__module__}.{kind.__qualname__}", "settings": settings(thing)}


def identities(things: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The identity of each of ``things``, by their names."""
    return {name: identity(thing) for name, thing in things.items()}


def settings(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from its class's defaults, and those that have none, as JSON has them."""
    found = {}
    for field in fields(thing):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        value = getattr(thing, field.name)
        if default is MISSING or value != default:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found
