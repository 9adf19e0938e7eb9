"""Universal adversarial perturbations: craft, load, apply and measure them; attack single images.

Everything public is named in ``__init__.pyi`` beside this file and is found on first use: ``import uap_core`` costs
milliseconds, and torch comes with the first call that needs it. Attacks and methods are found by their registration too.

    >>> import uap_core
    >>> network = uap_core.load_model("resnet64")  # or uap_core.wrap(module_of_your_own)
    >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=32)
    >>> v = uap_core.load_perturbation("resnet64-linf10")
    >>> measured = uap_core.evaluate(network, v, images)
    >>> measured.universal.value > measured.random_signs.value
    True

Images are float32 (N,3,H,W) in [0,1], patterns (3,H,W) in the same units, epsilon too: 10/255 is ten of 255 levels.
"""

from importlib import import_module

import lazy_loader

__version__ = "0.1.0"

_stated, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """A name of the stub, or the class of an attack or a method that is registered and has no line there."""
    try:
        return _stated(name)
    except AttributeError:
        if name[:1].isupper():  # a class, not a module
            from uap_core.attacks.menu import MENU as ATTACKS
            from uap_core.crafting.menu import MENU as METHODS

            for item in (*ATTACKS.values(), *METHODS.values()):
                if item.class_name == name:
                    return getattr(import_module(item.module), name)
        raise
