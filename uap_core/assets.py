"""Where the files lie that ship with the project, and those that it keeps for its user."""

from __future__ import annotations

import os
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
MODELS = ASSETS / "models"
PERTURBATIONS = ASSETS / "perturbations"
RESULTS = ASSETS / "results"


def dreams_path(model: str) -> Path:
    """The dreamt images of a network."""
    return ASSETS / "dreams" / f"{model}.zip"


def cache_folder() -> Path:
    """What this project fetched or worked out for this user: uap_core under XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uap_core"
