"""Run by test_texts.py in a process of its own: the page in a language whose catalogue lies elsewhere, and what it says.

python spoken_page.py FOLDER prints JSON: "laid_out", the (place, text) of every component, and "computed", those of a few
answers and a chart.
"""

from __future__ import annotations

import gettext
import json
import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
find = gettext.translation
gettext.translation = lambda domain, folder, *rest, **named: find(domain, sys.argv[1], *rest, **named)  # type: ignore[assignment]

from tab_pages import looked, page_of  # noqa: E402 - after the folder is set, since texts are found at import

from uap_core.metrics import Rate  # noqa: E402
from uap_core.ui import page  # noqa: E402
from uap_core.ui.said import SENTENCES  # noqa: E402
from uap_core.ui.selection import Selection  # noqa: E402
from uap_core.ui.state import Studio  # noqa: E402
from uap_core.ui.tabs.apply import tab as apply_tab  # noqa: E402
from uap_core.ui.tabs.compare.handlers import EFFORTS, EVERY, ITSELF, MATCHED, USUAL_NORM, preview  # noqa: E402
from uap_core.ui.tabs.compare.pace import Pace  # noqa: E402

NOW = ("sample:lion", "resnet64", "resnet64-linf10.safetensors", {}, 10.0)


def laid_out(studio: Studio) -> Iterator[tuple[str, str]]:
    demo = page.build(studio)
    yield "title", demo.title
    yield from (("script", re.sub(r"{\w+}", "", text)) for text in page.SAID.values() if isinstance(text, str))
    yield from (("script", re.sub(r"{\w+}", "", text)) for text in SENTENCES.values())
    for component in demo.config["components"]:
        kind, props = component["type"], component["props"]
        if kind == "api":  # of the calls for programs
            continue
        place = f"{kind} {props.get('elem_id') or component['id']}"
        told = ["info", "placeholder"]
        told += ["label"] if props.get("show_label") is not False and kind not in ("state", "textbox") else []
        told += ["value"] if kind in ("html", "markdown", "button", "downloadbutton") else []
        yield from ((f"{place} {name}", props[name]) for name in told if isinstance(props.get(name), str))
        yield from ((f"{place} choice", str(choice[0])) for choice in props.get("choices") or ())


def computed(studio: Studio) -> Iterator[tuple[str, str]]:
    applied = looked(page_of(lambda studio, setup, tab: apply_tab.build(studio, setup, None, tab), studio), "apply", *NOW)
    view = json.loads(unescape(applied[1][applied[1].index("{") : applied[1].rindex("}") + 1]))
    yield from (("Apply", text) for text in (view["sight"], view["lead"], view["foreign"], *applied[3:5], applied[8]))
    usual = [*EVERY], next(iter(MATCHED)), next(iter(EFFORTS)), USUAL_NORM
    compared = preview(studio, Pace(), Selection(*NOW), None, ITSELF, *usual)
    yield from (("Compare", compared[name]) for name in ("state", "lesson", "run", "rows", "every"))
    yield from (("Craft", text) for text in crafted())
    yield from (("chart", text) for text in charted())


def crafted() -> Iterator[str]:
    from uap_core.experiments.evaluation import Evaluation
    from uap_core.ui.tabs.craft.view import conclusion

    rate = Rate(3, 4)
    for target in (None, rate):
        found = Evaluation(rate, rate, rate, rate, "lion", rate, target)
        yield conclusion(found, Studio().live_set_name("resnet64"), "lion")


def charted() -> Iterator[str]:
    from uap_core.experiments.epsilon_sweep import RANDOM, UNIVERSAL, SweepRow
    from uap_core.plots.epsilon import sweep_figure

    rows: list[Any] = [SweepRow(attack, 0.1, Rate(1, 2)) for attack in (UNIVERSAL, RANDOM)]
    figure = sweep_figure(rows, "")
    yield from (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel())
    yield from (text.get_text() for text in figure.legends[0].get_texts())


if __name__ == "__main__":
    studio = Studio()
    print(json.dumps({"laid_out": [*laid_out(studio)], "computed": [*computed(studio)]}))
