"""The tab Transfer: one photograph on every network of the size, who fools whom, and what is measured live."""

from uap_core.ui.tabs.transfer.tab import build

__all__ = ["build"]
