"""A visitor's file takes the place of a pattern of its name: that is said, unless it is the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tab_pages import by_id, handlers_of, page_of

from uap_core.ui.session_patterns import READINGS
from uap_core.ui.state import Pattern

NETWORK, SAID = "resnet64", "in place of the one of that name"


@pytest.fixture(scope="module")
def page() -> Any:
    return handlers_of(page_of(lambda studio, setup, tab: None))


@pytest.fixture
def path(tmp_path: Path) -> str:
    draw = np.random.default_rng(0).choice([-0.03, 0.03], (2, 3, 64, 64)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", one=draw[0], other=draw[1])
    return str(tmp_path / "mine.npz")


def said_and_own(sent: Any) -> tuple[str, dict[str, Pattern]]:
    own = next(held for held in sent.values() if isinstance(held, dict) and "mine" in held)
    return by_id(sent)["bar-said"], own


def test_another_array_of_the_same_file_replaces_the_first(page: Any, path: str) -> None:
    said, own = said_and_own(page["open_array"]({"path": path}, NETWORK, {}, "one"))
    assert SAID not in said
    said, now = said_and_own(page["open_array"]({"path": path}, NETWORK, own, "other"))
    assert SAID not in said
    assert not np.array_equal(now["mine"].values, own["mine"].values)


def test_one_that_was_kept_is_not_replaced_without_a_word(page: Any, path: str) -> None:
    kept = {"mine": Pattern("mine", np.full((3, 64, 64), 0.02, np.float32), "linf", 0.02, origin="kept")}
    assert SAID in said_and_own(page["open_array"]({"path": path}, NETWORK, kept, "one"))[0]
    how = [options[0] for options in READINGS.values()]
    assert SAID in said_and_own(page["read_again"]({"path": path}, NETWORK, kept, "one", *how))[0]
