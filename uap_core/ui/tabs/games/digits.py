"""The game of two networks with pictures: made digits, a guess, and digits changed to fool, with and without a judge."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from urllib.parse import quote

import gradio as gr

from uap_core.i18n import _
from uap_core.io.paths import GENERATORS, RESULTS
from uap_core.ui.html.tables import wide
from uap_core.ui.state import Studio
from uap_core.ui.widgets import offer

MOUNT = "globalThis.uapDigitsRoom(element.querySelector('.digits'))"
MADE, DRAWN, CHANGED = GENERATORS / "digits.safetensors", RESULTS / "digits-drawn.png", RESULTS / "digits-attack.png"
SIDE = 28
# In the order of the table's rows, and of the lines of the picture below the drawn digits.
NAMES = (
    _("changed by a network, a judge in its training"),
    _("changed by a network, no judge"),
    _("noise of the size of the first, before it is clipped"),
)


def build(studio: Studio) -> None:
    """Lay out both parts, where their files are here."""
    if MADE.is_file() and DRAWN.is_file():
        gr.HTML(_walk_and_guess(), js_on_load=MOUNT)
    if CHANGED.is_file():
        gr.HTML(_attack(studio))


def _link(path: Path) -> str:
    return f"gradio_api/file={quote(Path(offer(path.name, path.read_bytes())).as_posix())}"


def _walk_and_guess() -> str:
    import struct

    width = struct.unpack(">I", DRAWN.read_bytes()[16:20])[0]  # of a PNG file's header
    texts = {
        "was_made": _("It was made."),
        "was_real": _("It was drawn."),
        "score": _("{right} of {asked} right; guessing gives half."),
    }
    sent = {"file": _link(MADE), "sheet": _link(DRAWN), "side": SIDE, "drawn": width // SIDE, "texts": texts}
    title = escape(_("The same game with pictures"))
    about = escape(_("G learnt to make digits from random numbers by playing against a D that saw drawn digits."))
    walk, ends = escape(_("A walk between two codes")), escape(_("other ends"))
    ask, real, made = escape(_("Drawn or made?")), escape(_("drawn")), escape(_("made by G"))
    return (
        f'<h3>{title}</h3><p>{about}</p><div class="digits" data-sent="{escape(json.dumps(sent))}">'
        f'<figure><figcaption>{walk}</figcaption><canvas data-digit="walked" role="img" aria-label="{walk}"></canvas>'
        f'<input type="range" data-digit="walk" min="0" max="100" value="0" aria-label="{walk}">'
        f'<div class="duel-buttons"><button type="button" data-digit="ends">{ends}</button></div></figure>'
        f'<figure><figcaption>{ask}</figcaption><canvas data-digit="guessed" role="img" aria-label="{ask}"></canvas>'
        f'<div class="duel-buttons"><button type="button" data-digit="real">{real}</button>'
        f'<button type="button" data-digit="made">{made}</button></div><p data-digit="score" role="status"></p></figure></div>'
    )


def _attack(studio: Studio) -> str:
    from uap_core.experiments.digit_attack_rows import AttackRow

    table = studio.precomputed("digits-attack", AttackRow)
    if table is None or len(table.rows) != len(NAMES):
        return ""
    heads = [_("a small classifier errs on"), _("change, l2"), _("a fresh judge tells right")]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{row.fooled.value:.1%}</td><td>{row.l2:.2f}</td>'
        f"<td>{row.told.value:.1%}</td></tr>"
        for name, row in zip(NAMES, table.rows, strict=True)
    )
    title, alt = escape(_("Made to fool")), escape(_("Drawn digits, and below them the changed ones, a line for each row"))
    about = _("Here a network changes a digit so that a classifier errs, and a judge must not notice. Measured on {digits}.")
    text = escape(about.format(digits=table.provenance["held_out"]))
    sheet = f'<h3>{title}</h3><p>{text}</p><img class="sheet" src="{_link(CHANGED)}" alt="{alt}">'
    return sheet + wide(_("How the changed digits fare"), f'<table class="bouts"><tr><th></th>{head}</tr>{lines}</table>')
