"""What every tab begins and ends with: a plain question with its answer, and the way to the next tab; words beside buttons."""

from __future__ import annotations

from html import escape

from uap_core.i18n import _


def lesson(question: str, answer: str) -> str:
    """The question that a tab answers, as its heading, and the answer in one sentence."""
    return f'<div class="lesson"><h2>{escape(question)}</h2><p>{escape(answer)}</p></div>'


def next_line(tab: str, question: str) -> str:
    """A line at the end of a tab: a button with the next ``question`` that opens ``tab`` (static/next.js)."""
    words = escape(_("Next:"))
    return f'<p class="next">{words} <button type="button" data-go="{escape(tab)}">{escape(question)} →</button></p>'


def does(words: str) -> str:
    """What a button does, beside it."""
    return f'<p class="does">{escape(words)}</p>'


def go_line(tab: str, words: str) -> str:
    """A line that opens ``tab``, which is not the next one."""
    return f'<p class="next"><button type="button" data-go="{escape(tab)}">{escape(words)} →</button></p>'
