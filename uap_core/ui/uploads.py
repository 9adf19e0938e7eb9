"""What visitors bring: values as the page sends them, and files that they uploaded."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from gradio.utils import get_upload_folder

from uap_core.errors import ImageError
from uap_core.i18n import _

Value = TypeVar("Value")


def is_among(sent: Any, offered: Iterable[Any]) -> bool:
    """Whether the value that was sent, of whatever kind, is one of those ``offered``."""
    return any(sent == one for one in offered)


def ticked_of(sent: Any, offered: Iterable[Value]) -> list[Value]:
    """Those of ``offered`` that are in the list that was sent, in their own order; none where something else was sent."""
    return [one for one in offered if is_among(one, sent)] if isinstance(sent, list) else []


def path_of(sent: dict[str, Any] | None) -> str | None:
    """Where the file lies that an upload, file or image component sent; None where there is none. See ``uploaded``.

    The file is not looked into here, so that openers of this package decide what it can be, and say so in a sentence.
    """
    return sent["path"] if sent else None


def uploaded(path: str) -> Path:
    """The file at ``path``, if a visitor uploaded it. Raises ImageError for any other file of this machine.

    Of an image Gradio looks only at paths that are marked as files, and a program need not mark them.
    """
    with suppress(OSError, ValueError, RuntimeError):  # a name that the system does not take, links in a circle
        found = Path(path).resolve()  # links and dots followed
        if found.is_relative_to(Path(get_upload_folder()).resolve()) and found.is_file():
            return found
    raise ImageError(_("This picture is not here, or no longer: upload it again."))
