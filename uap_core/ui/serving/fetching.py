"""Gradio fetches {"path": "http://..."} ahead of every handler that takes a file. Here it does not."""

from __future__ import annotations

from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils

SENTENCE = "This page fetches no files from other addresses. Send the file itself."


def never_fetch() -> None:
    """Let every way by which Gradio would fetch for a visitor end in an error.

    Its internals, since it has no setting for this, and handlers are called when the file is already there.
    """

    async def refused(*_: Any, **__: Any) -> NoReturn:
        raise gr.Error(SENTENCE, print_exception=False)

    def refused_at_once(*_: Any, **__: Any) -> NoReturn:
        raise gr.Error(SENTENCE, print_exception=False)

    for name in ("async_ssrf_protected_get", "async_ssrf_protected_download"):
        getattr(processing_utils, name)  # a version that calls it otherwise is not passed over in silence
        setattr(processing_utils, name, refused)
    for name in ("ssrf_protected_download", "save_url_to_cache", "unsafe_download"):
        getattr(processing_utils, name)
        setattr(processing_utils, name, refused_at_once)
