"""What visitors bring: values as the page sends them, checked by our handlers, and files that they uploaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from uap_core.errors import ImageError
from uap_core.i18n import _


def _as_typed(component: Any, payload: Any) -> Any:
    return payload


# Gradio's own check would put "Error" on every output of whatever listens; our handlers check what they get and say a sentence.
# There is no setting for that. On the classes, since each visitor has a copy of a component that was updated, which forgets
# what was set on the first one; and not on classes of our own, beside which Gradio writes a stub file into the package.
gr.Slider.preprocess = _as_typed  # type: ignore[method-assign, assignment]
gr.Number.preprocess = _as_typed  # type: ignore[method-assign, assignment]
gr.Dropdown.preprocess = _as_typed  # type: ignore[method-assign, assignment]


def photo_input(**options: Any) -> gr.Image:
    """An image input that hands over the path of the uploaded file, so that our own opener decides what it can be.

    Gradio's would open the file itself and fail on a damaged one with a message that helps nobody. (A subclass would make
    Gradio write a stub file beside this module.)
    """
    image = gr.Image(**options)
    image.preprocess = lambda payload: payload.path if payload is not None else None  # type: ignore[method-assign]
    return image


def uploaded(path: str) -> Path:
    """The file at ``path``, if a visitor uploaded it. Raises ImageError for any other file of this machine.

    Of an image Gradio looks only at paths that are marked as files, and a program need not mark them.
    """
    with suppress(OSError, ValueError, RuntimeError):  # a name that the system does not take, links in a circle
        found = Path(path).resolve()  # links and dots followed
        if found.is_relative_to(Path(get_upload_folder()).resolve()) and found.is_file():
            return found
    raise ImageError(_("This picture is not here, or no longer: upload it again."))
