from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from contextvars import ContextVar

import pytest

from uap_core.ui.runtime.low_priority import NICENESS, giving_way

visitor = ContextVar("visitor", default="nobody")


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no rank")
def test_steps_stand_back_and_who_asks_for_them_does_not() -> None:
    def run() -> Generator[int]:
        for _ in range(2):
            yield priority()

    before = priority()
    assert list(giving_way(run())) == [max(before, NICENESS)] * 2
    assert priority() == before


def test_all_steps_are_made_in_one_thread_and_in_the_name_of_the_visitor() -> None:
    def run() -> Generator[tuple[int, str]]:
        for _ in range(3):
            yield threading.get_ident(), visitor.get()

    token = visitor.set("mine")
    found = set(giving_way(run()))
    visitor.reset(token)
    ((thread, name),) = found
    assert thread != threading.get_ident()
    assert name == "mine"


def test_a_run_that_is_left_is_closed_and_one_that_fails_says_so() -> None:
    closed = []

    def run() -> Generator[int]:
        try:
            yield 1
            raise ValueError("broken")
        finally:
            closed.append(threading.get_ident())

    with closing(giving_way(run())) as steps:
        assert next(steps) == 1
    assert len(closed) == 1
    with pytest.raises(ValueError, match="broken"):
        list(giving_way(run()))
    assert len(closed) == 2
