"""Of Gradio's many routes, those that this page and its programs use are open. All others do not exist."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from uap_core.ui.serving.answers import NOTHING_HERE, below_root, refuse

# By method. Not among them, since they write files, fetch, or show what goes on: process_recording, deep_link, proxy=,
# component_server (no component here has a backend), monitoring, dev, custom_component, stream, login, vibe-edit, run-history.
_READ = r"|config|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(/\d+)?|(assets|static|svelte)/[^\\]+"
_API_READ = (
    r"info|app_id|openapi\.json|startup-events|theme\.css|queue/(data|status)|upload_progress|heartbeat/[\w-]{1,64}"
    r"|call/(v2/)?\w{1,99}/\w{1,64}|file=(?P<file>.+)"
)
_API_WRITE = r"upload|queue/join|call/(v2/)?\w{1,99}|cancel|reset"
OPEN = {
    "GET": re.compile(rf"/({_READ}|gradio_api/({_API_READ}))/?", re.DOTALL),
    "POST": re.compile(rf"/gradio_api/({_API_WRITE})/?"),
}
# This app fetches nothing for visitors. Gradio would, and hand the answer on as if it were the page's own.
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:", re.DOTALL)  # of two letters or more: one is a disk of Windows


class OpenRoutes:
    """Answer 404 for what is not open, and for addresses of other hosts in place of a file."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is open."""
        if scope["type"] == "websocket":  # none here speaks it
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http" and not is_open(scope["method"], below_root(scope)):
            await refuse(scope, receive, send, 404, NOTHING_HERE)
        else:
            await self.app(scope, receive, send)


def is_open(method: str, path: str) -> bool:
    """Whether the page or its programs use this."""
    if method == "OPTIONS":  # a browser's question whether another page's script may ask, which Gradio answers ahead of us
        return True
    found = OPEN.get({"HEAD": "GET"}.get(method, method), OPEN["POST"]).fullmatch(path)
    return found is not None and not (found.groupdict().get("file") and _ADDRESS.match(found["file"]))
