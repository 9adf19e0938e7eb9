"""Memory that a network freed is kept for its next pass, where the C library is glibc (most of Linux).

glibc hands every large block back to the system at once, and gets each page of the next one zeroed again. The activations of a
224-pixel network are such blocks: on EfficientNet-Lite0 a quarter to three fifths of the processor's time went into that.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

# Names of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT = 256 << 20  # bytes at the end of the heap that stay with the process
LARGEST = 1 << 30  # blocks up to so many bytes come from the heap


def keep_freed_memory() -> bool:
    """Ask the C library for it, for the whole process, and say whether it agreed: call it where a program starts.

    One heap for all threads, since those of other threads are too small for such blocks.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None:
        return False
    settings = ((M_MMAP_THRESHOLD, LARGEST), (M_TRIM_THRESHOLD, KEPT), (M_ARENA_MAX, 1))
    agreed = [mallopt(name, value) == 1 for name, value in settings]  # no short-circuit: every setting is tried
    return all(agreed)


def give_back_freed_memory() -> bool:
    """Hand freed pages back to the system, and say whether there were any.

    Without it a server holds as much as it ever needed at once: small things that stay, between large ones that went, keep the
    heap from shrinking. The next pass of a network gets its pages zeroed again, once.
    """
    trim = _of_glibc("malloc_trim")
    return trim is not None and trim(0) == 1


def _of_glibc(name: str) -> Any:
    """A function of the C library, or None where it is another one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
