"""The methods that the Craft tab, the command line and ``uap_core.craft`` offer, by key.

A method puts itself here by ``register_method`` over its class. Nothing heavy is imported, so that the page can list them at
once (see ``uap_core.registry``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from uap_core import crafting
from uap_core.errors import SettingError
from uap_core.registry import entries

if TYPE_CHECKING:
    from uap_core.crafting.base import Crafter


LARGE_SIDE, TILES, BATCH = 128, 4, 4  # pixels from which on, tiles across and down, pictures a step


@dataclass(frozen=True)
class Item:
    """One method, as ``register_method`` over its class states it.

    Args:
        key: its name in programs and files; the ``key`` of its class too.
        name: its display name.
        source: who published it.
        line: its idea in one sentence.
        targets: whether it can aim at a class.
        needs_images: whether it crafts on images; without (data-free), given ones are measured on alone.
        settings: hyper-parameters that differ from the class's defaults when it is chosen here.
        short_name: display name for small spaces.
        colour, marker: of its line in charts, as Matplotlib takes them; charts choose when left out.
        place: order in the menu, lowest first.
        module, class_name: where it is defined.
    """

    key: str
    name: str
    source: str
    line: str
    targets: bool = True
    needs_images: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    short_name: str = ""
    colour: str = ""
    marker: str = ""
    place: int = 1000
    module: str = ""
    class_name: str = ""

    @property
    def short(self) -> str:
        """Display name for small spaces."""
        return self.short_name or self.name


Kind = TypeVar("Kind", bound="type[Crafter]")


def register_method(key: str, name: str, source: str, line: str, **words: Any) -> Callable[[Kind], Kind]:
    """Put a method on the menu: a decorator of its class. See ``Item`` for the words.

    They are plain values, since they are read without importing the file (see ``uap_core.registry``). A method outside of this
    package is on the menu once its module is imported.
    """

    def keep(kind: Kind) -> Kind:
        item = Item(key, name, source, line, **words, module=kind.__module__, class_name=kind.__name__)
        if MENU.setdefault(key, item) != item:
            raise TypeError(f"There are two methods called {key!r}: {MENU[key].class_name} and {kind.__name__}.")
        return kind

    return keep


_written = [Item(*entry.values, **entry.words) for entry in entries(crafting, "register_method")]
MENU = {item.key: item for item in sorted(_written, key=lambda item: item.place)}


def method_class(key: str) -> type[Crafter]:
    """The class of the method called ``key``. Raises SettingError for one that is not known."""
    if key not in MENU:
        raise SettingError(f"There is no method {key!r}. Known: {', '.join(MENU)}.")
    found: type[Crafter] = getattr(import_module(MENU[key].module), MENU[key].class_name)
    return found


def without_images() -> str:
    """The keys of the methods that need no images, separated by commas."""
    return ", ".join(item.key for item in MENU.values() if not item.needs_images)


def with_targets() -> str:
    """The keys of the methods that take a target, separated by commas."""
    return ", ".join(item.key for item in MENU.values() if item.targets)


def for_pictures(key: str, shape: tuple[int, int] | None) -> dict[str, int]:
    """Settings of the method called ``key`` for pictures of ``shape`` (H,W; None for any), where they differ from its own.

    On large ones ours repeats one tile, in batches of four: from few gradients that fools more than a pattern whose every pixel
    is free, and many steps more than steps of many pictures.
    """
    fits = shape is not None and min(shape) >= LARGE_SIDE and not any(side % TILES for side in shape)
    return {"tiles": TILES, "batch_size": BATCH} if key == "default" and fits else {}


def build(key: str, budget: int, shape: tuple[int, int] | None = None) -> Crafter:
    """The method called ``key`` for at most ``budget`` image-gradients, in 16 bits where that is faster and it can.

    Its settings are those ``for_pictures`` of ``shape`` (H,W), where that is said. Raises SettingError for a method that is not
    known, or a budget below 1.
    """
    from uap_core.crafting.first_order import FirstOrder
    from uap_core.models.bf16 import has_fast_bf16

    kind = method_class(key)
    faster = {"bf16": has_fast_bf16()} if issubclass(kind, FirstOrder) else {}
    return kind(budget=budget, **MENU[key].settings, **faster, **for_pictures(key, shape))


def called(provenance: Mapping[str, Any]) -> str:
    """Display name of the method in a provenance; its key if it is unknown."""
    method = str(provenance.get("method", ""))
    return MENU[method].name if method in MENU else method
