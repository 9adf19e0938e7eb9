"""A stand-in for the Hugging Face Hub here: it states commit, size and SHA-256, then sends to where the bytes are."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMM = "test_vit.r160_in1k"  # timm's own small network, of 160 pixels
COMMIT = "c0ffee" * 6 + "c0ff"
BLOCKS = 300


@contextmanager
def hub(files: dict[str, bytes], how: str = "") -> Iterator[str]:
    """The address of a Hub with the model.safetensors of some repositories.

    ``how`` it may be of another opinion: "other" sends other bytes of that length, "cut" half of them, "unstated" says no hash,
    "pickle" has the repository without this file, "renamed" points to the repository's new name first, "slow" at first dawdles.
    """

    waited: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            repository, _, rest = self.path.lstrip("/").partition("/resolve/")
            if self.path.startswith("/bytes/"):
                self._send(files[self.path.removeprefix("/bytes/")])
            elif how == "renamed" and not repository.endswith("-new"):
                self._redirect(f"/{repository}-new/resolve/{rest}")
            elif (data := files.get(repository.removesuffix("-new"))) is None or not rest.endswith("/model.safetensors"):
                self._answer(401, {"X-Error-Code": "RepoNotFound"})
            elif how == "pickle":
                self._answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            else:
                stated = {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data))}
                stated |= {} if how == "unstated" else {"X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"'}
                self._redirect(f"/bytes/{repository.removesuffix('-new')}", stated)

        def _redirect(self, where: str, headers: dict[str, str] | None = None) -> None:
            port = self.headers["Host"].rpartition(":")[2]
            place = f"http://localhost:{port}{where}" if headers else where  # as the Hub: its bytes are on another host
            self._answer(307, {"Location": place, **(headers or {})})

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", '"of the bytes"')
            self.end_headers()
            if self.command == "HEAD":
                return
            data = bytes(len(data)) if how == "other" else data[: len(data) // 2] if how == "cut" else data
            slow = how == "slow" and self.path not in waited
            waited.add(self.path)
            step = len(data) // BLOCKS + 1 if slow else len(data)
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                time.sleep(0.05 if slow else 0)

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):  # whoever asked may leave in the middle
                super().handle_one_request()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
