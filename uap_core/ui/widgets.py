"""Small pieces of page that several tabs share: bars, verdicts, tables, files to download, guarded handlers."""

from __future__ import annotations

import inspect
import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial, wraps
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import gradio as gr
import numpy as np
from PIL import Image

from uap_core.errors import UapError
from uap_core.i18n import _
from uap_core.ui.runtime.charts import all_drawn
from uap_core.ui.runtime.downloads import own_folder
from uap_core.ui.runtime.shelf import Shelf

log = logging.getLogger("uap_core.ui")

SHOWN_PIXELS = 384
# Our views say in words what goes on. Given places for marks of its own, even hidden ones, Gradio's page walks through all its
# components for each of them at each step of each event: a click then took a second longer than its answer.
UNMARKED: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": []}
# What the page sends reaches handlers as it is, but for choices (serving/choices.py). They check it and say a sentence, where
# Gradio's own checks would put "Error" on every output of whatever listens.
AS_SENT: dict[str, Any] = {"preprocess": False}
# Two lanes: clicks that answer at once never queue behind a run of a minute. The first is wide, since some clicks wait for a
# network to be loaded, and nobody else's should wait with them. In the second runs queue where they can be seen
# (runtime/run_queue.py).
QUICK: dict[str, Any] = {"concurrency_id": "quick", "concurrency_limit": 8, **UNMARKED, **AS_SENT}
LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": None, **UNMARKED, **AS_SENT}
# Downloads wait for the network, not for the processor, and hold up neither lane.
FETCHING: dict[str, Any] = {"concurrency_id": "fetching", "concurrency_limit": 3, **UNMARKED, **AS_SENT}
SILENT = -1  # where a handler that shows no sentence puts it
UNEXPECTED = _("Something went wrong on our side; it was written to the log. Your settings are kept: please try again.")


def guarded(
    outputs: int, message: int, others: Mapping[int, Any] = MappingProxyType({})
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Turn an error of ours into one sentence at output number ``message`` (SILENT: at none) and leave the others as they
    are, but for ``others``: what they get then, by number. Figures are drawn here. Anything unexpected goes to the log with its
    trace; the visitor is told that, and nothing more.
    """

    def sentence(text: str) -> tuple[Any, ...] | Any:
        if outputs == 1:
            return gr.skip() if message == SILENT else problem(text)
        return tuple(problem(text) if i == message else others.get(i, gr.skip()) for i in range(outputs))

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def caught(error: Exception) -> tuple[Any, ...] | Any:
            if isinstance(error, UapError):
                return sentence(str(error))
            log.exception("unexpected error in %s", function.__name__)
            return sentence(UNEXPECTED)

        @wraps(function)
        def plain(*args: Any) -> Any:
            try:
                return all_drawn(function(*args))
            except Exception as error:
                return caught(error)

        @wraps(function)
        def streaming(*args: Any) -> Iterator[Any]:
            try:
                with closing(function(*args)) as steps:
                    yield from map(all_drawn, steps)
            except Exception as error:
                yield caught(error)

        return streaming if inspect.isgeneratorfunction(function) else plain

    return decorate


def saying(where: Any) -> Callable[[Callable[..., dict[Any, Any]]], Callable[..., dict[Any, Any]]]:
    """For handlers that return {component: value}: an error of ours becomes one sentence at ``where``, all else stays."""

    def decorate(function: Callable[..., dict[Any, Any]]) -> Callable[..., dict[Any, Any]]:
        @wraps(function)
        def told(*args: Any) -> dict[Any, Any]:
            try:
                return {where: "", **function(*args)}
            except UapError as error:
                return {where: problem(str(error))}
            except Exception:
                log.exception("unexpected error in %s", told.__name__)
                return {where: problem(UNEXPECTED)}

        inner = function.func if isinstance(function, partial) else function
        told.__name__ = inner.__name__.lstrip("_")  # what the log calls it
        return told

    return decorate


def problem(text: str) -> str:
    """A sentence about something that did not work."""
    return f'<div class="verdict problem" role="alert">{escape(text)}</div>'


def status(text: str) -> str:
    """A sentence about what is going on."""
    return f'<div class="note" role="status">{escape(text)}</div>'


def awaited() -> str:
    """What stands where a view fills itself once its tab is open."""
    return status(_("One moment…"))


def download(label: str, elem_id: str, path: str | None = None) -> gr.DownloadButton:
    """A small download button, hidden until there is something to download."""
    return gr.DownloadButton(label, path, size="sm", scale=0, min_width=200, visible=path is not None, elem_id=elem_id)


def chart(elem_id: str) -> gr.HTML:
    """A chart, hidden until there is something to draw."""
    return gr.HTML(visible=False, elem_id=elem_id, elem_classes="chart")


def show(value: Any) -> Any:
    """Fill a chart or a download button and make it visible."""
    return gr.update(value=value, visible=True)


def hide() -> Any:
    """Take an outdated chart or download away."""
    return gr.update(value=None, visible=False)


def progress_note(text: str, share: float) -> str:
    """A sentence with a meter, ``share`` in [0,1]."""
    return meter(escape(text), share)


def meter(html: str, share: float) -> str:
    """The same for a sentence that is HTML of ours."""
    return (
        f'<div class="note" role="status">{html}'
        f'<div class="meter"><div style="width:{100 * min(1.0, share):.0f}%"></div></div></div>'
    )


def enlarge(pixels: np.ndarray) -> np.ndarray:
    """Repeat each pixel a whole number of times, so that a small picture is shown large with nothing invented."""
    times = max(1, SHOWN_PIXELS // pixels.shape[0])
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def picture_link(pixels: np.ndarray) -> str:
    """uint8 (H,W,3) as the source of an <img>: a lossless file, so that a growing table does not send its pictures again."""
    return f"gradio_api/file={quote(Path(picture_file(pixels)).as_posix())}"


def picture_file(pixels: np.ndarray) -> str:
    """uint8 (H,W,3), enlarged, as a lossless file for an image component.

    Given an array, Gradio writes its file anew for every visitor, and whoever is fetching the same picture at that moment
    gets half of it; files it copies once. A picture that was shown before is not packed again.
    """
    content = repr(pixels.shape).encode() + pixels.tobytes()
    return _kept("picture.png", content, lambda: png_of(enlarge(pixels)))


def png_of(pixels: np.ndarray) -> bytes:
    """uint8 (H,W,3) as a PNG file, packed quickly rather than tightly."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def npy_bytes(values: np.ndarray) -> bytes:
    """A pattern (3,H,W) as a .npy file of float32."""
    stream = io.BytesIO()
    np.save(stream, values.astype(np.float32), allow_pickle=False)
    return stream.getvalue()


DOWNLOADS = own_folder()
_shelf = Shelf(DOWNLOADS)


def offer(name: str, data: bytes) -> str:
    """Put ``data`` into a file called ``name`` that the page can serve. Equal data of one name share a file; old ones go.

    Raises UapError when the disk does not take it.
    """
    return _kept(name, data, lambda: data)


def _kept(name: str, content: bytes, made: Callable[[], bytes]) -> str:
    """``offer`` for the data that ``made`` makes of ``content``, if it is not there yet."""
    try:
        return str(_shelf.put(name, content, made))
    except OSError as error:
        sentence = _(
            "The disk of the machine that runs this page is full, or may not be written to: make room, then try again."
        )
        raise UapError(sentence) from error


def keep_for_good() -> None:
    """Never remove what has been offered up to now: every visitor's page links to what it was built with."""
    _shelf.keep_for_good()
