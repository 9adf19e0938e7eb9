"""No request is read beyond its limit: uploads that of a file, all others a megabyte."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from uap_core.ui.serving.answers import API, below_root, refuse

MEGABYTE = 1_000_000
TOO_LARGE = "This is more than is taken here."


class BodyLimit:
    """Count what comes in, whatever it says of its own length, and answer 413 as soon as it is too much.

    Gradio counts the bytes of files only, and keeps form fields and JSON of any size in memory.
    """

    def __init__(self, app: ASGIApp, upload_megabytes: int) -> None:
        self.app, self.upload = app, (upload_megabytes + 1) * MEGABYTE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what stays within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.upload if below_root(scope).rstrip("/") == f"{API}upload" else MEGABYTE
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > limit:
            await refuse(scope, receive, send, 413, TOO_LARGE)
            return
        seen, answered, refused = 0, False, False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit and not refused:
                refused = True
                if not answered:
                    await refuse(scope, receive, send, 413, TOO_LARGE)
            # Whatever the app makes of a visitor who left, it keeps no more of this.
            return {"type": "http.disconnect"} if refused else message

        async def answering(message: Message) -> None:
            nonlocal answered
            answered = True
            if not refused:
                await send(message)

        try:
            await self.app(scope, counted, answering)
        except Exception:
            if not refused:  # else the app only says that somebody left
                raise
