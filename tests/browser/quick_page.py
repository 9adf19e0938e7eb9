"""The page on the quick network: what most browser tests look at."""

from __future__ import annotations

from typing import Any

USUAL = {"photo": "lion", "network": "resnet64", "pattern": "resnet64-linf10", "eps": "10"}  # what its address says then


def open_on_the_quick_network(page: Any, server: str) -> None:
    """The page, filled, on the network whose answers take milliseconds and whose tables ship."""
    page.goto(f"{server}/?network=resnet64")
    page.locator("#numbers", has_text="live, on ResNet-64").wait_for()
