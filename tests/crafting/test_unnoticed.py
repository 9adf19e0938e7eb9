"""A pattern that knows the detector of low entropy."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from toys import SIDE, convolutional_network, seeded, toy_set

from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.crafting.problem import Problem, perturbed
from uap_core.datasets.image_sets import open_splits
from uap_core.errors import SettingError
from uap_core.models import feature_entropy as entropy
from uap_core.models.classifier import Classifier
from uap_core.models.feature_entropy import deep_entropy
from uap_core.norms import Ball

BALL = Ball("linf", 20 / 255)


def test_a_pattern_is_noticed_unless_it_knows_the_detector(classifier: Classifier, dreams: Path) -> None:
    craft, held_out = open_splits(dreams, 64, 64)
    clean = deep_entropy(classifier, held_out.images(slice(0, 64))).median()
    missing = {}
    for kind in (Default, Unnoticed):
        *_, last = kind(budget=240).craft(classifier, craft.pixels, Ball("linf", 10 / 255), seeded(0))
        assert last.image_gradients == 240
        assert last.fooling_rate is not None
        assert last.fooling_rate.value > 0.15  # signs: 0.1
        missing[kind] = float(clean - deep_entropy(classifier, perturbed(held_out.pixels[:64], last.perturbation)).median())
    assert missing[Default] > 0.3
    assert missing[Unnoticed] < 0.15


def test_a_step_follows_two_directions_of_equal_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy, "DEPTH", 1)
    network, images = convolutional_network(), toy_set("some", 8, 3).pixels
    method, problem = Unnoticed(smallest_view=1.0), Problem.pose([network], images, BALL)
    state, batch = method.begin(problem, seeded(0)), torch.arange(8)
    state.memory["usual"] = torch.tensor(2.0)  # above what four channels can have: every image lies below it
    v, drawn = state.pattern, state.generator.get_state()
    found = method.counted_gradient(problem, state, batch, v)
    assert state.image_gradients == 16
    state.generator.set_state(drawn)
    fooling = Default(smallest_view=1.0).counted_gradient(problem, state, batch, v)
    state.generator.set_state(drawn)
    mirrored = method.views(batch, state)[:, 0, 0] < 0
    moving = v.clone().requires_grad_(True)
    x = images.float() / 255
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    (2 - deep_entropy(network, (x + moving).clamp(0, 1))).mean().backward()
    assert moving.grad is not None
    torch.testing.assert_close(found, fooling / fooling.norm() + moving.grad / moving.grad.norm(), rtol=1e-3, atol=1e-5)


def test_usual_entropies_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy, "DEPTH", 1)
    network, images = convolutional_network(), toy_set("some", 8, 3).pixels
    method, problem = Unnoticed(), Problem.pose([network], images, BALL)
    state = method.begin(problem, seeded(0))
    state.memory["usual"] = torch.tensor(0.0)
    drawn = state.generator.get_state()
    found = method.counted_gradient(problem, state, torch.arange(8), state.pattern)
    state.generator.set_state(drawn)
    fooling = Default().counted_gradient(problem, state, torch.arange(8), state.pattern)
    torch.testing.assert_close(found, fooling / fooling.norm())


def test_it_knows_one_detector() -> None:
    network, images = convolutional_network(), torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8)
    with pytest.raises(SettingError, match="one network"):
        Unnoticed().craft([network, network], images, BALL, seeded(0))
