"""Without such a Space: a stand-in for its package does what that does, calls the function in a forked process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from uap_core.ui.runtime.zero_gpu import lent
from uap_core.ui.state import Studio

ROOT = Path(__file__).resolve().parents[2]


def what_it_sees(studio: Studio) -> Callable[[], Iterator[Any]]:
    def run() -> Iterator[Any]:
        yield os.environ.get("UAP_DEVICE"), os.getpid(), list(studio.zoo.in_memory())

    return run


def test_elsewhere_a_run_is_left_as_it_is() -> None:
    run = what_it_sees(Studio())
    assert lent(Studio(), run) is run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork, and no such Space runs on it")
def test_on_the_space_a_run_gets_the_card_and_nothing_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = []

    def forked(run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(*args: Any) -> Iterator[Any]:
            answers = multiprocessing.get_context("fork").SimpleQueue()
            child = multiprocessing.get_context("fork").Process(target=lambda: answers.put(list(run(*args))))
            child.start()
            yield from answers.get()
            child.join()

        return call

    def gpu(duration: int) -> Callable[..., Any]:
        durations.append(duration)
        return forked

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setenv("UAP_SECONDS", "90")
    monkeypatch.delenv("UAP_DEVICE", raising=False)
    studio = Studio()
    studio.classifier("resnet64")
    ((device, process, loaded),) = lent(studio, what_it_sees(studio))()
    assert (device, loaded, durations) == ("cuda", [], [90])
    assert process != os.getpid()
    assert "UAP_DEVICE" not in os.environ
    assert list(studio.zoo.in_memory()) == ["resnet64"]


def test_the_page_is_built_without_touching_a_card() -> None:
    code = (
        "import sys; from uap_core.ui.page import build; from uap_core.ui.state import Studio; build(Studio());"
        " print('torch' in sys.modules and sys.modules['torch'].cuda.is_initialized())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().endswith("False"), done.stderr
