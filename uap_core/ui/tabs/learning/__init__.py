"""The Lab's room "From learning to attacking"; everything in it is computed and drawn by the page's script."""

from uap_core.ui.tabs.learning.tab import build

__all__ = ["build"]
