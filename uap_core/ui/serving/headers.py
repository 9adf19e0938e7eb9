"""Headers of a public page: nothing is guessed from content, nothing comes from elsewhere, frames only where they are meant."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from uap_core.ui.serving.answers import API, below_root

# Gradio's page has scripts and styles in it, and makes functions of the strings that its events carry as JavaScript.
PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)
# A file of a visitor's is shown as a picture in the page; opened by itself it can do nothing at all.
FILE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), display-capture=()"),
)


class SafeHeaders:
    """Add them to every answer. ``frames`` are origins whose pages may show this one, besides its own."""

    def __init__(self, app: ASGIApp, frames: Sequence[str]) -> None:
        self.app = app
        self.page = PAGE.format(frames=" ".join(("'self'", *frames))).encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and complete what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = FILE.encode("latin-1") if below_root(scope).startswith(f"{API}file") else self.page

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in ALWAYS} | {b"content-security-policy"}
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in own]
                message["headers"] = [*kept, *ALWAYS, (b"content-security-policy", policy)]
            await send(message)

        await self.app(scope, receive, completed)
