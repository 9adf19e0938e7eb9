from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from tab_pages import handlers_of, page_of

from uap_core.attacks.menu import ANY, TARGET
from uap_core.crafting.menu import MENU, build
from uap_core.errors import SettingError
from uap_core.experiments.first_view import load_opening
from uap_core.models.zoo import PAGE_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.ui.session_patterns import OWN_KEPT, add_own, read_pattern
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.craft import run as craft_run
from uap_core.ui.tabs.craft import tab as craft_tab
from uap_core.ui.tabs.craft.run import Order, Sight, frames, order
from uap_core.ui.tabs.craft.save import LONGEST_NAME, clean_name, file_name, unused
from uap_core.ui.tabs.craft.view import numbers

NETWORK, READY_MADE = "resnet64", "resnet64-linf10.safetensors"
LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 2000 / 255)
LION = "sample:lion"
LEFT = (LION, NETWORK, READY_MADE, {}, 10.0)
SMALL = (16, "default", 200, ANY, None, 0)  # images, method, cost, goal, target, seed


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(lambda studio, setup, tab: craft_tab.build(studio, setup, load_opening(), tab))


@pytest.fixture(scope="module")
def handlers(page: gr.Blocks) -> dict[str, Callable[..., Any]]:
    """The tab's handlers by name, as the page calls them."""
    return handlers_of(page)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    for name, value in (("LEAST_COST", 16), ("WATCHED", 8), ("JUDGED", 12), ("LEAST_PAUSE", 0.0), ("PAUSE_PER_COST", 0.0)):
        monkeypatch.setattr(craft_run, name, value)


def wanted(**changes: Any) -> Order:
    return replace(Order(NETWORK, LINF, 16, "default", 48, "", 0), **changes)


def crafted(**changes: Any) -> Pattern:
    *_, last = frames(Studio(), wanted(**changes), Sight(LION))
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
    first, *steps, last = frames(Studio(), wanted(), Sight(LION))
    assert first.pattern is None
    assert not first.values.any()
    assert not first.view.fooled
    assert len(steps) == 48 // 8 + 2, "and between the looks at all craft images"
    assert all(step.pattern and (step.pattern.values == step.values).all() for step in steps)
    assert [step.pattern.provenance["image_gradients"] for step in steps if step.pattern] == [8, 16, 24, 32, 40, 48, 48, 48]
    assert "final touch" in steps[-2].note
    assert any(step.figure for step in steps[:3])
    assert last.figure
    assert last.pattern
    assert last.pattern.provenance["held_out"]["set"] == "12 images of resnet64 (held-out)"
    assert re.search(r"Done: [\d.]+ s of crafting. Fools [\d.]+% \(95 % interval .* of 12\) of the held-out dreamt", last.note)
    assert "random signs of its size fool" in last.note


def test_the_result_is_that_of_the_method_alone_and_the_same_under_the_same_seed() -> None:
    studio = Studio()
    first, again, other = (crafted(seed=seed).values for seed in (5, 5, 6))
    part = studio.craft_and_held_out(NETWORK)[0].shuffled(torch.Generator().manual_seed(5)).prefix(16)
    *_, alone = build("default", 48).craft(studio.classifier(NETWORK), part.pixels, LINF, torch.Generator().manual_seed(5))
    assert (first == again).all()
    assert (first == alone.perturbation.numpy()).all()
    assert (first != other).any()


def test_the_photograph_is_judged_under_the_very_pattern(classifier: Any) -> None:
    last = list(frames(Studio(), wanted(), Sight(LION)))[-1]
    change = last.view.perturbed.astype(int) - last.view.clean
    assert np.abs(change).max() <= 10
    inside = (last.view.clean > 10) & (last.view.clean < 245)
    assert (change == np.rint(last.values.transpose(1, 2, 0) * 255))[inside].all()


@pytest.mark.parametrize("method", MENU)
def test_every_method_runs_and_stays_in_its_ball(method: str) -> None:
    made = crafted(method=method, images=8, budget=32)
    assert np.abs(made.values).max() <= 10 / 255 + 1e-6
    assert made.values.any()
    assert made.name.startswith(MENU[method].name)


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
    shown = list(frames(Studio(), wanted(), Sight(LION)))
    assert len(shown) == 1 + 1 + 3 + 1  # nothing, the first step, the last touch, the end


def test_a_photograph_chosen_during_a_run_is_the_one_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    sight, studio = Sight(LION), Studio()
    run = frames(studio, wanted(), sight)
    assert {next(run).view.before[0][0] for _ in range(3)} == {"lion"}
    cat = studio.image("sample:cat", NETWORK)
    of, shown = Studio.image, list[str]()

    def slow(studio: Studio, photo: str, network: str) -> torch.Tensor:
        """While the lion is still computed, the cat is chosen."""
        shown.append(photo)
        sight.photo = "sample:cat"
        return of(studio, photo, network)

    monkeypatch.setattr(Studio, "image", slow)
    pixels = (cat[0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert all((frame.view.clean == pixels).all() for frame in run)
    assert shown[:2] == [LION, "sample:cat"]


# What is refused, in a sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ball": Ball("linf", 0)}, "epsilon above 0"),
        ({"images": 0}, "number of images is a whole number from 1"),
        ({"images": None}, "number of images"),
        ({"images": 2.5}, "number of images"),
        ({"budget": 10**9}, "cost is a whole number from 16 to 4000"),
        ({"budget": "many"}, "cost is a whole number"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"seed": float("nan")}, "seed is a whole number"),
        ({"seed": float("inf")}, "seed is a whole number"),
        ({"goal": TARGET}, "type its name"),
        ({"goal": TARGET, "target": "abacus", "method": "singular"}, "SV-UAP cannot aim at a class. These can: Ours, "),
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


def test_epsilon_0_says_a_sentence(handlers: dict[str, Callable[..., Any]]) -> None:
    *_, last = handlers["craft"](Sight(LION), *LEFT[1:4], 0.0, *SMALL)
    assert "epsilon above 0" in last[0]
    assert "problem" in last[0]


# The tab


def test_the_first_sight_is_full_and_true(page: gr.Blocks) -> None:
    assert "ready-made pattern, precomputed" in element(page, "craft-status").value
    for name in ("craft-pattern", "craft-photograph"):
        assert element(page, name).value
    table = element(page, "craft-numbers").value
    entry = next(entry for entry in library() if entry.key == f"{PAGE_MODEL}-linf10.safetensors")
    assert f"{entry.provenance['craft_set']}, seed 0" in table
    assert f"{entry.provenance['image_gradients']} image-gradients" in table
    assert "<td>Ours</td>" in table
    assert "Before:" in element(page, "craft-labels").value
    assert not any(element(page, f"craft-{name}").interactive for name in ("keep", "npy", "file"))


def look(handlers: dict[str, Callable[..., Any]], left: Any = LEFT, draft: Any = None, before: str = "") -> tuple[Any, ...]:
    """What stands there, without the key of what is looked at."""
    return tuple(handlers["look_regard"]("", *left, draft, 200, None, before, Sight(LION))[1:])


def test_what_stands_there_before_a_run(handlers: dict[str, Callable[..., Any]]) -> None:
    note, *_, figure, images, target, shown = look(handlers)
    assert shown == NETWORK
    assert "ready-made" in note
    assert figure["visible"]
    assert (images["maximum"], images["value"]) == (256, 200)
    assert "of 256 dreamt images" in images["info"]
    assert len(target["choices"]) == 100
    assert look(handlers, before=NETWORK)[5:8] == (gr.skip(),) * 3, "nothing is drawn twice"
    signs = look(handlers, (*LEFT[:2], RANDOM_SIGNS, *LEFT[3:]))
    assert "which nobody crafted" in signs[0]
    assert "not measured" in signs[4]


def test_a_network_without_images_says_so_and_shows_the_pattern(
    handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Studio, "live_source", lambda self, network: None)
    note, picture, *_ = look(handlers)
    assert "ready-made" in note
    assert Path(picture).is_file()
    reason, said, run = handlers["look_live"](NETWORK, "")
    assert reason in said
    assert "No live runs with ResNet-64 (embedded): " in reason
    assert run["interactive"] is False
    monkeypatch.undo()
    assert handlers["look_live"](NETWORK, reason) == ("", "", gr.update(interactive=True))
    assert handlers["look_live"](NETWORK, "") == (gr.skip(),) * 3


def test_a_run_under_way_is_told_of_another_photograph(handlers: dict[str, Callable[..., Any]]) -> None:
    sight = Sight(LION)
    handlers["look_regard"]("", "sample:cat", *LEFT[1:], None, 200, None, NETWORK, sight)
    assert sight.photo == "sample:cat"


def test_what_was_said_of_a_run_stays_when_it_is_over(handlers: dict[str, Callable[..., Any]]) -> None:
    note, picture, *_, shown = handlers["after"](*LEFT, None, 200, None, NETWORK, Sight(LION))
    assert (shown, note) == (NETWORK, gr.skip())
    assert Path(picture).is_file()
    other_photo = ("sample:cat", *LEFT[1:])
    _, picture, photograph, labels, *_ = handlers["after"](*other_photo, a_pattern(), 200, None, NETWORK, Sight(LION))
    assert picture == gr.skip()
    assert "Before: lion" not in labels
    assert photograph != handlers["after"](*LEFT, a_pattern(), 200, None, NETWORK, Sight(LION))[2]


def test_it_streams_and_a_stop_keeps_what_is_shown(handlers: dict[str, Callable[..., Any]]) -> None:
    run: Iterator[tuple[Any, ...]] = handlers["craft"](Sight(LION), *LEFT[1:], *SMALL)
    opening, begun, *_ = (next(run) for _ in range(2))
    assert "Opening" in opening[0]
    assert [part.get("interactive") for part in opening[7:]] == [False] * 3
    assert begun[6] == gr.skip(), "the last pattern stays until there is a new one"
    draft = [next(run) for _ in range(3)][-1][6]
    run.close()  # type: ignore[attr-defined]
    assert draft.provenance["image_gradients"] == 24
    note, picture, photograph, labels, table, kept = handlers["settle"]("sample:lion", draft)
    assert "Stopped after 24 image-gradients; the pattern stays. Fools" in note
    assert (kept.values == draft.values).all()
    assert kept.provenance["held_out"]["set"].startswith("8 images")
    assert picture == craft_tab.pattern_picture(draft.values)
    assert "8 images" in table
    assert Path(photograph).is_file()
    assert "Now:" in labels
    name, keep, *files = handlers["ready"](kept)
    assert name["placeholder"] == kept.name
    assert keep["interactive"]
    assert all(Path(file["value"]).is_file() for file in files)


def test_what_is_not_there_or_was_measured_is_left_as_it_is(handlers: dict[str, Callable[..., Any]]) -> None:
    measured = a_pattern(held_out={"set": "12 images", "fooling_rate": 0.5})
    for draft in (None, measured):
        assert handlers["settle"]("sample:lion", draft) == (gr.skip(),) * 6
    assert handlers["ready"](None)[1:] == (gr.update(interactive=False),) * 3


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


def test_names_are_escaped_where_they_are_shown(handlers: dict[str, Callable[..., Any]]) -> None:
    said = handlers["keep_it"](a_pattern(), "<img src=x onerror=alert(1)>", NETWORK, {}, ("", 0))[0]
    assert "<img" not in said
    assert "&lt;img src=x" in said
    assert "<img" not in numbers("<img>", {"network": "<img>"}, 0.1, 1.0)


def test_kept_chosen_and_opened_again(handlers: dict[str, Callable[..., Any]]) -> None:
    draft = crafted()
    said, own, listed, asked, row, kept, npy, file = handlers["keep_it"](draft, "my pattern", NETWORK, {}, ("", 4))
    assert "Kept as my pattern. It is chosen on the left" in said
    assert asked == ("own:my pattern", 5)
    assert ("my pattern (yours)", "own:my pattern") in listed["choices"]
    assert row["visible"]
    assert (kept["choices"], kept["value"]) == (["my pattern"], "my pattern")
    used = Studio().perturbation("own:my pattern", NETWORK, own)
    assert (used.pattern.numpy() == draft.values).all()
    assert used.provenance["held_out"] == draft.provenance["held_out"]
    values = np.load(io.BytesIO(Path(npy["value"]).read_bytes()), allow_pickle=False)
    assert (values == draft.values).all()
    assert Path(npy["value"]).name == "uap-my-pattern.npy"
    again = load_perturbation(file["value"])
    assert (again.pattern.numpy() == draft.values).all()
    assert (again.name, again.ball, again.provenance) == ("my pattern", LINF, draft.provenance)
    for path in (npy["value"], file["value"]):
        opened, _ = read_pattern(Path(path), 64)
        assert (opened.values == draft.values).all()
        assert (opened.p, opened.radius) == ("linf", 10 / 255)


def test_kept_twice_replaced_used_and_forgotten(handlers: dict[str, Callable[..., Any]]) -> None:
    draft, own = a_pattern("default name"), {}
    for typed, name in (("", "default name"), ("b", "b"), ("", "default name (2)")):
        _, own, *_ = handlers["keep_it"](draft, typed, NETWORK, own, ("", 0))
        assert list(own)[-1] == name
    assert list(own) == ["default name", "b", "default name (2)"]
    said, own, *_ = handlers["keep_it"](draft, "b", NETWORK, own, ("", 0))
    assert "in place of the one of that name" in said
    assert len(own) == 3
    said, _, asked = handlers["use_it"]("default name", NETWORK, own, ("own:b", 7))
    assert asked == ("own:default name", 8)
    # Forgetting the chosen one chooses another; forgetting any other leaves the choice alone.
    said, left, listed, asked, row, kept = handlers["forget_it"]("b", NETWORK, "own:b", own, ("own:b", 7))
    assert "b is forgotten" in said
    assert "b" not in left
    assert listed["value"] == asked[0] == READY_MADE
    assert asked[1] == 8
    _, left, listed, asked, row, kept = handlers["forget_it"]("default name", NETWORK, READY_MADE, left, ("", 0))
    assert asked == gr.skip()
    assert "value" not in listed
    assert kept["choices"] == ["default name (2)"]
    *_, row, kept = handlers["forget_it"]("default name (2)", NETWORK, READY_MADE, left, ("", 0))
    assert not row["visible"]
    assert "no longer there" in handlers["use_it"]("b", NETWORK, left, ("", 0))[0]


def test_a_pattern_of_another_size_is_kept_and_says_what_it_fits(handlers: dict[str, Callable[..., Any]]) -> None:
    small = Pattern("small", np.full((3, 32, 32), 0.01, dtype=np.float32), "linf", 0.01, {"network": "another"})
    said, own, _, asked, *_ = handlers["keep_it"](small, "", NETWORK, {}, ("", 0))
    assert "fits networks of 32 x 32 pixels" in said
    assert "small" in own
    assert asked == gr.skip()


def test_whatever_gives_way_to_what_is_kept_is_named(handlers: dict[str, Callable[..., Any]]) -> None:
    own: dict[str, Pattern] = {}
    for number in range(OWN_KEPT):
        said, own, *_ = handlers["keep_it"](a_pattern("draft"), f"kept {number}", NETWORK, own, ("", 0))
        assert "is gone" not in said
    said, own, *_ = handlers["keep_it"](a_pattern("draft"), "one more", NETWORK, own, ("", 0))
    assert "kept 0 is gone: the newest 8 of a kind stay." in said
    assert len(own) == OWN_KEPT


def test_a_live_run_does_not_push_out_what_was_kept_opened_or_chosen() -> None:
    values = np.zeros((3, 64, 64), dtype=np.float32)
    own = add_own(add_own({}, a_pattern("kept")), Pattern("opened", values, "linf", 0.1))
    for number in range(OWN_KEPT + 5):
        own = add_own(own, Pattern(f"passing {number}", values, "linf", 0.1, origin="run"), "own:passing 1")
    assert list(own) == ["kept", "opened", "passing 1", *(f"passing {number}" for number in range(5, OWN_KEPT + 5))]
    for number in range(OWN_KEPT):
        own = add_own(own, a_pattern(f"kept {number}"))
    assert "kept" not in own
