"""The page's server: Gradio's, with our layers in front of it and its own limits set."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.settings import Limits, frames, hosts
from uap_core.ui.serving.fetching import never_fetch
from uap_core.ui.serving.layers import app_options

SPACE_FRAMES = ("https://huggingface.co", "https://*.huggingface.co")  # where a Space is shown


def launch(demo: gr.Blocks, limits: Limits, host: str | None, port: int | None, share: bool, **page: Any) -> None:
    """Serve ``demo`` and return; ``page`` are further options of Gradio's ``launch``. Raises SettingError."""
    never_fetch()
    named, framing = hosts(), frames()
    space = os.environ.get("SPACE_HOST", "")

    def names() -> list[str]:
        """The names under which a proxy may say that it serves the page."""
        shared = (demo.share_url or "").partition("://")[2].strip("/")
        return [name for name in (*named, space, shared) if name]

    try:
        demo.launch(
            server_name=host,
            server_port=port,
            share=share,
            max_file_size=f"{limits.upload_megabytes}mb",
            state_session_capacity=limits.sessions,
            app_kwargs=app_options(demo, limits, names, only=bool(named), frames=(*framing, *(SPACE_FRAMES if space else ()))),
            # Neither a second server beside this one, without its layers, nor what programs of other kinds speak.
            ssr_mode=False,
            num_workers=0,
            mcp_server=False,
            run_history=False,
            enable_monitoring=False,
            prevent_thread_lock=True,
            **page,
        )
    except OSError as error:
        if "empty port" in str(error):
            raise SettingError("None of the ports from 7860 on is free: choose one with --port.") from error
        raise
