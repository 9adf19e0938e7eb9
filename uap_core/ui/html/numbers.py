"""Numbers of one picture: the likeliest labels as bars, and tables of two columns."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def bars(title: str, rows: Sequence[tuple[str, float]], was: str, new: str) -> str:
    """The likeliest labels as bars; the clean label is blue, the label that replaced it is orange."""
    lines = []
    for label, value in rows:
        kind = "was" if label == was else "new" if label == new else ""
        lines.append(
            f'<div class="row {kind}"><span class="name">{escape(label)}</span><span class="track">'
            f'<div class="bar" style="width:{100 * value:.1f}%"></div></span><span class="value">{value:.1%}</span></div>'
        )
    return f'<div class="bars"><div class="head">{escape(title)}</div>{"".join(lines)}</div>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """A two-column table of names and values."""
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f'<table class="facts">{lines}</table>'


def size_in_words(linf: float, l2: float) -> list[tuple[str, str]]:
    """Both norms on both scales, as rows of ``facts``."""
    return [
        ("l_inf", f"{linf * 255:.3g}/255 = {linf:.4f}"),
        ("l2", f"{l2 * 255:.0f} (0-255) = {l2:.2f}"),
    ]
