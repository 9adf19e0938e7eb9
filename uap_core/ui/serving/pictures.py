"""Strangers' pictures are decoded in processes of their own: no decoder holds up, fills or ends the one that serves."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np

from uap_core.errors import ImageError
from uap_core.i18n import _
from uap_core.io.paths import PACKAGE_PARENT

# Quick ones open what is usual. What they take too long for, or what is known to take long, goes to the patient one.
QUICK = 2  # of those, beside one patient one
QUICK_SECONDS, PATIENT_SECONDS = 2.0, 40.0  # by the clock; a patient one has half of that of the processor's time
IN_LINE = 2  # large pictures: one that is opened, and one that waits
NICE = {False: 5, True: 10}  # by whether it is the patient one: where clicks want the processor, a third and a tenth of a share
STARTING = 20.0  # seconds that a process may take to begin, on a busy machine


class Slow(Exception):
    """This picture is not for a quick process."""


class Opener:
    """A process that opens one picture at a time (uap_core/images/opener.py). It starts when it is first needed."""

    def __init__(self, patient: bool) -> None:
        self.patient, self._lock = patient, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have it ready before anybody needs it."""
        with self._lock:
            self._ready()

    def square(self, path: Path, size: tuple[int, int, str]) -> np.ndarray:
        """``images.square`` of a file, uint8 (crop,crop,3), for ``size`` (resize, crop, interpolation).

        Raises Slow in a quick process, and ImageError where it is no picture, or takes too much time or memory.
        """
        with self._lock:
            process = self._ready()
            head, pixels, late = self._asked(process, {"path": str(path), "size": size})
            if self.patient:  # it may have grown to a gigabyte; the next one starts in a third of a second
                self._end()
        if head is None:
            if late and not self.patient:
                raise Slow
            raise ImageError(
                _("This picture takes too much time or memory to open. Try a smaller one, or save it as JPEG or PNG.")
            )
        if head["said"] == "slow":
            raise Slow
        if head["said"]:
            raise ImageError(head["said"])
        return np.frombuffer(pixels, dtype=np.uint8).reshape(head["shape"])

    def _asked(self, process: subprocess.Popen[bytes], question: dict) -> tuple[dict | None, bytes, bool]:
        """Its answer: words, pixels; or None, and whether it was late. Then it is ended."""
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        alarm = threading.Timer(PATIENT_SECONDS if self.patient else QUICK_SECONDS, give_up)
        alarm.start()
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            head = json.loads(process.stdout.readline())
            pixels = process.stdout.read(head["bytes"])
            if len(pixels) == head["bytes"]:
                return head, pixels, False
        except (OSError, ValueError):  # it ended
            pass
        finally:
            alarm.cancel()
        self._end()
        return None, b"", late.is_set()

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            words = [sys.executable, "-m", "uap_core.images.opener", *(["--patient"] if self.patient else [])]
            found = os.pathsep.join(filter(None, [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]))
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": found}
            )
            if hasattr(os, "setpriority"):  # from the first moment: its imports alone take a third of a second
                with suppress(OSError):
                    rank = os.getpriority(os.PRIO_PROCESS, 0) + NICE[self.patient]
                    os.setpriority(os.PRIO_PROCESS, self._process.pid, min(rank, 19))
            alarm = threading.Timer(STARTING, self._process.kill)
            alarm.start()
            assert self._process.stdout is not None
            self._process.stdout.readline()  # it says that it is ready; its limit of time begins then
            alarm.cancel()
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            with suppress(OSError):
                self._process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self._process.wait()
            self._process = None


class Openers:
    """A few of them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._quick = [Opener(patient=False) for _number in range(QUICK)]
        self._patient = Opener(patient=True)
        self._free = threading.Semaphore(QUICK)
        self._large = threading.BoundedSemaphore(IN_LINE)
        self._lock = threading.Lock()
        atexit.register(self.end)

    def start(self) -> None:
        """Have one ready."""
        self._quick[-1].start()

    def square(self, path: Path, size: tuple[int, int, str]) -> np.ndarray:
        """As ``Opener.square``. Raises ImageError, also where two large pictures are being opened already."""
        with self._free:
            with self._lock:
                opener = self._quick.pop()
            try:
                return opener.square(path, size)
            except Slow:
                pass
            finally:
                with self._lock:
                    self._quick.append(opener)
        if not self._large.acquire(blocking=False):
            raise ImageError(_("Other large pictures are being opened. Try again in half a minute, or choose a smaller one."))
        try:
            return self._patient.square(path, size)
        finally:
            self._large.release()

    def end(self) -> None:
        """Let them go with this process."""
        for opener in (*self._quick, self._patient):
            opener._end()


OPENERS = Openers()
