"""What the page says in passing: counts in a graph, whose a pattern is, what noise does, what a file's reading means."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text

from uap_core.attacks.menu import ANY
from uap_core.errors import SettingError
from uap_core.experiments.label_graph import Move
from uap_core.experiments.strengths import Answer, change_of
from uap_core.models.zoo import Zoo
from uap_core.norms import Ball
from uap_core.plots.labels import labels_figure
from uap_core.settings import limits
from uap_core.ui.makers import foreign
from uap_core.ui.selection import Selection
from uap_core.ui.session_patterns import READINGS, read_pattern
from uap_core.ui.state import Pattern
from uap_core.ui.tabs.apply import view
from uap_core.ui.tabs.craft.order import order
from uap_core.ui.tabs.transfer import cards as room


def test_a_hub_says_how_many_labels_and_images_become_it() -> None:
    figure = labels_figure([Move("cat", "hub", 5), Move("dog", "hub", 3), Move("dog", "dog", 1)], "title")
    assert "2 labels, 8 images" in {text.get_text() for text in figure.findobj(Text)}


def test_a_pattern_of_two_networks_is_foreign_to_neither() -> None:
    provenance = {"network": "resnet64, vgg64"}
    own = {"mine": Pattern("mine", np.zeros((3, 4, 4), np.float32), "linf", 0.1, provenance)}
    for network in ("resnet64", "vgg64"):
        assert foreign(SimpleNamespace(), network, "own:mine", own) == ""


def test_an_order_of_more_images_than_the_host_allows_is_refused() -> None:
    most, ball = limits().images, Ball("linf", 0.04)
    assert order("resnet64", ball, most, "default", 800, ANY, None, 0).images == most
    with pytest.raises(SettingError, match=f"from 1 to {most}"):
        order("resnet64", ball, most + 1, "default", 800, ANY, None, 0)


def test_noise_is_asked_about_under_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Zoo().card("resnet64")
    now = view.looked(np.zeros((4, 4, 3), np.uint8), change_of(np.full((4, 4, 3), 10.0), "linf", 10.0), card)
    monkeypatch.setattr(view, "picture_at", lambda photo, change, level: change)

    def answers(_classifier: object, asked: object) -> list[Answer]:
        return [Answer(0, "noise" if change is now.noise else "pattern", 1.0) for change in asked]

    monkeypatch.setattr(view, "answers", answers)
    said = view.Words().of(SimpleNamespace(classifier=lambda key: None), now, [("pattern", 1.0), ("noise", 1.0)])
    assert {mode: answer.label for (mode, _), answer in said.items()} == {"pattern": "pattern", "noise": "noise"}


@pytest.mark.parametrize("second", ["axes", "colours"])
def test_a_visitors_words_on_a_file_are_taken_for_what_they_say(second: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(-0.04, 0.04, (3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "v.npy", values)
    how = [options[name == second] for name, options in READINGS.items()]
    opened = read_pattern(tmp_path / "v.npy", 8, how)
    expected = values.transpose(0, 2, 1) if second == "axes" else values[::-1]
    assert np.allclose(opened.pattern.values, expected)
    assert opened.how == tuple(how)


@pytest.mark.parametrize(("fooled", "said"), [(True, "1 of 1 network is fooled"), (False, "0 of 1 network is fooled")])
def test_the_cards_count_the_networks_that_are_fooled(fooled: bool, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from uap_core.experiments import apply

    grey = np.zeros((4, 4, 3), np.uint8)
    shown = apply.Exhibit(grey, grey, [("cat", 0.9)], [("dog" if fooled else "cat", 0.8)], 0.04, 1.0, 30.0, 0.9)
    monkeypatch.setattr(room, "seen_under", lambda *_: shown)
    monkeypatch.setattr(room, "networks_beside", lambda *_: ["resnet64"])
    monkeypatch.setattr(room, "picture_link", lambda _: "picture.png")
    kept = SimpleNamespace(ball=Ball("linf", 10 / 255), scaled_to=lambda radius: None)
    studio = SimpleNamespace(card=Zoo().card, classifier=lambda key: None, perturbation=lambda *_: kept)
    ((sentence, cards),) = room.cards(studio, Selection("upload:x", "resnet64", "some", {}, 10.0))
    assert said in sentence
    assert f'class="other {"fooled" if fooled else "held"}"' in cards
