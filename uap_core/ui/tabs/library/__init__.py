"""The tab Library: the ready-made patterns, those that others published, and how fast each method finds one."""

from uap_core.ui.tabs.library.tab import build

__all__ = ["build"]
