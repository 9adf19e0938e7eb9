"""A run in a thread of its own, which gives way: on a busy machine the clicks of others come first."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any

NICENESS = 10  # of 19: a tenth of the processor's time where clicks want all of it, everything where nobody else does
# Threads of runs that are not closed yet: the garbage may take a run that nobody closes, and its thread must outlive it.
LIVING: set[ThreadPoolExecutor] = set()
_END = object()


def giving_way(run: Generator[Any]) -> Generator[Any]:
    """The steps of ``run``, which is closed with them."""
    with ThreadPoolExecutor(1, initializer=_stand_back) as thread:
        LIVING.add(thread)
        try:
            # What Gradio knows of the visitor goes along: a lent graphics card is asked for in somebody's name.
            while (step := thread.submit(copy_context().run, lambda: next(run, _END)).result()) is not _END:
                yield step
        finally:
            thread.submit(run.close).result()
            LIVING.discard(thread)


def _stand_back() -> None:
    """Only Linux ranks the threads of a process; torch's own, which this one starts, inherit its rank."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
