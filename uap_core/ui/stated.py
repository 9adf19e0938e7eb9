"""What a pattern's file states of how it was made and what it does: what the page says of that, where it can be true."""

from __future__ import annotations

from typing import Any

from uap_core.checks import check_number
from uap_core.errors import SettingError

LONGEST = 200  # characters of one text, a line or two
TEXTS = ("network", "craft_set", "method", "target")
NUMBERS = {"image_gradients": 1e12, "seconds": 1e9, "seed": 2**64}  # and the most that each can be
RATES = ("fooling_rate", "random_signs", "target_rate")


def sayable(provenance: dict[str, Any]) -> dict[str, Any]:
    """The entries of ``provenance`` that the page says something of, without those that no run can have written."""
    said: dict[str, Any] = {name: provenance[name] for name in TEXTS if _is_text(provenance.get(name))}
    said |= {name: provenance[name] for name, most in NUMBERS.items() if _is_number(provenance.get(name), most)}
    held_out = provenance.get("held_out")
    if isinstance(held_out, dict):
        stated: dict[str, Any] = {"set": held_out["set"]} if _is_text(held_out.get("set")) else {}
        stated |= _rates(held_out, said)
        for network in said.get("network", "").split(", "):
            if isinstance(held_out.get(network), dict) and network not in (*RATES, "set"):
                stated[network] = _rates(held_out[network], said)
        said |= {"held_out": stated} if stated else {}
    return said


def _rates(stated: dict[str, Any], said: dict[str, Any]) -> dict[str, float]:
    """The rates from 0 to 1; the one of reaching a target where there is a target."""
    found = {name: stated[name] for name in RATES if _is_number(stated.get(name), 1)}
    return {name: rate for name, rate in found.items() if name != "target_rate" or "target" in said}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _is_number(value: object, most: float) -> bool:
    try:
        check_number("it", value, least=0, most=most)
    except SettingError:
        return False
    return True
