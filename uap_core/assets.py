"""Where the files lie that ship with the project."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
MODELS = ASSETS / "models"
PERTURBATIONS = ASSETS / "perturbations"
RESULTS = ASSETS / "results"


def dreams_path(model: str) -> Path:
    """The dreamt images of a network."""
    return ASSETS / "dreams" / f"{model}.zip"
