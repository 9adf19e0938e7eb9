"""The app in a process of its own, its log read to the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PWN = "<img src=x onerror=window.pwned=1>"


class Running:
    """A running app: its ``address``, its process and the lines that it has written so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines, self.address = process, list[str](), ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # read to the end, so that the app never waits for its log to be taken
            self.lines.append(line)
            if not self.address and (found := re.search(r"http://127\.0\.0\.1:\d+", line)):
                self.address = found[0]

    def wait(self) -> None:
        """Until it serves. Raises RuntimeError when it ends before."""
        for _ in range(1200):
            if self.address:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the app did not open: {''.join(self.lines)}")


@contextmanager
def running(*options: str, root: Path = ROOT, env: dict[str, str] | None = None) -> Iterator[Running]:
    """The app of ``root`` on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(root / "app.py"), *options],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    app = Running(process)
    try:
        app.wait()
        yield app
    finally:
        process.terminate()
        process.wait(20)
