"""The Lab's room "Small networks": the slides' tables on drawn digits, and what regularises."""

from uap_core.ui.tabs.small_networks.tab import build

__all__ = ["build"]
