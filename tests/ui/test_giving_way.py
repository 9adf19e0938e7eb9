from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from contextvars import ContextVar
from typing import Any

import pytest

from uap_core.ui.runtime.low_priority import NICENESS, giving_way
from uap_core.ui.runtime.time_left import ticking
from uap_core.ui.serving.pictures import Opener

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


@pytest.mark.parametrize("kind", [giving_way, ticking])
def test_a_run_that_nobody_closes_goes_with_the_garbage(kind: Callable[[Generator[int]], Iterator[int | None]]) -> None:
    """Gradio may leave one so; the collector takes it together with its thread's pool, in whichever thread it works."""
    closed = threading.Event()

    def run() -> Generator[int]:
        try:
            yield from (1, 2)
        finally:
            closed.set()

    steps = kind(run())
    assert next(steps) == 1
    around: list[Any] = [steps]
    around.append(around)
    del steps, around
    collector = threading.Thread(target=gc.collect, daemon=True)
    collector.start()
    collector.join(10)
    assert not collector.is_alive()
    assert closed.is_set()


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


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system ranks processes otherwise")
@pytest.mark.parametrize("patient", [False, True])
def test_processes_that_open_pictures_stand_behind_clicks(patient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first moment: this one here never does anything, let alone rank itself."""
    begun, popen = list[subprocess.Popen](), subprocess.Popen

    def started(*given: Any, **options: Any) -> subprocess.Popen:
        begun.append(popen([sys.executable, "-c", "print('ready', flush=True); input()"], **options))
        return begun[0]

    monkeypatch.setattr(subprocess, "Popen", started)
    Opener(patient).start()
    try:
        behind = os.getpriority(os.PRIO_PROCESS, begun[0].pid) - os.getpriority(os.PRIO_PROCESS, 0)
        assert behind == (10 if patient else 5)
    finally:
        begun[0].communicate(b"\n")
