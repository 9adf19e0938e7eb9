"""Runs programs that come in by lines of JSON, each in a fork of this process, where torch is imported already.

A line {"program": text, "said": path} is answered by {"status": exit status, "seconds": time}; ``said`` gets what was printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback

import numpy
import scipy.io
import torch

import uap_core.api
import uap_core.images.reading
import uap_core.models.zoo

READY = (numpy, scipy.io, torch, uap_core)
LONGEST = 300  # seconds


def run(program: str, said: str) -> int:
    """The exit status of ``program``, run in a fork."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(LONGEST)
    with open(said, "w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    status = 1
    try:
        sys.argv = ["-"]
        exec(compile(program, "<stdin>", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Answer line by line until there is no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        asked, started = json.loads(line), time.perf_counter()
        status = run(asked["program"], asked["said"])
        answers.write(json.dumps({"status": status, "seconds": time.perf_counter() - started}) + "\n")


if __name__ == "__main__":
    main()
