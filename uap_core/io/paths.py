"""Where the files lie that ship with the project, and those that it keeps for its user."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

_HERE = Path(__file__).resolve().parent.parent
# In an installed package they lie inside it; in a checkout, beside it.
ASSETS = _HERE / "_assets" if (_HERE / "_assets").is_dir() else _HERE.parent / "assets"
MODELS = ASSETS / "models"
PERTURBATIONS = ASSETS / "perturbations"
RESULTS = ASSETS / "results"


def dreams_path(model: str) -> Path:
    """Where the dreamt images (class impressions) of a network lie that ship, whether they are there or not.

    Args:
        model: key of a network, as ``uap models`` lists it.

    Example:
        >>> import uap_core
        >>> len(uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=4))
        4
    """
    return ASSETS / "dreams" / f"{model}.zip"


def cache_folder() -> Path:
    """Where downloads and computed files of this user are kept, as is the custom of the operating system."""
    return user_cache_path("uap_core", appauthor=False)
