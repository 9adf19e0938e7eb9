"""A comparison as tables: the short one, whose lines become cards on a phone, and all columns for researchers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from uap_core.attacks.menu import ANY, FOOLED, GOALS, HELD, MENU, RUNNER_UP, VERDICTS, attack_name
from uap_core.experiments.apply import GAIN, amplified
from uap_core.i18n import _, ngettext
from uap_core.ui.html.tables import head, wide
from uap_core.ui.widgets import picture_link

if TYPE_CHECKING:
    from uap_core.experiments.compare import Budget, Contender

Near = Callable[[str], bool]  # whether a label is a near miss of what the network saw before
NORMS = {"linf": "l_inf", "l0": "l_0"}
SHORT = (_("Picture"), _("Attack"), _("The network sees"), _("Verdict"), _("Length of the change"), _("Work"))
LONG = (
    _("Attack, aim"),
    _("Picture"),
    _("Change"),
    _("Label"),
    _("Verdict"),
    "l_inf",
    "l2 (0-255)",
    _("Pixels"),
    "PSNR, SSIM",
    _("Cost"),
    _("As PNG"),
)


def short_table(before: np.ndarray, caption: str, rows: Sequence[Contender], near: Near) -> str:
    """One line an attack, a card on a phone."""
    lines = "".join(_short_line(row, near) for row in rows)
    return _table(_("Attacks on the photograph"), "bouts cards", before, caption, SHORT, lines)


def long_table(before: np.ndarray, caption: str, rows: Sequence[Contender], near: Near) -> str:
    """One line an attack with all that was measured; the names stay in view while it moves sideways."""
    lines = "".join(_long_line(before, row, near) for row in rows)
    return _table(_("All numbers of the attacks"), "bouts all", before, caption, LONG, lines)


def _table(label: str, kind: str, before: np.ndarray, caption: str, names: Sequence[str], lines: str) -> str:
    """The photograph lies behind every picture and shows when the pointer or the keyboard rests on it."""
    style = f"--photograph:url('{picture_link(before)}')"
    return wide(
        label, f'<table class="{kind}" style="{style}"><caption>{escape(caption)}</caption>{head(names)}{lines}</table>'
    )


def _short_line(row: Contender, near: Near) -> str:
    sure = _("{sure:.0%} sure")
    cells = (
        _picture(row),
        f"<b>{escape(attack_name(row.key))}</b>{_small(_about(row))}",
        f"{escape(row.label)} {_small(sure.format(sure=row.probability))}",
        _verdict(row, near),
        _length(row),
        f"{_time(row.seconds)}{_small(_passes(row.gradients + row.queries))}",
    )
    return _line(SHORT, cells)


def _long_line(before: np.ndarray, row: Contender, near: Near) -> str:
    change = picture_link(amplified((row.picture.astype(float) - before) / 255))
    stronger = _("its change, {gain} times stronger").format(gain=GAIN)
    home = _small(_("failed even where it was made")) if row.at_home is False else ""
    beyond = _small(_("beyond the strength")) if row.within is False else ""
    aim = _small(_("aim: {aim}").format(aim=_aim(row)))
    budget = _small(_("up to {budget}").format(budget=_spent(row.budget))) if row.budget else ""
    gradients = _small(_("gradients {count}").format(count=row.gradients))
    queries = _small(_("queries {count}").format(count=row.queries))
    quality = (_("no change"), "") if math.isinf(row.psnr) else (f"{row.psnr:.1f} dB", _small(f"{row.ssim:.3f}"))
    sure = _("{sure:.0%} sure")
    share = _("{size:.3g} in [0,1]")
    alone = escape(_("alone, on grey: {label}").format(label=row.alone))
    cells = (
        f"<b>{escape(attack_name(row.key))}</b>{aim}{_small(_about(row))}{budget}",
        _picture(row),
        f'<img alt="{stronger}" src="{change}">{_small(alone)}',
        f"{escape(row.label)} {_small(sure.format(sure=row.probability))}",
        f"{_verdict(row, near)}{home}",
        f"{row.linf * 255:.3g}/255{beyond}",
        f"{row.l2 * 255:.0f}{_small(share.format(size=row.l2))}",
        f"{row.l0}{_small(f'{row.l0 / before[..., 0].size:.0%}')}",
        "".join(quality),
        f"{_time(row.seconds)}{gradients}{queries}",
        f"{_worded(row.png_verdict, near(row.png_label))}{_small(escape(row.png_label))}",
    )
    return _line(LONG, cells)


def _line(names: Sequence[str], cells: Sequence[str]) -> str:
    """Each cell says what it is, for where the line is a card."""
    form = '<td data-name="{}">{}</td>'
    return f"<tr>{''.join(form.format(escape(name), cell) for name, cell in zip(names, cells, strict=True))}</tr>"


def _picture(row: Contender) -> str:
    after = _("picture after {attack}").format(attack=escape(attack_name(row.key)))
    return f'<span class="swap" tabindex="0"><img alt="{after}" src="{picture_link(row.picture)}"></span>'


def _about(row: Contender) -> str:
    """Whose it is, and what it knows."""
    item = MENU.get(row.key)
    if item is None:
        return _("the same for every picture")
    into = _("; into {aim}").format(aim=_aim(row)) if row.aim != ANY else ""
    kind = _("bounded in {norm}") if item.bounded else _("smallest in {norm}")
    norm = NORMS.get(item.norm, item.norm) if row.p is None else f"l_{row.p:g}"
    return escape(f"{_(item.source)}; {_(item.knows)}; {kind.format(norm=norm)}") + into


def _aim(row: Contender) -> str:
    if row.aim == ANY:
        return _(GOALS[ANY])
    form = _("“{label}”, the runner-up") if row.aim == RUNNER_UP else "“{label}”"
    return escape(form.format(label=row.into))


def _length(row: Contender) -> str:
    if not row.l2:
        return _("no change")
    at_most_of = _("at most {level:.3g} of 255 a pixel")
    return f"{row.l2 * 255:.0f}{_small(at_most_of.format(level=row.linf * 255))}"


def _spent(budget: Budget) -> str:
    if budget.searches > 1:
        return _("{searches} x {count} iterations").format(searches=budget.searches, count=budget.count)
    form = _("{count} queries") if budget.unit == "queries" else _("{count} steps")
    return form.format(count=budget.count)


def _passes(count: int) -> str:
    return ngettext("{count} pass", "{count} passes", count).format(count=count)


def _small(text: str) -> str:
    return f"<small>{text}</small>"


def _verdict(row: Contender, near: Near) -> str:
    return _worded(row.verdict, near(row.label))


def _worded(verdict: str, is_near: bool) -> str:
    kind = "held" if verdict == HELD else "hit"
    miss = _small(_("a near miss: a class of the same kind")) if verdict == FOOLED and is_near else ""
    return f'<span class="{kind}">{_(VERDICTS[verdict])}</span>{miss}'


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
