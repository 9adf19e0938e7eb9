"""The game of two networks in one dimension: its picture and controls. What moves is the page's script (static/duel.js)."""

from __future__ import annotations

import json
from html import escape

import gradio as gr

from uap_core.i18n import _

MOUNT = "globalThis.uapDuelRoom(element.querySelector('.duel'))"
TEXTS = {
    "play": _("▶ play"),
    "pause": _("❚❚ pause"),
    "alone": _("▶ train D alone"),
    "steps": _("{d} steps of D, {g} of G"),
    "tangent": _("At x = {x}: p_real {p}, p_g {q}. The curve is highest at a = {best}; D says {now}."),
    "nothing": _("At x = {x} there is no data: anything D says there costs nothing."),
    "begin": _("G has learnt nothing yet: what it makes lies in one narrow heap. Press play."),
    "under": _("D tells what is real from what G makes, and G moves to where D errs."),
    "best": _("D is as good as it can be against this G: V has reached the dashed line, and stops there."),
    "won": _("What G makes lies where the real data lie: D is left with ½ almost everywhere."),
    "equal": _("G makes exactly the real data: JS is 0, and D learns that ½ is the best answer everywhere."),
    "collapse": _(
        "Mode collapse: G leaves out {missed} % of the real data and runs from one place to the next. The theory leaves this"
        " out: there D is perfect before every step of G."
    ),
    "diverged": _("G flew off, far from all data: the rates are too high. The game has begun again; lower them first."),
}


def build() -> None:
    """Lay out the picture and its controls."""
    gr.HTML(
        f'<div class="duel" data-texts="{escape(json.dumps(TEXTS))}">{_stage()}{_controls()}{_theory()}</div>', js_on_load=MOUNT
    )


def _stage() -> str:
    legend = "".join(
        f'<span class="{kind}">{escape(text)}</span>'
        for kind, text in (
            ("real", _("p_real, the data: drag its hills")),
            ("made", _("p_g, what G makes")),
            ("judge", _("D(x): how real D takes x to be")),
            ("best", _("D*(x) = p_real / (p_real + p_g), the best D")),
        )
    )
    about = escape(_("Both densities over x, the answers of D, and the best answers"))
    picked = escape(_("The picked x"))
    hills = "".join(
        f'<circle data-duel="hill" r="9" cy="250" tabindex="0" role="slider" aria-valuemin="-5" aria-valuemax="5" '
        f'aria-label="{escape(name)}"/>'
        for name in (_("First hill of the data"), _("Second hill of the data"))
    )
    return (
        '<p class="said" data-duel="said" role="status"></p>'
        f'<div class="legend">{legend}</div>'
        f'<svg data-duel="chart" class="chart-1d" viewBox="0 0 720 268" role="group" aria-label="{about}">'
        '<path class="grid" d="M0 20H720M0 135H720"/><text class="tick" x="4" y="16">D = 1</text>'
        '<text class="tick" x="4" y="131">½</text>'
        '<path class="real" data-duel="p"/><path class="made" data-duel="q"/>'
        '<path class="best" data-duel="best"/><path class="judge" data-duel="d"/>'
        '<path class="at" data-duel="at" tabindex="0" role="slider" aria-valuemin="-5" aria-valuemax="5" '
        f'aria-label="{picked}"/>'
        f'<path class="axis" d="M0 250H720"/>{hills}</svg>'
    )


def _controls() -> str:
    buttons = "".join(
        f'<button type="button" data-duel="{name}">{escape(text)}</button>'
        for name, text in (
            ("play", TEXTS["play"]),
            ("one-d", _("one step of D")),
            ("one-g", _("one step of G")),
            ("alone", TEXTS["alone"]),
            ("again", _("start again, other chance")),
        )
    )
    presets = "".join(
        f'<button type="button" data-preset="{name}">{escape(text)}</button>'
        for name, text in (("fair", _("a fair game")), ("collapse", _("mode collapse")), ("equal", _("a perfect G")))
    )
    rates = "".join(
        f'<label>{escape(text)} <b data-duel="{name}-now"></b>'
        f'<input type="range" data-duel="{name}" min="-4" max="{top}" step="0.1"></label>'
        for name, text, top in (("rateD", _("Rate of D"), "1"), ("rateG", _("Rate of G"), "1"))
    )
    widths = "".join(
        f'<label>{escape(text)} <b data-duel="width-now"></b>'
        '<input type="range" data-duel="width" min="0.2" max="1.2" step="0.1"></label>'
        for text in (_("Width of the first hill"), _("Width of the second hill"))
    )
    losses = (("minmax", _("min-max: G lowers log(1 − D)")), ("other", _("non-saturating: G raises log D")))
    options = "".join(f'<option value="{key}">{escape(text)}</option>' for key, text in losses)
    per = escape(_("Steps of D for one of G"))
    try_words, loss = escape(_("Try:")), escape(_("What G is after"))
    return (
        f'<div class="duel-buttons">{buttons}</div><div class="duel-buttons presets">{try_words} {presets}</div>'
        f'<div class="duel-rules">{widths}</div>'
        f'<div class="duel-rules"><label>{per} <input type="number" data-duel="perG" min="1" max="10" step="1"></label>{rates}'
        f'<label>{loss} <select data-duel="loss">{options}</select></label></div>'
    )


def _theory() -> str:
    """Below: who moves, the curve whose top is D*, and V against what theory says."""
    return f'<div class="duel-theory">{_players()}{_curve()}{_value()}</div>'


def _players() -> str:
    about = escape(_("Random numbers go into G; what it makes and the real data go into D, which says how real they are"))
    names = {"z": _("random z"), "real": _("real data"), "answer": _("real?")}
    z, real, answer = (escape(name) for name in names.values())
    head = escape(_("Who moves"))
    return (
        f'<figure><figcaption>{head}</figcaption><svg viewBox="0 0 300 150" role="img" aria-label="{about}">'
        '<path class="wire" d="M52 106H84M146 106C170 106 166 84 186 80M96 40C150 40 160 66 186 72M248 76H268"/>'
        f'<text x="26" y="110">{z}</text><text x="56" y="44">{real}</text><text x="284" y="80">{answer}</text>'
        '<g class="player g"><rect x="84" y="84" width="62" height="44" rx="8"/><text x="115" y="112">G</text></g>'
        '<g class="player d"><rect x="186" y="54" width="62" height="44" rx="8"/><text x="217" y="82">D</text></g></svg>'
        '<p data-duel="steps"></p></figure>'
    )


def _curve() -> str:
    head = escape(_("At the picked x: p log a + q log(1 − a), over the answer a"))
    about = escape(_("A curve with its top at p / (p + q), and where D is on it"))
    return (
        f'<figure><figcaption>{head}</figcaption><svg viewBox="0 0 300 150" role="img" aria-label="{about}">'
        '<path class="axis" d="M12 132H288"/><text class="tick" x="12" y="146">0</text>'
        '<text class="tick" x="288" y="146">1</text>'
        '<path class="judge" data-duel="f"/><circle class="top" data-duel="f-best" r="6"/>'
        '<circle class="now" data-duel="f-now" r="4.5"/>'
        '</svg><p data-duel="f-said"></p></figure>'
    )


def _value() -> str:
    head = escape(_("The score V, and its top for this G"))
    about = escape(_("V over time, the dashed line 2 JS minus log 4 above it, and minus log 4"))
    rows = "".join(
        f'<tr><th scope="row">{escape(text)}</th><td data-duel="{name}"></td></tr>'
        for name, text in (
            ("scoreReal", _("E log D(x): high if D knows the real")),
            ("scoreMade", _("E log(1 − D(G(z))): high if D knows the made")),
            ("value", _("V(G, D), their sum")),
            ("topNumber", "−log 4 + 2 JS"),
            ("js", "JS(p_real, p_g)"),
            ("klP", "KL(p_real ‖ ρ)"),
            ("klQ", "KL(p_g ‖ ρ)"),
        )
    )
    note = escape(
        _(
            "V is the score, which D raises and G lowers. KL says how far one density is from another, JS how far the data and"
            " what G makes are apart: 0 where they are equal. ρ is the mean of both densities; the two KL add up to 2 JS (some"
            " notes drop the factor 2). In nats."
        )
    )
    return (
        f'<figure><figcaption>{head}</figcaption><svg viewBox="0 0 300 130" role="img" aria-label="{about}">'
        '<path class="floor" data-duel="floor"/><text class="tick" x="296" y="100" style="text-anchor: end">−log 4</text>'
        '<path class="best" data-duel="top"/><path class="judge" data-duel="v"/></svg>'
        f'<div class="js-track"><div data-duel="js-bar"></div></div><table class="facts">{rows}</table><p>{note}</p></figure>'
    )
