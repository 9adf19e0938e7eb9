"""Who reads what was made to be misread by another: our tables beside the paper's figures, precomputed and live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from statistics import mean
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.ui.html.tables import head, wide
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.small_networks.crossing import CrossRow
    from uap_core.experiments.small_networks.learners import Learner

LIVE_IMAGES = 12
FAR = 0.15  # ours and the paper's cell differ by more than this
Published = Mapping[tuple[str, float | None], Sequence[float]]


def answer(table: Table | None) -> str:
    """What the first table teaches, in a sentence."""
    if table is None:
        return _("Often others do, too: the run below measures it.")
    least, most = _on_others(table.rows, "fc10-weak"), _on_others(table.rows, "fc10-strong")
    noise = [row for row in table.rows if row.size == 0.3]
    said = _(
        "Examples made on one network fool others that never saw them: those of the most simplified one (strongest weight"
        " decay), {most:.0%} on average, those of the least simplified, {least:.0%}. Noise {times:.0f} times as large as"
        " the former: {noise:.0%}."
    )
    size = next(row.distortion for row in table.rows if row.made_on == "fc10-strong")
    mine = {"noise": mean(row.fooled.value for row in noise), "times": noise[0].distortion / size}
    return said.format(most=most, least=least, **mine)


def compared(rows: Sequence[CrossRow], published: Published, names: Mapping[str, str]) -> str:
    """How many cells are as in the paper, which order is, and which cell is furthest from it."""
    columns = list(dict.fromkeys(row.network for row in rows))
    pairs = [
        (row, published[row.made_on, row.size][columns.index(row.network)])
        for row in rows
        if (row.made_on, row.size) in published and row.made_on != row.network
    ]
    near = sum(abs(row.fooled.value - theirs) <= FAR for row, theirs in pairs)
    row, theirs = max(pairs, key=lambda pair: abs(pair[0].fooled.value - pair[1]))
    own = [row.distortion for row in rows if row.made_on == row.network and row.size is None]
    said = _(
        "{near} of {count} cells off the diagonal lie within {far:.0f} percentage points of the paper's own (Szegedy et al.,"
        " 2014). The furthest: made on {source}, read by {network}: {ours:.0%} here, {theirs:.0%} there. Average distortions"
        " are {low:.3f} to {high:.3f} here, {low_there:.3f} to {high_there:.3f} there."
    )
    there = [published[key, None][-1] for key in columns]
    return said.format(
        near=near,
        count=len(pairs),
        far=100 * FAR,
        source=_made_on(row, names),
        network=names[row.network],
        ours=row.fooled.value,
        theirs=theirs,
        low=min(own),
        high=max(own),
        low_there=min(there),
        high_there=max(there),
    )


def cross_table(rows: Sequence[CrossRow], published: Published, names: Mapping[str, str], caption: str) -> str:
    """A line for each source and size of change; below each rate the paper's own, where it has one. Intervals as titles."""
    columns = list(dict.fromkeys(row.network for row in rows))
    cells = {(row.made_on, row.size, row.network): row for row in rows}
    lines = ""
    for place in dict.fromkeys((row.made_on, row.size) for row in rows):
        mine = [cells.get((*place, network)) for network in columns]
        theirs = published.get(place, ())
        first = next(row for row in mine if row)
        found = "".join(_cell(row, theirs[number] if theirs else None) for number, row in enumerate(mine))
        size = f"{first.distortion:.3f}" + (_there(f"{theirs[-1]:g}") if theirs else "")
        lines += f'<tr><th scope="row">{escape(_made_on(first, names))}</th>{found}<td>{size}</td></tr>'
    headings = [_("made on"), *(names[network] for network in columns), _("av. distortion")]
    table = f'<table class="matrix beside-paper"><caption>{escape(caption)}</caption>{head(headings)}{lines}</table>'
    tick = escape(_("show the 95 % intervals"))
    return f'<div class="rates"><label><input type="checkbox"> {tick}</label>{wide(caption, table)}</div>'


def live(
    learners: Sequence[Learner], published: Published, noise: Sequence[float], amplified: float | None
) -> Iterator[tuple[Any, Any, Any]]:
    """Teach them now and cross them on a few digits, as ``experiments.small_networks.crossing.crossed`` does: a sentence, the
    table and its file."""
    from uap_core.attacks.lbfgs import LBFGS
    from uap_core.experiments.small_networks.crossing import CrossRow, crossed, read_by_all
    from uap_core.experiments.small_networks.learners import NAMES, Taught, taught

    yield progress_note(_("Drawing digits…"), 0), "", hide()
    pace, done, rows = Pace(), list[Taught](), list[CrossRow]()
    for found in taught(learners):
        if isinstance(found, Taught):
            done.append(found)
            continue
        said = _("Teaching {network}").format(network=learners[min(len(done), len(learners) - 1)].name)
        yield pace.note(found, 1, said), gr.skip(), gr.skip()
    networks = [one.classifier for one in done]
    images = read_by_all(networks, LIVE_IMAGES)
    caption = _("Live, on {count} digits that all of them read right; below each, the paper's own (on MNIST).").format(
        count=len(images)
    )
    pace = Pace()
    for step in crossed(networks, images, LBFGS(6, 25), noise, 0, amplified):
        if isinstance(step, float):
            yield pace.note(step, 1, _("Making examples")), gr.skip(), gr.skip()
            continue
        rows.append(step)
        if len(rows) % len(networks) == 0:
            yield gr.skip(), cross_table(rows, published, NAMES, caption), show(offer("digits.csv", to_csv(rows).encode()))
    rates = ", ".join(f"{one.learner.name} {one.accuracy.value:.1%}" for one in done)
    yield (
        status(_("Done: taught and measured live. Right on digits never seen: {rates}.").format(rates=rates)),
        gr.skip(),
        gr.skip(),
    )


def _on_others(rows: Sequence[CrossRow], source: str) -> float:
    return mean(row.fooled.value for row in rows if row.made_on == source != row.network and row.size is None)


def _made_on(row: CrossRow, names: Mapping[str, str]) -> str:
    if row.made_on not in names:
        return _("Gaussian noise, stddev {size:g}").format(size=row.size)
    name = names[row.made_on]
    return name if row.size is None else _("{network}, amplified to {size:g}").format(network=name, size=row.size)


def _cell(row: CrossRow | None, theirs: float | None) -> str:
    if row is None:
        return "<td></td>"
    low, high = row.fooled.interval
    about = _("95 % interval {low:.0%} to {high:.0%}, {count} of {total}").format(
        low=low, high=high, count=row.fooled.count, total=row.fooled.total
    )
    kind = ' class="own"' if row.made_on == row.network else ""
    there = "" if theirs is None else _there(f"{100 * theirs:.3g} %")
    return (
        f'<td{kind} style="--rate: {100 * row.fooled.value:.0f}%" title="{escape(about)}">'
        f'<span class="rate">{row.fooled.value:.0%}</span>{there}<span class="more"> {escape(about)}</span></td>'
    )


def _there(number: str) -> str:
    said = _("paper {number}").format(number=number)
    return f"<small>{escape(said)}</small>"
