"""What all layers share: a short answer in words, what is asked for, and who asks."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

API = "/gradio_api/"
NOTHING_HERE = "There is nothing here."


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    """Answer ``sentence`` and end the connection, since what else it sends is not read."""
    await PlainTextResponse(sentence, status, {"connection": "close"})(scope, receive, send)


def address(scope: Scope) -> str:
    """Whose connection it is: an IP address, that which a trusted proxy names (uvicorn's FORWARDED_ALLOW_IPS) or its own."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def below_root(scope: Scope) -> str:
    """The path as the page counts it, without the folder under which a proxy serves it."""
    root, path = scope.get("root_path", ""), scope["path"]
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
