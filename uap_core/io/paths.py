"""Paths of the files that ship with the project, and of the user's cache."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

_HERE = Path(__file__).resolve().parent.parent
# Inside an installed package; beside it in a checkout.
ASSETS = _HERE / "_assets" if (_HERE / "_assets").is_dir() else _HERE.parent / "assets"
PACKAGE_PARENT = _HERE.parent  # what Python must look through to find the package
MODELS = ASSETS / "models"
PERTURBATIONS = ASSETS / "perturbations"
RESULTS = ASSETS / "results"
GEOMETRIC = ASSETS / "geometric"
GENERATORS = ASSETS / "generators"


def dreams_path(model: str) -> Path:
    """The path of a network's class impressions that ship with the project, whether they exist or not.

    Args:
        model: key of a network, as ``uap models`` lists it.

    Example:
        >>> import uap_core
        >>> len(uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=4))
        4
    """
    return ASSETS / "dreams" / f"{model}.zip"


def cache_folder() -> Path:
    """The user's cache folder for downloads and computed files, by the convention of the operating system."""
    return user_cache_path("uap_core", appauthor=False)
