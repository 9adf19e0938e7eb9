"""Where the page listens: said in a sentence when that cannot be, before anything heavy is loaded."""

from __future__ import annotations

import errno
import os
import socket

from uap_core.errors import SettingError

LARGEST = 65535


def settle_port(host: str | None, port: int | None) -> tuple[str | None, int | None]:
    """The address and port to listen on; None where Gradio is to choose. Raises SettingError when they cannot be had.

    A port that GRADIO_SERVER_PORT names counts like one of the command line; Gradio would take another one without a word.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or None
    named, source = os.environ.get("GRADIO_SERVER_PORT", ""), "--port"
    if port is None and named:
        source = "GRADIO_SERVER_PORT"
        if not (named.isascii() and named.isdigit()):
            raise SettingError(f"GRADIO_SERVER_PORT must be a whole number up to {LARGEST}, not {named!r}.")
        port = int(named)
    if port is None and host is None:
        return None, None
    if port is not None and not 0 < port <= LARGEST:
        raise SettingError(f"{source} must be a whole number from 1 to {LARGEST}, not {port}.")
    _try(host or "127.0.0.1", port or 0, source)
    return host, port


def _try(host: str, port: int, source: str) -> None:
    """Listen there for a moment."""
    try:
        kind, *_, place = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise SettingError(f"This machine has no address {host!r}: name another with --host, such as 0.0.0.0.") from error
    try:
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            if os.name == "posix":  # elsewhere it would share the port with whoever has it
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
            trial.listen()
    except OSError as error:
        raise SettingError(_sentence(error, host, port, source)) from error


def _sentence(error: OSError, host: str, port: int, source: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} ({source}) is taken by another program: choose another one, or none for the first free one."
    if error.errno == errno.EACCES:
        return f"Port {port} ({source}) is for administrators: choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {host!r}: name another with --host, such as 0.0.0.0."
    return f"The page cannot listen on {host}, port {port}: {error.strerror}."
