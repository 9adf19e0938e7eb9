"""Whatever is opened as a pattern: the right array, or one sentence; nothing in it is ever executed."""

from __future__ import annotations

import re
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from patterns import PATTERN, pattern_files
from running import Running
from visitor import Visitor

from uap_core.errors import UapError
from uap_core.perturbations.perturbation import Perturbation, load_perturbation

SENTENCE = re.compile(r"[A-Z][^\n]{10,400}\.")
SECONDS = 10
MEGABYTES = 80  # of Python's and NumPy's own, for any one file; files have 30 at most


def test_every_file_gives_the_pattern_or_a_sentence(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    canary = tmp_path / "executed"
    for file in pattern_files(canary):
        path = tmp_path / file.name
        path.write_bytes(file.data)
        started = time.process_time()  # other processes may be at work beside it
        tracemalloc.start()
        opened, said = _opened(path)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        path.unlink()
        if opened is None:
            assert SENTENCE.fullmatch(said), (file.name, said)
            assert not file.whole, (file.name, said)
            assert str(tmp_path) not in said
        else:
            assert not file.refused, file.name
            assert torch.isfinite(opened.pattern).all(), file.name
            assert opened.pattern.dtype == torch.float32
            assert not file.whole or np.allclose(opened.pattern.numpy(), PATTERN, atol=1e-7), file.name
        found["refused" if opened is None else "opened"] += 1
        assert not canary.exists(), f"{file.name} was executed"
        assert time.process_time() - started < SECONDS, file.name
        assert peak < MEGABYTES, (file.name, peak)
    assert found["refused"] > 100
    assert found["opened"] > 10


def _opened(path: Path) -> tuple[Perturbation | None, str]:
    """The pattern, or the sentence of our own error."""
    try:
        return load_perturbation(path), ""
    except UapError as error:
        return None, str(error)


def test_a_sample_over_http(visitor: Visitor, app: Running, tmp_path: Path) -> None:
    """The page's own upload and handler; a pattern of another size is refused by its size."""
    canary = tmp_path / "executed"
    everything = list(pattern_files(canary))
    chosen = [file for file in everything if file.whole] + [file for file in everything if file.refused][::16]
    for file in chosen:
        answer = visitor.call("open_pattern", [visitor.upload(file.name, file.data), "resnet64", None])
        assert answer.success, (file.name, answer.text)
        said = " ".join(map(str, answer.data))
        assert 'role="alert"' in said, (file.name, said)
        assert ("12 x 12" in said) == file.whole, (file.name, said)
    assert not canary.exists()
    assert app.process.poll() is None
