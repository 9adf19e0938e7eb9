"""The polygon whose corners are labels: what was measured in it, and its picture. What moves is static/polygon.js."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.io.paths import GENERATORS
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import LINF
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import offer

if TYPE_CHECKING:
    from uap_core.experiments.generator_rows import PlaceRow

FILE = f"{QUICK_MODEL}-hubs-linf10"
FILES = (FILE, f"{QUICK_MODEL}-hubs-l2")
MOUNT = "globalThis.uapPolygonRooms(element, trigger)"
MIDDLE, REACH, TEXT_REACH = 150, 105, 124


@dataclass(frozen=True)
class Sent:
    """What the page gets of a generator: its name, its file, labels, and the places that were measured."""

    name: str
    path: Path
    labels: list[str]
    rows: list[PlaceRow]
    told: dict[str, Any]
    network: str

    @property
    def norm(self) -> str:
        """The norm that bounds its patterns, as the page writes it."""
        return "l_inf" if self.told["p"] == LINF else "l2"

    @property
    def start(self) -> int:
        """The place to begin with: the first corner."""
        return next(i for i, row in enumerate(self.rows) if row.mix[0] > 0.999)

    def checked(self, place: Any) -> int:
        """A place, as a visitor's page says it. Raises PerturbationError for none of ours."""
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(self.rows):
            raise PerturbationError(_("This pattern is no longer there. Choose another one."))
        return place

    def named(self, place: int) -> str:
        """What a pattern of a place is called."""
        shares = sorted(zip(self.rows[place].mix, self.labels, strict=True), reverse=True)[:2]
        parts = [f"{label} {share:.0%}" for share, label in shares if share > 0.01]
        return _("Generated in {norm}: {labels}").format(norm=self.norm, labels=", ".join(parts))

    def answer(self) -> str:
        """The room's answer, in a sentence."""
        ends = [row for row in self.rows if max(row.mix) > 0.999]
        rates = sorted(row.fooled.value for row in ends)
        own = sorted(row.into[row.mix.index(max(row.mix))] for row in ends)
        said = _(
            "Trained against {network} in {norm} and told {count} labels to aim at: each fools {low:.0%} to {high:.0%} of"
            " {photographs} photographs that it was not made from; {least:.0%} to {most:.0%} become the label itself."
        )
        seen, numbers = self.rows[0].fooled.total, {"low": rates[0], "high": rates[-1], "least": own[0], "most": own[-1]}
        return said.format(network=self.network, norm=self.norm, count=len(self.labels), photographs=seen, **numbers)


def all_sent(studio: Studio) -> list[Sent]:
    """The shipped generators that were measured, one for each norm."""
    return [found for file in FILES if (found := sent(studio, file))]


def sent(studio: Studio, file: str) -> Sent | None:
    """The measured places of the generator ``file``; None where it or they are missing."""
    from uap_core.experiments.generator_rows import PlaceRow

    path, table = GENERATORS / f"{file}.safetensors", studio.precomputed(f"{file}-places", PlaceRow)
    if table is None or not path.is_file():
        return None
    name = network_name(studio, QUICK_MODEL)
    return Sent(file, path, list(table.provenance["labels"]), table.rows, table.provenance, name)


def stages(sents: Sequence[Sent]) -> str:
    """A polygon for each generator, the first one shown, and buttons to choose by norm where there are several."""
    words = escape(_("Changes are bounded in"))
    buttons = "".join(
        f'<button type="button" data-norm="{number}" aria-pressed="{"false" if number else "true"}">{sent.norm}</button>'
        for number, sent in enumerate(sents)
    )
    choice = (
        f'<div class="duel-buttons norms" role="group" aria-label="{words}">{words} {buttons}</div>' if len(sents) > 1 else ""
    )
    return choice + "".join(stage(sent, hidden=number > 0) for number, sent in enumerate(sents))


def stage(sent: Sent, hidden: bool = False) -> str:
    """Polygon, pattern and bars."""
    ends = [row for row in sent.rows if max(row.mix) > 0.999]
    ends.sort(key=lambda row: row.mix.index(max(row.mix)))
    outline = " ".join(f"{MIDDLE + REACH * end.x:.1f},{MIDDLE + REACH * end.y:.1f}" for end in ends)
    spots = "".join(
        f'<circle class="spot" cx="{MIDDLE + REACH * row.x:.1f}" cy="{MIDDLE + REACH * row.y:.1f}" r="1.8"/>'
        for row in sent.rows
    )
    names = "".join(
        f'<text data-corner="{i}" x="{MIDDLE + TEXT_REACH * end.x:.1f}" y="{MIDDLE + TEXT_REACH * end.y + 5:.1f}" '
        f'text-anchor="{"middle" if abs(end.x) < 0.3 else "start" if end.x > 0 else "end"}">{escape(label)}</text>'
        for i, (end, label) in enumerate(zip(ends, sent.labels, strict=True))
    )
    drag = escape(_("Between which labels: drag, or use the arrow keys"))
    last = len(sent.rows) - 1
    return (
        f'<div class="polygon"{" hidden" * hidden} data-sent="{escape(json.dumps(_data(sent)))}">'
        f'<svg data-polygon="stage" viewBox="-50 8 400 280"><polygon points="{outline}"/>{spots}{names}'
        f'<circle data-polygon="dot" class="dot" r="11" tabindex="0" role="slider" aria-valuemin="0" aria-valuemax="{last}" '
        f'aria-label="{drag}"/></svg>{_bars(sent)}</div>'
    )


def _bars(sent: Sent) -> str:
    rows = [("fooled", _("fooled"))] + [(f"into-{i}", label) for i, label in enumerate(sent.labels)]
    lines = "".join(
        f'<div class="row{" new" if name == "fooled" else ""}"><span class="name">{escape(text)}</span><span class="track">'
        f'<div class="bar" data-polygon="{name}"></div></span><span class="value" data-polygon="{name}-value"></span></div>'
        for name, text in rows
    )
    strong = _("The pattern, ten times stronger") if sent.told["p"] == LINF else _("The pattern, its contrast stretched")
    head, alt = escape(strong), escape(_("The pattern of this place"))
    measured = escape(_("Measured on {count} photographs").format(count=sent.rows[0].fooled.total))
    return (
        f'<div class="polygon-side"><figure><canvas data-polygon="pattern" role="img" aria-label="{alt}"></canvas>'
        f'<figcaption>{head}</figcaption></figure><div class="bars"><div class="head">{measured}</div>{lines}</div>'
        '<p data-polygon="said" role="status"></p></div>'
    )


def _data(sent: Sent) -> dict[str, Any]:
    file = offer(sent.path.name, sent.path.read_bytes())
    return {
        "file": f"gradio_api/file={quote(Path(file).as_posix())}",
        "labels": sent.labels,
        "noise": sent.told["noise"],
        "stress": sent.told["stress"],
        "signs": sent.told["p"] == LINF,
        "start": sent.start,
        "said": _("{fooled} % fooled; {share} % become {label}."),
        "places": [{"x": r.x, "y": r.y, "mix": r.mix, "fooled": r.fooled.value, "into": r.into} for r in sent.rows],
    }
