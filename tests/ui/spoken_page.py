"""Run by test_texts.py in a process of its own: the page in a language whose catalogue lies elsewhere, and what it says.

python spoken_page.py FOLDER prints JSON: "laid_out", the (place, text) of every component, and "computed", those of a few
answers and a chart.
"""

from __future__ import annotations

import gettext
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
find = gettext.translation
gettext.translation = lambda domain, folder, *rest, **named: find(domain, sys.argv[1], *rest, **named)  # type: ignore[assignment]

from tab_pages import handlers_of, page_of  # noqa: E402 - after the folder is set, since texts are found at import

from uap_core.metrics import Rate  # noqa: E402
from uap_core.ui import page  # noqa: E402
from uap_core.ui.state import Studio  # noqa: E402
from uap_core.ui.tabs import apply as apply_tab  # noqa: E402
from uap_core.ui.tabs.compare.handlers import EFFORTS, EVERY, ITSELF, MATCHED, preview  # noqa: E402
from uap_core.ui.tabs.compare.pace import Pace  # noqa: E402

NOW = ("sample:lion", "resnet64", "resnet64-linf10.safetensors", {}, 10.0)


def laid_out(studio: Studio) -> Iterator[tuple[str, str]]:
    demo = page.build(studio)
    yield "title", demo.title
    yield from (("script", text) for text in page.SAID.values())
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
    applied = handlers_of(page_of(lambda studio, setup, tab: apply_tab.build(studio, setup, None, tab), studio))["apply"](*NOW)
    yield from (("Apply", text) for text in (applied[0], *applied[2:4], applied[5]))
    usual = [*EVERY], next(iter(MATCHED)), next(iter(EFFORTS))
    compared = preview(studio, Pace(), *NOW, None, ITSELF, *usual)
    yield from (("Compare", compared[name]) for name in ("state", "lesson", "run", "rows", "every"))
    yield from (("Craft", text) for text in crafted())
    yield from (("chart", text) for text in charted())
    yield from (("row", text) for text in named())


def named() -> Iterator[str]:
    """What rows are called whose ids alone stand in the tables."""
    from uap_core.attacks.menu import MENU
    from uap_core.bounds.network import TWO_WAYS, UNKNOWN
    from uap_core.bounds.operations import KIND_NAMES
    from uap_core.defences.names import CLEAN_KINDS, defence_name
    from uap_core.defences.transforms import DEFENCES, GRADIENTS
    from uap_core.experiments import ablations, detector, directions, normals
    from uap_core.experiments.certified_radius import LayerRow
    from uap_core.experiments.disjoint_training import LEARNER_NAMES
    from uap_core.experiments.origins import GAUSSIAN, NOISES, Origin, origin_name
    from uap_core.i18n import _
    from uap_core.models.robust_variants import TWINS

    made = Origin("pgd", size=0.1, made_on="a1")
    drawn = (Origin(GAUSSIAN, size=0.1), Origin(NOISES[0], "l2", 1.0), *(Origin(noise, like="fgsm") for noise in NOISES))
    yield from (origin_name(origin, LEARNER_NAMES) for origin in (made, *drawn))
    yield from map(ablations.variant_name, ablations.variants(10))
    yield from map(defence_name, ("none", *(defence.id for defence in DEFENCES), *TWINS))
    tables = (detector.NAMES, directions.NAMES, normals.NAMES, CLEAN_KINDS, GRADIENTS)
    yield from (_(name) for table in tables for name in table.values())
    yield from (LayerRow("", 1, kind, "", "", None, None, 1.0).label for kind in KIND_NAMES)
    yield from (LayerRow("", 1, "of", "", "", None, None, 1.0, note).reason for note in (UNKNOWN, TWO_WAYS))
    yield from (item.short for item in MENU.values())


def crafted() -> Iterator[str]:
    from uap_core.experiments.evaluation import Evaluation
    from uap_core.ui.tabs.craft.view import conclusion

    rate = Rate(3, 4)
    for target in (None, rate):
        found = Evaluation(rate, rate, rate, rate, rate, "lion", rate, target)
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
