"""Several patterns: the next on what the others leave, and which of them a picture gets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.crafting.default import Default
from uap_core.crafting.several import greedy, left_over, logits_under, margins, next_pattern
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.experiments.several import any_of, foresight, picked, several, sureness
from uap_core.metrics import Rate
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

BALL = Ball("linf", 0.1)
METHOD = Default(budget=80, smallest_view=1.0)


def two_ways() -> Classifier:
    """Two classes a picture: "up" while its pixel is above a half, for which every second picture must be moved down and every
    other one up, on the same pixel: no one pattern fools both kinds, two do."""
    weight = torch.zeros(3, VALUES)
    weight[1, 0], weight[2, 0] = 40.0, -40.0
    layer = nn.Linear(VALUES, 3)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(torch.tensor([0.0, -20.0, 20.0]))
    card = Card("ways", "Ways", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(nn.Flatten(), layer), card, tuple("abc"), weights_hash="ways")


def way_pictures(count: int) -> Tensor:
    """The first pixel a little above a half, and a little below, in turn: answers 1 and 2."""
    x = torch.full((count, VALUES), 0.5)
    x[:, 0] += 0.05 * (1.0 - 2.0 * (torch.arange(count) % 2))
    return (x.view(count, 3, SIDE, SIDE) * 255).round().byte()


def way_set(name: str, count: int) -> ImageSet:
    return ImageSet(name, way_pictures(count), ("0",) * count, tuple(f"{name}/{i}" for i in range(count)))


def test_two_fool_all_where_one_cannot() -> None:
    """A pattern moves the pixel one way; pictures on either side need either way."""
    network = two_ways()
    rows = list(several(network, METHOD, way_set("craft", 24), way_set("held out", 16), [BALL], 2))
    assert [row.patterns for row in rows] == [1, 2]
    assert rows[0].any_of == rows[0].last == rows[0].foreseen == rows[0].least_sure == Rate(8, 16)
    assert rows[1].any_of == Rate(16, 16)
    assert rows[1].last == Rate(8, 16)
    assert rows[1].foreseen == Rate(16, 16), "the clean answer says which way"
    assert [row.image_gradients for row in rows] == [80, 160]
    assert rows[0].epsilon == pytest.approx(25.5)


def test_the_next_one_is_crafted_on_what_is_left() -> None:
    network, images, ball = smooth_network(0), pictures(60), Ball("linf", 0.05)
    first, second = greedy(network, images, ball, METHOD, 2, seed=3)
    *_, alone = METHOD.craft(network, images, ball, seeded(3))
    first, second = first.perturbation, second.perturbation
    assert torch.equal(first, alone.perturbation)
    with torch.no_grad():
        before, after = (network(x).argmax(dim=1) for x in (images / 255, (images / 255 + first).clamp(0, 1)))
    held = (before == after).nonzero()[:, 0]
    assert 8 < len(held) < 60, "else this tries nothing"
    *_, on_the_rest = METHOD.craft(network, images[held], ball, seeded(4))
    assert torch.equal(second, on_the_rest.perturbation)
    assert float(second.abs().max()) <= 0.05 + 1e-6


def test_what_is_stated_is_what_was_spent() -> None:
    """A next pattern is crafted on fewer images than a batch has: its steps are smaller."""
    method = replace(METHOD, batch_size=16)
    rows = list(several(two_ways(), method, way_set("craft", 24), way_set("held out", 16), [BALL], 3))
    found = [last.image_gradients for last in greedy(two_ways(), way_set("craft", 24).pixels, BALL, method, 3)]
    assert [row.image_gradients for row in rows] == [sum(found[: number + 1]) for number in range(3)]
    assert found[1] != method.budget


def test_what_is_left() -> None:
    each = torch.tensor([[1.0, -1.0, -0.1, 2.0], [3.0, 2.0, -0.5, 0.5]])
    assert left_over(each, 1).tolist() == [0, 3]
    assert left_over(each, 3).tolist() == [0, 2, 3], "the one that is fooled by the least fills up"
    assert left_over(each).tolist() == [0, 1, 2, 3]


def test_margins_are_those_of_the_clean_answer() -> None:
    clean, under = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 5.0]]), torch.tensor([[1.0, 4.0, 9.0], [2.0, 1.0, 2.5]])
    assert margins(clean, under).tolist() == [1.0 - 9.0, 0.5]


def test_the_smallest_margin_is_the_best_choice_there_is() -> None:
    """An image is fooled by one of them exactly when it is by the one with the smallest margin."""
    each = torch.randn(4, 200, generator=seeded(0)) + 0.7
    assert 100 < any_of(each).count < 200
    assert picked(each, each) == any_of(each)
    assert picked(-each, each).count == int((each < 0).all(dim=0).sum()), "and the largest is the worst"


def test_the_least_sure_answer_is_the_flattest() -> None:
    under = torch.tensor([[[2.0, 0.0], [0.0, 9.0]], [[0.3, 0.0], [0.0, 99.0]]])
    assert sureness(under).argmin(dim=0).tolist() == [1, 0]


def test_foresight_is_ridge_regression() -> None:
    """The same as in the space of the logits, written out: centred, damped by the mean square of the images."""
    clean, each, others = (torch.randn(*shape, generator=seeded(i)) for i, shape in enumerate(((20, 5), (3, 20), (7, 5))))
    x, y = (clean - clean.mean(dim=0)).double(), (each - each.mean(dim=1, keepdim=True)).double()
    damped = x.T @ x + (x * x).sum(dim=1).mean() * torch.eye(5, dtype=torch.double)
    weights = torch.linalg.solve(damped, x.T @ y.T)
    expected = each.mean(dim=1)[:, None] + (((others - clean.mean(dim=0)).double()) @ weights).T
    torch.testing.assert_close(foresight(clean, each, others), expected.float(), atol=1e-5, rtol=1e-4)


def test_what_cannot_be_asked() -> None:
    network = two_ways()
    with pytest.raises(DatasetError, match="no images"):
        list(next_pattern(network, way_pictures(0), BALL, METHOD, []))
    with pytest.raises(SettingError, match="another size"):
        list(next_pattern(network, way_pictures(4), BALL, METHOD, [torch.zeros(3, 4, 4)]))
    with pytest.raises(SettingError, match="at least one"):
        list(greedy(network, way_pictures(4), BALL, METHOD, 0))
    with pytest.raises(SettingError, match="share images"):
        list(several(network, METHOD, way_set("a", 4), way_set("a", 4), [BALL], 1))


def test_logits_under_a_pattern_are_those_of_the_clamped_sum() -> None:
    network, images, v = smooth_network(0), pictures(40), BALL.random_signs((3, SIDE, SIDE), seeded(0))
    with torch.no_grad():
        expected = network((images.float() / 255 + v).clamp(0, 1))
    torch.testing.assert_close(logits_under(network, images, v), expected)
