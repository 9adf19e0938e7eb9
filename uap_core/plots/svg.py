"""A Matplotlib figure as SVG inside a page: text is text in the page's font, colours are the page's, light and dark.

Not a picture beside the page: what Matplotlib writes for a file of its own (a style sheet that would hold for the whole page,
fonts, a white ground, ids that another chart has, too) is taken out.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Sequence
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from uap_core.i18n import _
from uap_core.plots.points import Mark

INK = ("#000000",)  # follows the text of the page
KEEP = ("#ffffff",)  # letters on colour stay white
EPSILON = "epsilon"  # the gid of axes whose x is the slider's epsilon in 255ths


def svg_of(figure: Figure, kind: str, words: str) -> str:
    """What ``figure`` shows as an <svg> of the class ``kind``, told as ``words``. It is drawn; its marks are in place after."""
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_visible(False)
    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chart"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = stream.getvalue()
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)[0]
    looks, inside = _own_ids(_page_colours(_tight(drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")])))
    room = f'viewBox="0 0 {float(width):g} {float(height):g}" width="{float(width):g}" height="{float(height):g}"'
    scale = _epsilon_scale(figure)
    return f'<svg class="{kind}" {room} role="img" aria-label="{escape(words)}" style="{looks}"{scale}>{inside}</svg>'


def marks_json(marks: Sequence[Mark]) -> str:
    """Marks for charts.js, as the value of an attribute."""
    rows = [[mark.series, mark.x, mark.y, mark.low, mark.high, mark.across, mark.down] for mark in marks]
    return escape(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))


def _tight(text: str) -> str:
    """Without what is for a file of its own, and with places to a tenth of a point."""
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|<defs>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*;? ?|font: ([\d.]+px) [^;\"]*", lambda found: _size(found[1]), text)
    text = re.sub(r' transform="rotate\(-?0(?:\.0)? [^)]*\)"', "", text)
    text = re.sub(r' (?:d|x|y)="[^"]*"', lambda found: _rounded(found[0]), text)  # what is written stays as it is
    return re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", text)).strip()


def _rounded(places: str) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), places)


def _size(found: str | None) -> str:
    return f"font-size: {found}" if found else ""


def _page_colours(text: str) -> tuple[str, str]:
    """The style of the root, which names each colour of the figure, lighter in the dark, and the rest with these names."""
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        colour = found[0].lower()
        if colour in INK:
            return "currentColor"
        return colour if colour in KEEP else f"var({names.setdefault(colour, f'--ink-{len(names)}')})"

    text = re.sub(r"(?<=: )#[0-9a-fA-F]{6}\b", named, text)
    return ";".join(f"{name}:color-mix(in oklab,{colour} var(--ink-kept),white)" for colour, name in names.items()), text


def _own_ids(looks_and_text: tuple[str, str]) -> tuple[str, str]:
    """Ids that are asked for get the name of their figure in front, all others go."""
    looks, text = looks_and_text
    mine = hashlib.sha256(text.encode()).hexdigest()[:8]
    asked = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda found: f' id="c{mine}-{found[1]}"' if found[1] in asked else "", text)
    return looks, re.sub(r'(href="|url\()#', rf"\1#c{mine}-", text)


def _epsilon_scale(figure: Figure) -> str:
    """Where epsilon 0 and the end of the axis lie, for the line that charts.js draws at the slider's."""
    for axes in figure.axes:
        if axes.get_gid() == EPSILON:
            to_share = figure.transFigure.inverted()
            (left, bottom), (right, top) = to_share.transform(
                axes.transData.transform([(0, axes.get_ylim()[0]), (axes.get_xlim()[1], axes.get_ylim()[1])])
            )
            place = f"{left:.4f} {right:.4f} {1 - top:.4f} {1 - bottom:.4f} {axes.get_xlim()[1]:g}"
            now = escape(_("strength {level}"))
            return f' data-epsilon="{place}" data-now="{now}"'
    return ""
