"""What a malicious file would hold: something that leaves a trace when it is executed."""

from __future__ import annotations

import os
from pathlib import Path

from uap_core.errors import PerturbationError
from uap_core.perturbations.perturbation import load_perturbation


class Trap:
    """Unpickling it, or running ``code``, creates ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)

    @property
    def code(self) -> str:
        """A Python expression that springs the trap."""
        return f"__import__('os').mkdir({str(self.path)!r})"

    @property
    def sprung(self) -> bool:
        """Whether the trap was executed."""
        return self.path.exists()


def assert_damage_is_said(path: Path, changes: list[tuple[float, int]], keep: float, reach: int) -> None:
    """Change bytes of ``path`` among its first ``reach`` (place as a share, new value) and cut it after the share ``keep``.

    Opening it then gives a pattern of numbers or our own error, and nothing else.
    """
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[int(place * min(len(data), reach))] = value
    path.write_bytes(data[: int(keep * len(data))])
    try:
        loaded = load_perturbation(path)
    except PerturbationError:
        return
    assert loaded.pattern.isfinite().all()
