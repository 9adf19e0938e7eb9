"""How universal perturbations are found: one file a method, one shared loop.

METHODS names them for people; the classes are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from uap_core.errors import SettingError
from uap_core.texts import _

if TYPE_CHECKING:
    from uap_core.crafting.loop import Crafter

METHODS = {
    "default": "Default",
    "transfer": "Transfer",
    "deepfool": "DeepFoolUAP",
    "spgd": "SPGD",
    "margin": "Margin",
    "cosine": "Cosine",
    "sga": "SGA",
    "singular": "Singular",
}


def method_class(name: str) -> type[Crafter]:
    """The class of the method called ``name``. Raises SettingError for one that is not known."""
    if name not in METHODS:
        raise SettingError(_("There is no method {name!r}. Known: {names}.").format(name=name, names=", ".join(METHODS)))
    found: type[Crafter] = getattr(import_module(f"uap_core.crafting.{name}"), METHODS[name])
    return found
