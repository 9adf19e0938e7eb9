"""Names of a visitor's patterns: as typed, not taken yet, and for files."""

from __future__ import annotations

import re
from itertools import count

from uap_core.ui.state import Pattern

LONGEST_NAME = 60  # characters


def clean_name(typed: str, longest: int = LONGEST_NAME) -> str:
    """Any text as a name: on one line, without invisible characters, not too long; empty where nothing is left."""
    visible = "".join(letter if letter.isprintable() else " " for letter in typed)
    return " ".join(visible.split())[:longest].strip()


def unused(name: str, own: dict[str, Pattern]) -> str:
    """``name``, with a number behind it if it is taken."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(found for found in numbered if found not in own)


def file_name(name: str) -> str:
    """A name that every file system takes, without its ending."""
    return f"uap-{re.sub('[^A-Za-z0-9]+', '-', name).strip('-').lower() or 'pattern'}"
