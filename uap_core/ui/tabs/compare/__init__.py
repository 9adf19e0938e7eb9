"""The Compare tab: one photograph under the universal pattern and under every attack that was made for one picture."""

from __future__ import annotations

from uap_core.ui.tabs.compare.tab import build

__all__ = ["build"]
