from __future__ import annotations

import pytest
from toys import smooth_network

from uap_core.models.classifier import Classifier


@pytest.fixture(scope="session")
def smooth() -> Classifier:
    return smooth_network(0)


@pytest.fixture(scope="session")
def other() -> Classifier:
    """A network that disagrees with ``smooth`` about everything but the shape of things."""
    return smooth_network(1)
