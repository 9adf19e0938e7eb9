"""What a visitor wants crafted, checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from uap_core.attacks.menu import ANY, TARGET
from uap_core.crafting.menu import LARGE_SIDE, MENU
from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.settings import limits
from uap_core.ui.uploads import is_among

if TYPE_CHECKING:
    from uap_core.norms import Ball

LEAST_COST, MOST_COST = 200, 4000  # image-gradients
LARGEST_SEED = 2**31 - 1
STOPS = (0.8, 0.9, 0.0)  # shares of craft images to stop at; 0: never


@dataclass(frozen=True)
class Order:
    """What a visitor wants: crafted on ``images`` images (0 by a method that needs none) for a ``network``, within ``ball``, by
    ``method``, for ``budget`` image-gradients, into the class ``target`` (any other label when empty), under ``seed``, until
    1 - ``delta`` of the craft images are there (0: to the end of the budget)."""

    network: str
    ball: Ball
    images: int
    method: str
    budget: int
    target: str
    seed: int
    delta: float = 0.0


@dataclass(frozen=True)
class Size:
    """What is chosen for a network at first, and looked at on the way: images to craft on, image-gradients, craft and held-out
    images that are watched, held-out images that are asked at the end. Less where a look at a picture takes long."""

    images: int
    budget: int
    watched: int
    judged: int


SMALL, LARGE = Size(200, 800, 64, 128), Size(100, 400, 32, 64)


def size_for(side: int) -> Size:
    """The ``Size`` for a network of pictures with ``side`` pixels, within what the host allows."""
    size = LARGE if side >= LARGE_SIDE else SMALL
    return replace(size, images=min(size.images, limits().images))


def order(
    network: str, ball: Ball, images: Any, method: str, budget: Any, goal: str, target: str | None, seed: Any, stop: Any = 0.0
) -> Order:
    """The visitor's choices as they come from the page. Raises SettingError for what cannot be crafted."""
    if not ball.radius:
        raise SettingError(_("Crafting needs a strength above 0. Move the strength slider."))
    if not is_among(goal, (ANY, TARGET)):
        raise SettingError(_("Choose whether any label will do, or one class is to be reached."))
    if goal == TARGET and not target:
        raise SettingError(_("Choose the class to reach: type its name."))
    check_method(method)
    if goal == TARGET and not MENU[method].targets:
        names = ", ".join(_(item.name) for item in MENU.values() if item.targets)
        raise SettingError(
            _("{method} cannot aim at a class. These can: {names}.").format(method=_(MENU[method].name), names=names)
        )
    needs_images = MENU[method].needs_images
    if not is_share(stop):
        raise SettingError(_("A share to stop at lies between 0 and 100 %."))
    return Order(
        network,
        ball,
        _whole(_("The number of images"), images, 1, limits().images) if needs_images else 0,
        method,
        _whole(_("The effort"), budget, LEAST_COST, MOST_COST),
        target or "" if goal == TARGET else "",
        _whole(_("The seed"), seed, 0, LARGEST_SEED),
        round(1 - stop, 6) if stop and needs_images else 0.0,
    )


def check_method(key: Any) -> None:
    """Raise SettingError for what is no key of a method."""
    if not is_among(key, MENU):
        raise SettingError(_("There is no method {name!r}. Known: {names}.").format(name=key, names=", ".join(MENU)))


def is_share(stop: Any) -> bool:
    """Whether what was sent is a share to stop at."""
    return isinstance(stop, (int, float)) and 0 <= stop < 1


def _whole(what: str, number: Any, least: int, most: int) -> int:
    if not isinstance(number, (int, float)) or number != number or not least <= number <= most or number != int(number):
        raise SettingError(_("{what} is a whole number from {least} to {most}.").format(what=what, least=least, most=most))
    return int(number)
