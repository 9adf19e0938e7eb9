"""Files that people really have: the pattern that was meant, or one sentence; never a wrong one without a word."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from kinds import kind_files
from picture_kinds import kind_pictures

from uap_core.errors import ImageError, PerturbationError
from uap_core.images.reading import open_image
from uap_core.perturbations.perturbation import load_perturbation

SENTENCE = re.compile(r"[A-Z][^\n]{10,900}\.")


def test_no_pattern_is_wrong_in_silence(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    wrong = []
    for file in kind_files():
        path = tmp_path / file.name
        path.write_bytes(file.data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                opened = load_perturbation(path)
        except PerturbationError as error:
            found["refused"] += 1
            if file.pattern is not None or not SENTENCE.fullmatch(str(error)):
                wrong.append(f"{file.name}: {error}")
        else:
            found["read"] += 1
            # 2e-3 is half a level, which a pattern loses where mid-grey is a half.
            if file.pattern is None or not np.allclose(opened.pattern.numpy(), file.pattern, atol=2.5e-3):
                wrong.append(f"{file.name}: read as {opened.ball}, {opened.provenance['read_as']}")
        path.unlink()
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    assert sum(found.values()) >= 800
    assert min(found.values()) >= 200


def test_no_picture_is_wrong_in_silence() -> None:
    found: Counter[str] = Counter()
    wrong = []
    for file in kind_pictures():
        try:
            opened = np.asarray(open_image(file.data)).astype(float)
        except ImageError as error:
            found["refused"] += 1
            if file.levels is not None or not SENTENCE.fullmatch(str(error)):
                wrong.append(f"{file.name}: {error}")
        else:
            found["read"] += 1
            if file.levels is None or np.abs(opened - file.levels).max() > file.off:
                wrong.append(f"{file.name}: {'read' if file.levels is None else np.abs(opened - file.levels).max()}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    assert sum(found.values()) >= 300
    assert min(found.values()) >= 40
