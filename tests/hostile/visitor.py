"""A visitor without a browser: uploads files and calls handlers of the running app over HTTP, as the page's own script does."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE = 120.0


@dataclass(frozen=True)
class Answer:
    """What came back: the status of the request, whether the handler ended well, its outputs, and everything as it was sent."""

    status: int
    success: bool
    data: list[Any]
    text: str


class Visitor:
    """One session of the app at ``address``. Its ``config`` is the same for all, and takes a moment to fetch."""

    def __init__(self, address: str, config: dict[str, Any] | None = None) -> None:
        # The server closes what is unused for 5 s. A question sent at that moment is lost, where a browser asks again.
        self.http = httpx.Client(base_url=address, timeout=PATIENCE, limits=httpx.Limits(keepalive_expiry=3))
        self.session = uuid.uuid4().hex
        self.config = config or self.http.get("/config").json()

    def handler(self, name: str) -> int:
        """Number of the first handler of this name."""
        return next(found["id"] for found in self.config["dependencies"] if found["api_name"] == name)

    def handler_with(self, name: str, elem_id: str) -> int:
        """Number of the first handler whose name begins so and that takes this component."""
        number = next(part["id"] for part in self.config["components"] if part["props"].get("elem_id") == elem_id)
        found = self.config["dependencies"]
        return next(one["id"] for one in found if one["api_name"].startswith(name) and number in one["inputs"])

    def filled(self, handler: int, **values: Any) -> list[Any]:
        """Arguments of a handler: what its components hold at first, but for ``values`` by elem_id (_ for -)."""
        parts = {part["id"]: part["props"] for part in self.config["components"]}
        given = {name.replace("_", "-"): value for name, value in values.items()}
        inputs = next(found["inputs"] for found in self.config["dependencies"] if found["id"] == handler)
        return [given.get(parts[number].get("elem_id"), parts[number].get("value")) for number in inputs]

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """A file as handlers take it."""
        sent = self.http.post("/gradio_api/upload", files={"files": (name, data)})
        sent.raise_for_status()
        return {"path": sent.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def look(self, network: str, pattern: str, level: float = 9, photo: Any = None, own: Any = None) -> Answer:
        """The first view for these choices; ``photo`` and ``own`` are states, which nobody can send. ``data[1]`` is what is
        said in place of a view that cannot be shown, ``data[2]`` what the page's script gets."""
        return self.call("look_apply", [None, photo, network, pattern, own, level])

    def call(self, handler: int | str, data: list[Any], event: Any = None) -> Answer:
        """Ask and wait for the last answer. States are the session's own, whatever is sent in their place."""
        number = handler if isinstance(handler, int) else self.handler(handler)
        asked = {"fn_index": number, "data": data, "session_hash": self.session, "event_data": event}
        joined = self.http.post(
            "/gradio_api/queue/join", content=json.dumps(asked), headers={"content-type": "application/json"}
        )
        if joined.status_code != 200:
            return Answer(joined.status_code, False, [], joined.text)
        lines = []
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                lines.append(line)
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    if message["msg"] == "process_completed":
                        output = message.get("output") or {}
                        return Answer(200, bool(message["success"]), output.get("data", []), "\n".join(lines))
                    if message["msg"] in ("close_stream", "unexpected_error"):
                        break
        return Answer(200, False, [], "\n".join(lines))
