"""What a malicious file would hold: something that leaves a trace when it is executed."""

from __future__ import annotations

import os
from pathlib import Path


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
