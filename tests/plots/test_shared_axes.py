from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from uap_core.plots.axes import apart


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_are_moved_apart_in_their_order(heights: list[float]) -> None:
    found = apart(sorted(heights), 0.055)
    assert all(b - a >= 0.055 - 1e-9 for a, b in pairwise(found))
    assert max(found) <= 1


def test_names_far_apart_stay() -> None:
    assert apart([0.1, 0.5, 0.9], 0.055) == [0.1, 0.5, 0.9]
