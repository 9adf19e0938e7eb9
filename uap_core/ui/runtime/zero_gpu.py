"""A Hugging Face Space with ZeroGPU lends a graphics card to one call at a time; anywhere else nothing of this happens.

The package ``spaces``, which such a Space brings along, runs a decorated function in a process forked from this one, where the
card is real. Light clicks stay on the processor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

from uap_core.models.zoo import Zoo
from uap_core.settings import limits

if TYPE_CHECKING:
    from uap_core.ui.state import Studio

LENT = 120  # seconds that a visitor without an account may have a card at a time


def on_zero_gpu() -> bool:
    """Whether this process runs on such a Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def lent(studio: Studio, run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """``run`` on a lent card where there is one to lend, else ``run`` itself."""
    if not on_zero_gpu():
        return run
    import spaces

    @wraps(run)
    def on_card(*args: Any) -> Iterator[Any]:
        import torch

        torch.set_num_threads(1)  # the threads that the parent process had are not here, and waiting for them would never end
        os.environ["UAP_DEVICE"] = "cuda"
        studio.zoo = Zoo(studio.zoo.folders)  # the networks that the parent has loaded lie on the processor
        yield from run(*args)

    return spaces.GPU(duration=min(LENT, limits().seconds))(on_card)
