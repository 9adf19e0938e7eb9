"""A web server of this machine, for tests of downloads: well-behaved, slow, cut off, or of another opinion."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[str]:
    """The address of a server of ``files`` by path.

    Below /cut/ the second half never comes, /moved/ points to the file, /unsized/ does not say how long it is, /slow/ takes
    half a minute for whoever asks first.
    """
    waited: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.lstrip("/").rpartition("/")
            if name not in files:
                self.send_error(404)
                return
            data = files[name]
            if kind == "moved":
                self.send_response(302)
                self.send_header("Location", f"/{name}")
                self.end_headers()
                return
            self.send_response(200)
            if kind != "unsized":
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if kind == "slow" and name not in waited:
                waited.add(name)
                for start in range(0, len(data), len(data) // 300 + 1):
                    self.wfile.write(data[start : start + len(data) // 300 + 1])
                    time.sleep(0.1)
            else:
                self.wfile.write(data[: len(data) // 2] if kind == "cut" else data)

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):  # whoever asked may leave in the middle
                super().handle_one_request()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
