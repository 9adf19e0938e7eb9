"""Under which name the page is served is the host's to say, and not that of whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit, urlunsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from uap_core.ui.serving.answers import refuse

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
FORWARDED = b"x-forwarded-host"
# Gradio builds addresses of what these say; the second is for a server of its own that does not run here.
DROPPED = (FORWARDED, b"x-gradio-server")


class KnownHosts:
    """Heed the name that a proxy forwards only if it is one of ``names``, and let redirects lead nowhere else.

    Where the host said its names (UAP_HOSTS), other names than these and this machine's are answered 400.
    """

    def __init__(self, app: ASGIApp, names: Callable[[], Iterable[str]], only: bool) -> None:
        self.app, self.names, self.only = app, names, only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on without the forwarded name of anybody."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        names, said = tuple(self.names()), dict(scope["headers"])
        if self.only and not is_among(said.get(b"host", b"").decode("latin-1"), (*names, *LOOPBACK)):
            await refuse(scope, receive, send, 400, "This page is not served under that name.")
            return
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if name not in DROPPED or (name == FORWARDED and is_among(value.decode("latin-1"), names))
        ]

        async def within(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, _path_of(value) if name.lower() == b"location" else value) for name, value in message["headers"]
                ]
            await send(message)

        await self.app({**scope, "headers": kept}, receive, within)


def is_among(host: str, names: Iterable[str]) -> bool:
    """Whether ``host``, with a port or without, is one of ``names``, in which "*." stands for any name below."""
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    name = name.lower()
    return any(name == one.lower() or (one.startswith("*.") and name.endswith(one[1:].lower())) for one in names)


def _path_of(location: bytes) -> bytes:
    """Where a redirect leads, without the host; with one slash in front, since two would name a host again."""
    parts = urlsplit(location.decode("latin-1"))
    path = "/" + parts.path.replace("\\", "/").lstrip("/") if parts.netloc or parts.path.startswith(("/", "\\")) else parts.path
    return urlunsplit(("", "", path, parts.query, parts.fragment)).encode("latin-1")
