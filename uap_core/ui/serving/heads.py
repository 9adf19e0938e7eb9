"""Whether the page is there, asked without wanting it: by Gradio itself at each start, and by those who watch over servers."""

from __future__ import annotations

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from uap_core.ui.serving.answers import below_root


class Heads:
    """Answer HEAD for the page with its headers alone: Gradio would make the whole page, and throw it away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on all else."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and below_root(scope) == "/":
            answer = HTMLResponse()
            del answer.headers["content-length"]  # it is that of the page, which nobody made
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)
