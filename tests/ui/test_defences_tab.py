from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.defences.transforms import DEFENCES
from uap_core.experiments.defences import DefenceRow
from uap_core.io.paths import RESULTS
from uap_core.metrics import Rate
from uap_core.models.robust_variants import ROBUST, TWINS, UNIVERSAL
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences import detector, live
from uap_core.ui.tabs.defences import tab as defences_tab
from uap_core.ui.tabs.defences.bars import bars, live_marks
from uap_core.ui.tabs.defences.live import TICKED
from uap_core.ui.tabs.defences.stored import told
from uap_core.ui.tabs.defences.table import HEAD, conclusion, table_of
from uap_core.ui.tabs.defences.verdict import verdict
from uap_core.ui.widgets import hide

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = DefenceRow("JPEG <50>", "exact", "accuracy", *(Rate(n, 200) for n in (190, 60, 150, 20)), 400, 7.0)
PATTERN = "resnet64-linf10.safetensors"


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(defences_tab.build)


@pytest.fixture(scope="module")
def handlers(page: gr.Blocks) -> dict[str, Callable[..., Any]]:
    """The tab's handlers by name, as the page calls them."""
    return handlers_of(page)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LIVE_BUDGET", 16), ("LIVE_CRAFT", 8), ("LIVE_HELD_OUT", 12), ("LIVE_AWARE", 32)):
        for module in (live, detector):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


def cells(line: str) -> list[str]:
    return re.findall(r"<t[dh](?: scope=\"row\")?>(.*?)</t[dh]>", line)


def test_every_line_of_the_table_has_both_patterns() -> None:
    head, *lines = table_of([ROW, replace(ROW, defence="blur-1")]).split("<tr>")[1:]
    titles = re.findall(r'<th scope="col">(.*?)</th>', head)
    assert titles == list(HEAD)
    for line in lines:
        found = dict(zip(titles, cells(line), strict=True))
        assert found["Fooled by the fixed pattern"].startswith("30.0%<small>")
        assert found["… by one crafted anew"].startswith("<b>75.0%<small>")
    assert "JPEG &lt;50&gt;" in lines[0]
    assert "<50>" not in lines[0]


def test_the_conclusion_names_what_falls_most() -> None:
    bare, held = replace(ROW, defence="none"), replace(ROW, defence="blur-1", crafted_anew=Rate(70, 200))
    assert conclusion([bare, held, ROW]) == "Behind JPEG <50> the fixed pattern fools 30%, one crafted through it 75%."
    assert conclusion([bare, *(replace(ROW, defence=name) for name in TWINS)]) == "", "a twin stands behind nothing"
    assert "no pattern crafted anew" in conclusion([bare, replace(held, crafted_anew=Rate(10, 200))])


def test_live_rows_appear_whole(handlers: dict[str, Callable[..., Any]], small: None, dreams: Path) -> None:
    chosen = ["blur-1", "bits-3"]
    yielded = list(handlers["measure"]("sample:lion", "resnet64", PATTERN, {}, 10.0, chosen))
    tables = [table for _, table, *_ in yielded if isinstance(table, str)]
    assert [table.count("<tr>") for table in tables] == [2, 2, 3, 3, 4, 4], "each row early on, and whole"
    early, whole = ([int(re.findall(r"(\d+)<small>image-gradients", table)[-1]) for table in tables[i::2]] for i in (0, 1))
    assert early == [8] * 3
    assert [table.count("only begun") for table in tables] == [1, 0] * 3
    assert whole == [16] * 3
    for table in tables:
        for line in table.split("<tr>")[2:]:
            assert all("%" in cell for cell in cells(line)[1:5])
    assert "Opening" in yielded[0][0]
    assert yielded[-1][0].count("16 image-gradients a defence on 8 images, measured on 12 class impressions")
    marks = [mark for *_, mark in yielded if isinstance(mark, str)]
    assert marks[0] == "", "and so do the marks of the run before"
    assert [mark.count("--live-adapted") for mark in marks] == [0, 1, 2, 3]
    assert all(f'data-of="resnet64--{PATTERN}"' in mark for mark in marks[1:])
    shown, rows = [(figure, csv) for _, _, figure, csv, _ in yielded if figure != gr.skip()], list[int]()
    assert shown[0] == (hide(), hide()), "with the first row goes what was drawn and offered before"
    for figure, csv in shown[1:]:
        assert figure["visible"]
        rows.append(Path(csv["value"]).read_text().count("\n") - 1)
    assert rows == [1, 2, 3]


def test_the_ticked_twins_alone_are_measured_live(handlers: dict[str, Callable[..., Any]], small: None, dreams: Path) -> None:
    for ticked in ([], [UNIVERSAL]):
        *_, last, _ = handlers["measure"]("sample:lion", "resnet64", PATTERN, {}, 10.0, ticked)
        assert [line.partition(",")[0] for line in Path(last[3]["value"]).read_text().splitlines()[1:]] == ["none", *ticked]
    *_, last, _ = handlers["measure"]("sample:lion", "resnet64_universal", PATTERN, {}, 10.0, list(TWINS))
    assert Path(last[3]["value"]).read_text().count("\n") == 2, "a twin has no twins"


def test_twins_are_offered_where_the_pictures_tell_the_truth_about_them(
    handlers: dict[str, Callable[..., Any]], small: None, dreams: Path
) -> None:
    *_, ticks = handlers["look_offered"]("", "resnet64", TICKED)
    assert [key for _, key in ticks["choices"]] == [*(defence.id for defence in DEFENCES), UNIVERSAL]
    assert ROBUST not in ticks["value"]
    assert handlers["look_offered"]("", "vgg64", TICKED)[-1]["visible"] is False, "no live run, nothing to tick"
    *_, last, _ = handlers["measure"]("sample:lion", "resnet64", PATTERN, {}, 10.0, [ROBUST])
    assert [line.partition(",")[0] for line in Path(last[3]["value"]).read_text().splitlines()[1:]] == ["none"]


def test_the_detector_live(handlers: dict[str, Callable[..., Any]], small: None, dreams: Path) -> None:
    yielded = list(handlers["detect"]("sample:lion", "resnet64", PATTERN, {}, 10.0))
    shown = [(figure, csv) for _, figure, csv in yielded if isinstance(figure, dict) and figure.get("visible")]
    assert [len(set(re.findall(r"^[^,]+", Path(csv["value"]).read_text(), re.M))) - 1 for _, csv in shown] == [1, 2, 3, 4, 5]
    assert "AUC" in yielded[1][0]
    assert any("Crafting one that knows the detector" in note for note, *_ in yielded)
    assert re.search(r"The pattern has AUC [01]\.\d\d and fools .* knows the detector has [01]\.\d\d", yielded[-1][0])


def test_without_an_epsilon_there_is_nothing_to_craft(handlers: dict[str, Callable[..., Any]]) -> None:
    *_, last = handlers["measure"]("sample:lion", "resnet64", PATTERN, {}, 0.0, ["blur-1"])
    assert "strength above 0" in last[0]


def test_what_is_not_of_the_choice_says_whose_it_is(handlers: dict[str, Callable[..., Any]]) -> None:
    for network, pattern in (("resnet64", "random-signs"), ("vgg64", "vgg64-linf10.safetensors")):
        _, lesson, shown, below, *_ = handlers["look_stored"]("", network, pattern)
        assert "This is not of your choice, but of ResNet-64, strength 10 of 255 on ResNet-64" in lesson
        assert "For your choice this has not been computed" in below
        assert f'data-of="resnet64--{PATTERN}"' in shown, "no live mark of this choice lands on these bars"
    _, detector_note, *_ = handlers["look_stored_detector"]("", "resnet64", "random-signs")
    assert "Nothing precomputed" in detector_note


def test_without_any_table_the_tab_says_what_to_do(
    handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda *_: None)
    _, lesson, shown, below, table, figure, csv, verdict_said, trained, show = handlers["look_stored"]("", "resnet64", PATTERN)
    assert "What helps?" in lesson
    assert (shown, table, verdict_said, trained) == ("", "", "", "")
    assert "No defence has been measured yet" in below
    assert not any(part["visible"] for part in (figure, csv, show))


@pytest.mark.skipif(not (RESULTS / "resnet64-defences.json").is_file(), reason="not published yet")
def test_what_is_precomputed_is_shown_as_such_with_both_patterns(handlers: dict[str, Callable[..., Any]]) -> None:
    _, lesson, shown, below, table, figure, csv, *_ = handlers["look_stored"]("", "resnet64", PATTERN)
    assert "precomputed on 300 photographs" in below
    assert "200 class impressions of ResNet-64" in below
    assert re.search(r"“.*” takes the pattern from 88% to 51%; one crafted through it is back at 74%", lesson)
    assert shown.count('class="help"') == table.count("<tr>") - 1
    for line in table.split("<tr>")[2:]:
        assert all("%" in cell for cell in cells(line)[1:5])
    assert figure["visible"]
    assert Path(csv["value"]).read_text().splitlines()[0].count("crafted_anew")


def test_each_bar_has_both_figures_and_live_marks_find_their_own() -> None:
    html = bars([ROW, replace(ROW, defence="blur-1")], "net--pattern")
    assert f"through each defence, in {ROW.image_gradients} looks at a picture" in html
    assert html.count("--fixed: 30.0%; --adapted: 75.0%; --noise: 10.0%") == 2
    assert re.findall(r'class="as-(?:fixed|adapted)" title="[^"]*">(\d+%)', html) == ["30%", "75%"] * 2
    assert "JPEG &lt;50&gt;" in html
    assert ">Blur<small>right on 95% when nobody attacks" in html
    marks = live_marks([replace(ROW, defence="blur-1")], "net--pattern")
    assert '.helps[data-of="net--pattern"] [data-defence="blur-1"]{--live-fixed: 30.0%; --live-adapted: 75.0%}' in marks
    assert live_marks([], "net--pattern") == ""


def test_the_answer_names_the_best_filter_what_becomes_of_it_and_who_holds() -> None:
    bare, weak = replace(ROW, defence="none", fixed=Rate(180, 200)), replace(ROW, defence="blur-1", fixed=Rate(100, 200))
    front = replace(ROW, defence="jpeg-50")
    twin = replace(ROW, defence=ROBUST, fixed=Rate(10, 200), crafted_anew=Rate(20, 200))
    said = told([bare, weak, front, twin])
    assert said.startswith(
        "“Save as JPEG, quality 50” takes the pattern from 90% to 30%; one crafted through it is back at 75%."
    )
    assert said.endswith("“Trained on attacks” holds best: 10%.")
    assert "holds" not in told([bare, front])
    assert "fools 10%." in told([bare, replace(front, crafted_anew=Rate(20, 200))])


def test_an_attacker_who_adapts_keeps_the_stronger_pattern() -> None:
    weaker = replace(ROW, fixed=Rate(182, 200), crafted_anew=Rate(160, 200))
    html = bars([weaker], "net--pattern")
    assert "--fixed: 91.0%; --adapted: 91.0%" in html
    assert re.findall(r'class="as-(?:fixed|adapted)" title="[^"]*">(\d+%)', html) == ["91%", "91%"]
    assert "--live-fixed: 91.0%; --live-adapted: 91.0%" in live_marks([weaker], "net--pattern")


def test_the_verdict_is_the_least_that_the_stronger_pattern_fools() -> None:
    bare, blur = replace(ROW, defence="none"), replace(ROW, defence="blur-1", fixed=Rate(130, 200), crafted_anew=Rate(90, 200))
    said = verdict([bare, ROW, blur])
    assert said.startswith("None of these filters does better than “Blur”: an attacker who knows it")
    assert said.endswith("still fools 65%.")
    twin = replace(ROW, defence=ROBUST, crafted_anew=Rate(80, 200))
    assert verdict([bare, blur, twin]).endswith("still fools 65%. Training does: “Trained on attacks” brings it to 40%.")
    weak = replace(twin, fixed=Rate(140, 200))
    assert verdict([bare, blur, weak]).endswith("Nor does training: “Trained on attacks” leaves 70%.")
    assert verdict([bare, twin]) == "", "no filter, nothing to say of filters"


def test_what_training_does_is_said_where_no_trained_version_was_measured() -> None:
    page = page_of(defences_tab.build)
    outside = shown_for(page, "efficientnet_lite0", "efficientnet_lite0-linf10.safetensors")
    said = outside["defences-trained"]
    assert "No trained version of EfficientNet-Lite0 has been measured. Of ResNet-64 there are some" in said
    assert "“Trained on attacks” on 18% (right on 61%); “Trained on a universal pattern” on 51% (right on 66%)." in said
    assert outside["defences-show"]["visible"]
    inside = shown_for(page, "resnet64", PATTERN)
    assert inside["defences-trained"] == "", "their bars are there"
    assert not inside["defences-show"]["visible"]


def shown_for(page: gr.Blocks, network: str, pattern: str) -> dict[str, Any]:
    """What the tab shows for a choice, by the ids of its places."""
    (event,) = [event for event in page.fns.values() if event.fn and event.fn.__name__ == "look_stored"]
    shown = event.fn("", network, pattern)
    return {part.elem_id: value for part, value in zip(event.outputs, shown, strict=True) if part.elem_id}


def test_listing_defences_needs_no_torch() -> None:
    check = "import sys, uap_core.defences.transforms as room; print(len(room.DEFENCES), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == f"{len(DEFENCES)} False", done.stderr


def test_one_of_each_kind_is_ticked_at_first(handlers: dict[str, Callable[..., Any]]) -> None:
    *_, ticks = handlers["look_offered"]("", "resnet64", TICKED)
    names = ["JPEG 75", "JPEG 50", "blur 1", "3 bits", "crop 90%", "trained on a universal pattern"]
    assert [name for name, _ in ticks["choices"]] == names
    assert set(ticks["value"]) < {key for _, key in ticks["choices"]}
    assert set(TICKED) <= {*(defence.id for defence in DEFENCES), *TWINS}
