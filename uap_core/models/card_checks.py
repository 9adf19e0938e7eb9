"""What a network's card must state: checked when it is read, so that a wrong entry is named there and not met later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uap_core.checks import check_fields, check_number, check_type, check_whole, shown
from uap_core.errors import SettingError

if TYPE_CHECKING:
    from uap_core.models.card import Card

KINDS = ("embedded", "exported", "torchvision", "timm")
INTERPOLATIONS = ("bilinear", "bicubic")
LARGEST = 4096  # pixels of a side
PLACE = re.compile(r"package:[A-Za-z_]\w*/[^/].*")
# What a library's builder would open or fetch by itself, past the hash of the weights.
FORBIDDEN = re.compile("pretrained|checkpoint|cache|path|file|url|weights")


def check_card(card: Card) -> None:
    """Raise SettingError for an entry of another type or out of its range; says which."""
    check_fields(card)
    _check_texts(card)
    for name, value, choices in (("kind", card.kind, KINDS), ("interpolation", card.interpolation, INTERPOLATIONS)):
        if value not in choices:
            raise SettingError(f"The {name} is {shown(value)}; it must be one of {', '.join(choices)}.")
    check_key(card.key)
    if not card.name or not card.weights:
        raise SettingError("The name and the weights are not empty.")
    if card.weights.startswith("package:") and (not PLACE.fullmatch(card.weights) or ".." in card.weights.split("/")):
        raise SettingError(f"The weights are {shown(card.weights)}: give package:NAME/PATH, a file inside a package.")
    check_whole("input_size", card.input_size, 1, LARGEST)
    check_whole("resize_size", card.resize_size, card.input_size, LARGEST)
    check_whole("view_size", card.view_size, 0, LARGEST)
    if card.sha256 and not re.fullmatch("[0-9a-f]{8,64}", card.sha256):
        raise SettingError(f"The SHA-256 is {shown(card.sha256)}: give 8 to 64 digits, 0 to 9 and a to f.")
    for name in ("mean", "std", "same_network"):
        check_type(name, getattr(card, name), tuple, "a list")
    if not all(isinstance(other, str) for other in card.same_network):
        raise SettingError("same_network lists texts, a SHA-256 each.")
    check_number("download_megabytes", card.download_megabytes, 0)
    _check_colours(card)
    _check_classes(card.classes)
    _check_figures(card)
    _check_options(card.options)


def check_key(key: str) -> None:
    """Raise SettingError for a key that cannot name a file."""
    if not key or key.startswith(".") or set(key) & set("/\\\0"):
        raise SettingError(f"The key is {shown(key)}: files are named after it, so no slash, and no dot at its beginning.")


def _check_texts(card: Card) -> None:
    """Texts are shown on the page and name files: neither takes all that JSON can hold."""
    for name, value in vars(card).items():
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise SettingError(f"{name} holds characters that no text has.")


def _check_colours(card: Card) -> None:
    for name, values, least in (("mean", card.mean, 0.0), ("std", card.std, 1e-6)):
        if len(values) != 3:
            raise SettingError(f"{name} has {len(values)} values: one each is needed for red, green and blue.")
        for value in values:
            check_number(f"each value of {name}", value, least, 255)


def _check_classes(classes: object) -> None:
    """The names of the classes, with their WordNet ids where they have one; or the name of a list that is known."""
    if isinstance(classes, str):
        return
    check_type("classes", classes, list, '"imagenet" or a list of {"name": ..., "wnid": ...}')
    assert isinstance(classes, list)  # as the line above says; mypy does not know it
    if not classes:
        raise SettingError("classes lists no class.")
    for row in classes:
        if not isinstance(row, dict) or "name" not in row or not all(isinstance(value, str) for value in row.values()):
            raise SettingError('Each of the classes is {"name": ..., "wnid": ...}, both texts; the second may be left out.')


def _check_figures(card: Card) -> None:
    for name, found in (("measured", card.measured), ("published", card.published)):
        check_type(name, found, dict, "a list of names and values in braces")
        for accuracy in ("top1", "top5"):
            if accuracy in found:
                check_number(f"{accuracy} of {name}", found[accuracy], 0, 1)
    check_type("set of measured", card.measured.get("set", ""), str, "a text")
    check_type("recipe", card.recipe, dict, "a list of names and values in braces")


def _check_options(options: object) -> None:
    """Numbers, true or false, and plain words: a builder must not be told of another file to open."""
    check_type("options", options, dict, "a list of names and values in braces")
    assert isinstance(options, dict)  # as the line above says; mypy does not know it
    for name, value in options.items():
        plain = isinstance(value, (bool, int, float)) or (isinstance(value, str) and re.fullmatch(r"\w{0,40}", value))
        if FORBIDDEN.search(name) or not plain:
            raise SettingError(f"The option {shown(name)} is not taken: a card gives numbers, true or false, and plain words.")
