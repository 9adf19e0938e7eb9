"""Freed memory is kept: seen in the page faults of blocks that are allocated again and again."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, threading
import torch
{first}
def work():
    for _ in range(100):  # a few begin where no block was before
        torch.zeros(4_000_000).add_(1)  # 16 MB: 4 000 pages
def in_a_thread():
    thread = threading.Thread(target=work)
    thread.start(); thread.join()
in_a_thread()  # what is needed once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
in_a_thread()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(first: str) -> int:
    run = subprocess.run([sys.executable, "-c", FAULTS.format(first=first)], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is asked, which only Linux has.")
def test_large_blocks_are_not_fetched_from_the_system_again_and_again() -> None:
    kept = faults("from uap_core.models.allocator import keep_freed_memory; assert keep_freed_memory()")
    # glibc's own bound, which it raises by itself after some blocks, sooner or later.
    handed_back = faults("import ctypes; ctypes.CDLL(None).mallopt(-3, 128 << 10)")
    assert kept < 0.2 * handed_back


HELD = """
import torch
from uap_core.models.allocator import give_back_freed_memory, keep_freed_memory
assert keep_freed_memory()
def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024
large, small = [], []
for _ in range(40):
    large.append(torch.ones(4_000_000))  # 16 MB
    small.append(torch.ones(50_000))  # 0.2 MB, which stays
large.clear()
before = held()
assert give_back_freed_memory()
print(before - held())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is asked, which only Linux has.")
def test_memory_between_what_stays_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 550  # MB, of the 640 that were freed
