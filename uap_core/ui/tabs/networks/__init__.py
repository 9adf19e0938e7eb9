"""The tab Networks: which there are, which are here, and fetching those that are not."""

from uap_core.ui.tabs.networks.tab import build

__all__ = ["build"]
