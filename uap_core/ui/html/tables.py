"""Tables of HTML for everybody: heads that screen readers say with each cell, a frame that the keyboard can scroll."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from uap_core.i18n import _


def head(names: Iterable[str]) -> str:
    """The first line of a table: a head for each column."""
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<tr>{cells}</tr>"


def line(name: str, cells: Iterable[str]) -> str:
    """A line of a table: the HTML that names it, then its cells of HTML."""
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def wide(label: str, table: str) -> str:
    """A frame as wide as the page, called ``label``, in which a wider table of HTML moves sideways, by the arrow keys too.

    Where it does, a line above says so (static/sideways.js).
    """
    the_table_moves = _("The table moves sideways.")
    hint = f'<p class="sideways" aria-hidden="true">{escape(the_table_moves)} ⟷</p>'
    return f'{hint}<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">{table}</div>'
