from __future__ import annotations

import pytest
from toys import ToyZoo, toy_zoo


@pytest.fixture
def zoo() -> ToyZoo:
    return toy_zoo("one", "two")
