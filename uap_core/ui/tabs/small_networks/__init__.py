"""The Lab's room "Small networks": the tables of Szegedy et al. (2014) on drawn digits, and what regularises."""

from uap_core.ui.tabs.small_networks.tab import build

__all__ = ["build"]
