from __future__ import annotations

import io
import re
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from tab_pages import handlers_of, page_of

from uap_core.attacks.menu import ANY, TARGET
from uap_core.crafting.menu import MENU, build
from uap_core.errors import PerturbationError, SettingError
from uap_core.experiments.first_view import load_opening
from uap_core.experiments.strengths import picture_at
from uap_core.models.card import Card
from uap_core.models.zoo import PAGE_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.ui.pattern_names import LONGEST_NAME, clean_name, file_name, unused
from uap_core.ui.selection import Selection
from uap_core.ui.session_patterns import OWN_KEPT, add_own, read_pattern
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.apply import under
from uap_core.ui.tabs.apply.view import Words, looked_at, photograph
from uap_core.ui.tabs.craft import handlers as craft_handlers
from uap_core.ui.tabs.craft import order as craft_order
from uap_core.ui.tabs.craft import run as craft_run
from uap_core.ui.tabs.craft import save as craft_save
from uap_core.ui.tabs.craft import tab as craft_tab
from uap_core.ui.tabs.craft.order import Order, Size, order, size_for
from uap_core.ui.tabs.craft.pace import Pace
from uap_core.ui.tabs.craft.run import Frame, Sight, frames
from uap_core.ui.tabs.craft.stored import answer, curve
from uap_core.ui.tabs.craft.view import numbers, pattern_picture

NETWORK, READY_MADE = "resnet64", "resnet64-linf10.safetensors"
LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 2000 / 255)
LION = "sample:lion"
LEFT = (LION, NETWORK, READY_MADE, {}, 10.0)
SMALL = (16, "default", 200, ANY, None, 0, 0.0)  # images, method, cost, goal, target, seed, share to stop at


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(lambda studio, setup, tab: craft_tab.build(studio, setup, load_opening(), tab))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    monkeypatch.setattr(craft_order, "LEAST_COST", 16)
    monkeypatch.setattr(craft_order, "SMALL", Size(200, 800, 8, 12))
    for name in ("LEAST_PAUSE", "PAUSE_PER_COST"):
        monkeypatch.setattr(craft_run, name, 0.0)


def wanted(**changes: Any) -> Order:
    return replace(Order(NETWORK, LINF, 16, "default", 48, "", 0), **changes)


def shown(*given: Any) -> list[Frame]:
    """The frames of a run that show a picture; between them the clock alone is told."""
    return [frame for frame in frames(Studio(), *given) if frame.view]


def crafted(**changes: Any) -> Pattern:
    last = shown(wanted(**changes), Sight(LION))[-1]
    assert last.pattern
    return last.pattern


def a_pattern(name: str = "mine", **provenance: Any) -> Pattern:
    stated = {"network": NETWORK, "image_gradients": 48, "seed": 0} | provenance
    values = (Ball("linf", 10 / 255).random_signs((3, 64, 64), torch.Generator().manual_seed(7)) * 0.7).numpy()
    return Pattern(name, values, "linf", 10 / 255, stated, "kept")


def element(page: gr.Blocks, elem_id: str) -> Any:
    return next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == elem_id)


# A run


def test_a_run_begins_with_the_photograph_and_shows_every_step_until_it_is_judged() -> None:
    first, *steps, last = shown(wanted(), Sight(LION))
    assert first.pattern is None
    assert first.values is not None
    assert first.view
    assert not first.values.any()
    assert not first.view.fooled
    assert len(steps) == 48 // 8 + 2, "and between the looks at all craft images"
    assert all(step.pattern and (step.pattern.values == step.values).all() for step in steps)
    assert [step.pattern.provenance["image_gradients"] for step in steps if step.pattern] == [8, 16, 24, 32, 40, 48, 48, 48]
    assert "A last touch" in steps[-2].note
    assert "8 of 48 looks" in steps[0].note
    assert any(step.figure for step in steps[:3])
    assert last.figure
    assert last.pattern
    assert last.pattern.provenance["held_out"]["set"] == "12 images of resnet64 (held-out)"
    assert re.search(r"Done in \d+ s. Fools [\d.]+% \(95 % interval .* of 12\) of the .* that it was not made from", last.note)
    assert "random noise of the same strength fools" in last.note


def test_it_stops_where_enough_of_what_it_is_made_from_is_fooled() -> None:
    *_, last = shown(wanted(budget=400, delta=0.9), Sight(LION))
    assert last.pattern
    spent = last.pattern.provenance["image_gradients"]
    assert spent < 400
    assert f"after {spent} of 400 looks 10% was reached" in last.note
    *_, last = shown(wanted(budget=16, delta=0.001), Sight(LION))
    assert re.search(r"Done in \d+ s: 16 looks, and 100% was not reached\. Fools", last.note)


def test_the_time_that_is_left_counts_down(monkeypatch: pytest.MonkeyPatch, studio: Studio) -> None:
    pace = Pace()
    pace.time(studio, NETWORK)
    monkeypatch.setattr(pace, "expected", lambda *given: 30.0)
    notes = [frame.note for frame in frames(studio, wanted(budget=200), Sight(LION), pace)]
    left = [int(found[1]) for note in notes if (found := re.search(r"about (\d+) s left", note))]
    assert left[0] == 30
    assert left == sorted(left, reverse=True)


def test_the_result_is_that_of_the_method_alone_and_the_same_under_the_same_seed() -> None:
    studio = Studio()
    first, again, other = (crafted(seed=seed).values for seed in (5, 5, 6))
    part = studio.craft_and_held_out(NETWORK)[0].shuffled(torch.Generator().manual_seed(5)).prefix(16)
    *_, alone = build("default", 48).craft(studio.classifier(NETWORK), part.pixels, LINF, torch.Generator().manual_seed(5))
    assert (first == again).all()
    assert (first == alone.perturbation.numpy()).all()
    assert (first != other).any()


def test_the_photograph_is_judged_under_the_very_pattern(classifier: Any) -> None:
    last = shown(wanted(), Sight(LION))[-1]
    assert last.view
    assert last.values is not None
    change = last.view.perturbed.astype(int) - last.view.clean
    assert np.abs(change).max() <= 10
    inside = (last.view.clean > 10) & (last.view.clean < 245)
    larger = np.rint(last.values.transpose(1, 2, 0) * 255).repeat(7, 0).repeat(7, 1)  # 64 pixels shown as 448
    assert (change == larger)[inside].all()


@pytest.mark.parametrize("network", [NETWORK, "efficientnet_lite0"])
def test_a_pattern_is_shown_on_pictures_of_its_own_size_alone(studio: Studio, network: str) -> None:
    other = READY_MADE if network != NETWORK else "efficientnet_lite0-linf10.safetensors"
    with pytest.raises(PerturbationError, match="is made for"):
        looked_at(studio, Selection(LION, network, other, {}, 10.0))


def test_a_pattern_of_zeros_is_shown(studio: Studio) -> None:
    mine = {"zeros": Pattern("zeros", np.zeros((3, 64, 64), np.float32), "linf", 0.0)}
    now = looked_at(studio, Selection(LION, NETWORK, "own:zeros", mine, 0.0))
    assert (picture_at(now.photo, now.noise, 10.0) == now.photo).all()


@pytest.mark.parametrize("level", [10.0, 7.0])
def test_the_same_number_stands_here_and_in_apply(studio: Studio, level: float) -> None:
    chosen = Selection(LION, NETWORK, READY_MADE, {}, level)
    now = looked_at(studio, chosen)
    said = Words().of(studio, now, [("pattern", level)])["pattern", level]
    labels = look(studio, (LION, NETWORK, READY_MADE, {}, level))["labels"]
    assert f"<b>{said.label}</b>, {said.sure:.0%} sure" in labels
    taken = look(studio, (LION, NETWORK, READY_MADE, {}, level))["photograph"]
    assert (np.asarray(Image.open(taken)) == picture_at(now.photo, now.change, level)).all()


@pytest.mark.parametrize("method", MENU)
def test_every_method_runs_and_stays_in_its_ball(method: str) -> None:
    made = crafted(method=method, images=8, budget=32)
    assert np.abs(made.values).max() <= 10 / 255 + 1e-6
    assert made.values.any()
    assert made.name.startswith("Made here from ")
    assert method == "default" or f"method: {MENU[method].name}" in made.name


def test_a_pattern_in_l2_and_one_with_a_target() -> None:
    long = crafted(ball=L2)
    assert (long.p, long.radius) == ("l2", 2000 / 255)
    assert np.linalg.norm(long.values) == pytest.approx(2000 / 255, rel=1e-3)
    aimed = crafted(target="abacus", method="margin")
    assert aimed.provenance["target"] == "abacus"
    assert 0 <= aimed.provenance["held_out"]["target_rate"] <= 1
    assert "'abacus'" in aimed.name


def test_slow_drawing_means_fewer_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(craft_run, "LEAST_PAUSE", 60.0)
    assert len(shown(wanted(), Sight(LION))) == 1 + 1 + 3 + 1  # nothing, the first step, the last touch, the end


def test_a_photograph_chosen_during_a_run_is_the_one_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    sight, studio = Sight(LION), Studio()
    run = (frame.view for frame in frames(studio, wanted(), sight) if frame.view)
    assert {next(run).before[0][0] for _ in range(3)} == {"lion"}
    pixels = photograph("sample:cat", studio.card(NETWORK))
    of, asked = under.photograph, list[str]()

    def slow(photo: str, card: Card) -> np.ndarray:
        """While the lion is still computed, the cat is chosen."""
        asked.append(photo)
        sight.photo = "sample:cat"
        return of(photo, card)

    monkeypatch.setattr(under, "photograph", slow)
    assert all((view.clean == pixels).all() for view in run)
    assert asked[:2] == [LION, "sample:cat"]


# What is refused, in a sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ball": Ball("linf", 0)}, "strength above 0"),
        ({"images": 0}, "number of images is a whole number from 1"),
        ({"images": None}, "number of images"),
        ({"images": 2.5}, "number of images"),
        ({"budget": 10**9}, "effort is a whole number from 16 to 4000"),
        ({"budget": "many"}, "effort is a whole number"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"seed": float("nan")}, "seed is a whole number"),
        ({"seed": float("inf")}, "seed is a whole number"),
        ({"goal": TARGET}, "type its name"),
        ({"method": "guess"}, "There is no method 'guess'"),
        ({"stop": 1.0}, "between 0 and 100 %"),
        ({"stop": "soon"}, "between 0 and 100 %"),
        ({"goal": TARGET, "target": "abacus", "method": "singular"}, "These can: This project's method, "),
    ],
)
def test_what_cannot_be_crafted(change: dict[str, Any], sentence: str) -> None:
    good = {"ball": LINF, "images": 16, "method": "default", "budget": 48, "goal": ANY, "target": None, "seed": 0}
    assert order(NETWORK, **good) == wanted()  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=re.escape(sentence)):
        order(NETWORK, **(good | change))


def test_a_target_is_forgotten_where_any_label_will_do() -> None:
    assert order(NETWORK, LINF, 16, "default", 48, ANY, "abacus", 0).target == ""


def test_more_images_than_there_are() -> None:
    with pytest.raises(SettingError, match="There are 256 images to craft on"):
        next(frames(Studio(), wanted(images=300), Sight(LION)))


def test_a_share_to_stop_at_is_one_minus_delta() -> None:
    assert order(NETWORK, LINF, 16, "default", 48, ANY, None, 0, 0.8).delta == 0.2


def test_strength_0_says_a_sentence(page: gr.Blocks) -> None:
    *_, last = handlers_of(page)["craft"](*LEFT[:4], 0.0, Sight(LION), *SMALL)
    assert "strength above 0" in last[0]
    assert "problem" in last[0]


# The tab


def test_the_first_sight_is_full_and_true(page: gr.Blocks) -> None:
    for name in ("craft-pattern", "craft-photograph"):
        assert element(page, name).value
    table = element(page, "craft-numbers").value
    entry = next(entry for entry in library() if entry.key == f"{PAGE_MODEL}-linf10.safetensors")
    assert f"{entry.provenance['craft_set']}, seed 0" in table
    assert f"{entry.provenance['image_gradients']} image-gradients" in table
    assert f"<td>{escape(MENU['default'].name)}</td>" in table
    assert "Before:" in element(page, "craft-labels").value
    assert "<h2>Make one</h2>" in element(page, "craft-lesson").value
    assert not any(element(page, f"craft-{name}").visible for name in ("result", "stop", "quick", "kept-row"))
    assert not any(element(page, f"craft-{name}").open for name in ("more", "details"))
    assert 'data-go="transfer"' in "".join(str(getattr(block, "value", "")) for block in page.blocks.values())


def look(studio: Studio, left: Any = LEFT, draft: Any = None, before: str = "", **more: Any) -> dict[str, Any]:
    return craft_handlers.regard(studio, Selection(*left), draft, None, 0.8, before, more.get("sight", Sight(LION)), False)


def test_what_stands_there_before_a_run(studio: Studio) -> None:
    found = look(studio)
    assert found["looked_at"] == NETWORK
    assert "ready-made pattern, precomputed. Make one yourself" in found["state"]
    assert found["figure"]["visible"]
    assert (found["images"]["maximum"], found["images"]["value"]) == (256, 200)
    assert "of 256" in found["images"]["info"]
    assert len(found["target"]["choices"]) == 100
    again = look(studio, before=NETWORK)
    assert not {"figure", "images", "target", "lesson", "cost"} & set(again), "nothing is drawn twice"
    signs = look(studio, (*LEFT[:2], RANDOM_SIGNS, *LEFT[3:]))
    assert "which nobody crafted" in signs["state"]
    assert "not measured" in signs["table"]


def test_classes_come_when_one_is_to_be_chosen(studio: Studio) -> None:
    wanted, not_wanted = (craft_handlers.show_target(studio, goal, NETWORK) for goal in (TARGET, ANY))
    assert (len(wanted["choices"]), wanted["visible"]) == (100, True)
    assert (not_wanted.get("choices"), not_wanted["visible"]) == (None, False)


def test_the_answer_is_what_was_measured_for_the_network(studio: Studio) -> None:
    rows = curve(studio, NETWORK, "default")
    spent, rate = [row for row in rows if row[0] <= size_for(64).budget][-1]
    assert f"After {spent} of them" in answer(studio, NETWORK)
    assert f"fooled {rate.value:.0%} of {rate.total} photographs" in answer(studio, NETWORK)
    lite = next(entry for entry in library() if entry.key == f"{PAGE_MODEL}-linf10.safetensors")
    if not curve(studio, PAGE_MODEL, "default"):
        assert f"fools {lite.provenance['held_out']['fooling_rate']:.0%}" in answer(studio, PAGE_MODEL)


def test_the_button_says_what_a_run_takes_here(studio: Studio) -> None:
    pace = Pace()
    assert pace.expected(NETWORK, 800, 200, size_for(64)) is None
    offered = craft_handlers.offer(studio, pace, NETWORK, 200, 800)
    assert re.fullmatch(r"Make one \(about \d+ (s|min)\)", offered["run"]["value"])
    assert offered["run"]["visible"]
    assert not offered["quick"]["visible"]
    one, two = (pace.expected(NETWORK, budget, 200, size_for(64)) for budget in (800, 1600))
    assert one
    assert two
    assert one < two < 2 * one, "twice the gradients, not twice the looks before and after them"
    pace.took(wanted(budget=800, images=200), size_for(64), 800, 3 * one)
    assert pace.expected(NETWORK, 800, 200, size_for(64)) == pytest.approx(3 * one), "runs tell how long runs take"
    assert craft_handlers.priced(studio, pace, NETWORK, None, 800) == "Make one"


def test_large_pictures_take_fewer_looks() -> None:
    assert size_for(224).budget < size_for(64).budget
    assert size_for(224).watched < craft_order.LARGE.judged


def test_a_network_without_images_says_so_and_offers_the_quick_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "live_source", lambda self, network: None)
    found = look(studio)
    assert Path(found["picture"]).is_file()
    assert "Make one" not in found["state"]
    offered = craft_handlers.offer(studio, Pace(), NETWORK, 200, 800)
    assert "No pictures are here to make a pattern for ResNet-64" in offered["gap"]
    assert offered["quick"] == gr.update(value="Take ResNet-64", visible=True)
    assert not any(offered[name]["visible"] for name in ("run", "goal", "until")), "no button that does nothing"
    assert craft_handlers.take_quick(("other", 4)) == (NETWORK, 5)
    with pytest.raises(SettingError, match="No pictures are here"):
        list(craft_handlers.craft(studio, Pace(), Selection(*LEFT), Sight(LION), *SMALL))
    monkeypatch.undo()
    assert craft_handlers.offer(studio, Pace(), NETWORK, 200, 800)["gap"] == ""


def test_a_run_under_way_is_told_of_another_photograph(studio: Studio) -> None:
    sight = Sight(LION)
    look(studio, ("sample:cat", *LEFT[1:]), sight=sight)
    assert sight.photo == "sample:cat"


def test_what_was_said_of_a_run_stays_when_it_is_over(studio: Studio) -> None:
    def after(left: Any, draft: Any) -> dict[str, Any]:
        return craft_handlers.after(studio, Selection(*left), draft, None, 0.8, NETWORK, Sight(LION), False)

    found = after(LEFT, None)
    assert "state" not in found
    assert Path(found["picture"]).is_file()
    cat = after(("sample:cat", *LEFT[1:]), a_pattern())
    assert "picture" not in cat
    assert "Before: lion" not in cat["labels"]
    assert cat["photograph"] != after(LEFT, a_pattern())["photograph"]


def test_it_streams_and_a_stop_keeps_what_is_shown(studio: Studio) -> None:
    run = craft_handlers.craft(studio, Pace(), Selection(*LEFT), Sight(LION), *SMALL)
    opening, begun = (next(run) for _ in range(2))
    assert "Opening" in opening["state"]
    assert opening["result"] == gr.update(visible=False)
    assert "draft" not in begun, "the last pattern stays until there is a new one"
    draft = [step["draft"] for step, _ in zip((step for step in run if "draft" in step), range(3), strict=False)][-1]
    run.close()  # type: ignore[attr-defined]
    assert draft.provenance["image_gradients"] == 24
    waiting, found = craft_handlers.settle(studio, LION, draft)
    assert "is being measured" in waiting["state"]
    kept = found["draft"]
    assert "Stopped after 24 looks; the pattern stays. Fools" in found["state"]
    assert (kept.values == draft.values).all()
    assert kept.provenance["held_out"]["set"].startswith("8 images")
    assert found["picture"] == pattern_picture(draft.values)
    assert "8 images" in found["table"]
    assert Path(found["photograph"]).is_file()
    assert "Now:" in found["labels"]
    ready = craft_save.ready(kept)
    assert ready["name"]["placeholder"] == kept.name
    assert ready["result"]["visible"]
    assert all(Path(ready[file]["value"]).is_file() for file in ("npy", "file"))


def test_what_is_not_there_or_was_measured_is_left_as_it_is(studio: Studio) -> None:
    measured = a_pattern(held_out={"set": "12 images", "fooling_rate": 0.5})
    for draft in (None, measured):
        assert list(craft_handlers.settle(studio, LION, draft)) == [{}]
    nothing = craft_save.ready(None)
    assert not nothing["result"]["visible"]
    assert not nothing["npy"]["interactive"]


def test_what_was_made_can_be_cleared_and_the_precomputed_curve_is_back(studio: Studio) -> None:
    found = craft_handlers.clear(studio, Selection(*LEFT), None, 0.8, Sight(LION))
    assert found["draft"] is None
    assert found["figure"] == look(studio)["figure"]
    assert "ready-made" in found["state"]
    assert "cost" not in found, "what was chosen for a run stays"


# Names, keeping, forgetting


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  my\tfirst\nname  ", "my first name"),
        ("<b>bold</b> & $\\frac$", "<b>bold</b> & $\\frac$"),
        ("מגן 盾 🛡", "מגן 盾 🛡"),
        ("a\u202eb\x00c\ud800d", "a b c d"),
        ("   \u200b ", ""),
        ("x" * 500, "x" * LONGEST_NAME),
    ],
)
def test_any_text_is_a_name(typed: str, name: str) -> None:
    assert clean_name(typed) == name


def test_names_of_files_fit_every_system() -> None:
    assert file_name("Ours on 16 dreams, l_inf 10/255") == "uap-ours-on-16-dreams-l-inf-10-255"
    for name in ("con", "../../etc/passwd", "盾", "a:b*c?", ""):
        assert re.fullmatch(r"uap-[a-z0-9-]+", file_name(name))


def test_a_name_that_nobody_gave_is_never_taken_twice() -> None:
    own = {name: a_pattern(name) for name in ("mine", "mine (2)")}
    assert unused("mine", own) == "mine (3)"
    assert unused("other", own) == "other"


def keep(draft: Pattern, typed: str, own: dict[str, Pattern], network: str = NETWORK) -> dict[str, Any]:
    return craft_save.keep_it(Studio(), draft, typed, "", network, own, ("", 4))


def test_names_are_escaped_where_they_are_shown() -> None:
    said = keep(a_pattern(), "<img src=x onerror=alert(1)>", {})["said"]
    assert "<img" not in said
    assert "&lt;img src=x" in said
    assert "<img" not in numbers("<img>", {"network": "<img>"}, 0.1, 1.0)


def test_kept_used_and_opened_again() -> None:
    draft = crafted()
    found = keep(draft, "my pattern", {})
    own = found["own"]
    assert "Kept as my pattern: it is in the list" in found["said"]
    assert "asked" not in found, "what is chosen stays chosen"
    assert ("my pattern (yours)", "own:my pattern") in found["pattern"]["choices"]
    assert found["row"]["visible"]
    assert (found["kept"]["choices"], found["kept"]["value"]) == (["my pattern"], "my pattern")
    used = craft_save.use_it(Studio(), draft, "", NETWORK, own, ("", 4))
    assert used["asked"] == ("own:my pattern", 5), "under the name that it was kept by"
    assert list(used["own"]) == ["my pattern"]
    chosen = Studio().perturbation("own:my pattern", NETWORK, own)
    assert (chosen.pattern.numpy() == draft.values).all()
    assert chosen.provenance["held_out"] == draft.provenance["held_out"]
    values = np.load(io.BytesIO(Path(found["npy"]["value"]).read_bytes()), allow_pickle=False)
    assert (values == draft.values).all()
    assert Path(found["npy"]["value"]).name == "uap-my-pattern.npy"
    again = load_perturbation(found["file"]["value"])
    assert (again.pattern.numpy() == draft.values).all()
    assert (again.name, again.ball, again.provenance) == ("my pattern", LINF, draft.provenance)
    for name in ("npy", "file"):
        opened = read_pattern(Path(found[name]["value"]), 64).pattern
        assert (opened.values == draft.values).all()
        assert (opened.p, opened.radius) == ("linf", 10 / 255)


def test_used_without_a_name_it_is_there_under_its_own_and_only_once() -> None:
    draft = a_pattern("default name")
    found = craft_save.use_it(Studio(), draft, "", NETWORK, {}, ("", 0))
    assert found["asked"] == ("own:default name", 1)
    assert found["own"]["default name"].origin == "run"
    assert "all tabs use it" in found["said"]
    again = craft_save.use_it(Studio(), draft, "", NETWORK, found["own"], ("", 1))
    assert list(again["own"]) == ["default name"]
    other = replace(draft, values=-draft.values)
    assert list(craft_save.use_it(Studio(), other, "", NETWORK, found["own"], ("", 1))["own"]) == [
        "default name",
        "default name (2)",
    ]


def test_kept_twice_replaced_used_and_forgotten() -> None:
    draft, own = a_pattern("default name"), dict[str, Pattern]()
    for typed, name in (("", "default name"), ("b", "b"), ("", "default name (2)")):
        own = keep(draft, typed, own)["own"]
        assert list(own)[-1] == name
    assert list(own) == ["default name", "b", "default name (2)"]
    found = keep(draft, "b", own)
    own = found["own"]
    assert "in place of the one of that name" in found["said"]
    assert len(own) == 3
    chosen = craft_save.choose_it(Studio(), "default name", NETWORK, own, ("own:b", 7))
    assert chosen["asked"] == ("own:default name", 8)
    # Forgetting the chosen one chooses another; forgetting any other leaves the choice alone.
    found = craft_save.forget_it(Studio(), "b", "own:b", NETWORK, own, ("own:b", 7))
    assert "b is forgotten" in found["said"]
    assert "b" not in found["own"]
    assert found["pattern"]["value"] == found["asked"][0] == READY_MADE
    assert found["asked"][1] == 8
    assert "b" not in found["kept"]["choices"]
    other = craft_save.forget_it(Studio(), "b", READY_MADE, NETWORK, own, ("own:b", 7))
    assert "asked" not in other
    assert "value" not in other["pattern"]
    last = craft_save.forget_it(Studio(), "x", READY_MADE, NETWORK, {"x": a_pattern("x")}, ("", 0))
    assert last["row"] == gr.update(visible=False)


def test_the_chosen_pattern_is_not_pushed_out_by_a_ninth() -> None:
    own = {f"kept {number}": replace(a_pattern(f"kept {number}"), origin="kept") for number in range(OWN_KEPT)}
    found = craft_save.keep_it(Studio(), a_pattern("new"), "new", "own:kept 0", NETWORK, own, ("", 4))
    assert {"kept 0", "new"} <= set(found["own"])
    passing = {name: replace(value, origin="run") for name, value in own.items()}
    used = craft_save.use_it(Studio(), crafted(), "own:kept 0", NETWORK, passing, ("", 4))
    assert "kept 0" in used["own"]


def test_what_is_gone_says_a_sentence() -> None:
    with pytest.raises(PerturbationError, match="no longer there"):
        craft_save.choose_it(Studio(), None, NETWORK, {}, ("", 0))
    with pytest.raises(PerturbationError, match="Craft a pattern first"):
        craft_save.use_it(Studio(), None, "", NETWORK, {}, ("", 0))


def test_a_pattern_of_another_size_is_kept_and_not_chosen() -> None:
    draft = replace(a_pattern(), values=np.zeros((3, 224, 224), dtype=np.float32))
    found = craft_save.use_it(Studio(), draft, "", NETWORK, {}, ("", 0))
    assert "asked" not in found
    assert "224 x 224" in found["said"]
    assert "fits networks of 224 x 224 pixels" in keep(draft, "", {})["said"]


def test_what_goes_when_more_is_kept_is_named() -> None:
    own: dict[str, Pattern] = {}
    for number in range(OWN_KEPT):
        found = keep(a_pattern("draft"), f"kept {number}", own)
        own = found["own"]
        assert "is gone" not in found["said"]
    found = keep(a_pattern("draft"), "one more", own)
    assert "kept 0 is gone: the newest 8 of a kind stay." in found["said"]
    assert len(found["own"]) == OWN_KEPT


def test_a_live_run_does_not_push_out_what_was_kept_opened_or_chosen() -> None:
    values = np.zeros((3, 64, 64), dtype=np.float32)
    own = add_own(add_own({}, a_pattern("kept")), Pattern("opened", values, "linf", 0.1))
    for number in range(OWN_KEPT + 5):
        own = add_own(own, Pattern(f"passing {number}", values, "linf", 0.1, origin="run"), "own:passing 1")
    assert list(own) == ["kept", "opened", "passing 1", *(f"passing {number}" for number in range(5, OWN_KEPT + 5))]
    for number in range(OWN_KEPT):
        own = add_own(own, a_pattern(f"kept {number}"))
    assert "kept" not in own
