"""A classifier of one's own module: pixels and labels in order, the module left as it was."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from toys import SIDE, VALUES, seeded, smooth_network

from uap_core.defences.defended import defended
from uap_core.defences.transforms import Blur
from uap_core.errors import ModelError, SettingError
from uap_core.models.wrapping import Wrapped, wrap


def module(classes: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(VALUES, classes)).train()


def test_pixels_are_normalised_inside() -> None:
    inner, x = nn.Sequential(nn.Flatten(), nn.Linear(VALUES, 3)), torch.rand(2, 3, SIDE, SIDE)
    mine = wrap(inner, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7)))
    torch.testing.assert_close(mine(x), inner((x - mean) / std))
    assert torch.equal(wrap(inner)(x), inner(x))


def test_labels_are_named_or_numbered() -> None:
    x = torch.rand(1, 3, SIDE, SIDE)
    assert wrap(module(), labels=("a", "b", "c"), size=SIDE).index_of("c") == 2
    assert wrap(module(), size=SIDE).labels == ("0", "1", "2")
    unsized = wrap(module())
    assert unsized.labels == ()
    unsized(x)
    assert unsized.labels == ("0", "1", "2")
    for build in (lambda: wrap(module(), labels=("a", "b"), size=SIDE), lambda: wrap(module(), labels=("a", "b"))(x)):
        with pytest.raises(ModelError, match="3 scores a picture, and 2 labels"):
            build()


def test_sizes_are_sides_or_height_and_width() -> None:
    assert wrap(module(), size=SIDE).size == SIDE
    wide = wrap(module(), size=(4, 16))
    assert wide.shape == (4, 16)
    assert wide.takes(torch.zeros(1, 3, 4, 16))
    assert not wide.takes(torch.zeros(1, 3, 16, 4))
    for other in (wide, wrap(module())):
        with pytest.raises(ModelError, match="square pictures of one size"):
            _ = other.size
    with pytest.raises(ModelError, match="does not take images of 3 x 9 x 9"):
        wrap(module(), size=9)


@pytest.mark.parametrize("wrong", [{"mean": (0.5, 0.5)}, {"std": (1, 0, 1)}, {"mean": (0.5, float("nan"), 0.5)}, {"size": 0}])
def test_what_is_no_normalisation_or_size_is_refused(wrong: dict) -> None:
    with pytest.raises(SettingError):
        wrap(module(), **wrong)


def test_the_module_is_asked_in_evaluation_mode_and_goes_on_training() -> None:
    inner, x = module(), torch.rand(4, 3, SIDE, SIDE)
    mine = wrap(inner, size=SIDE)
    assert torch.equal(mine(x), mine(x)), "dropout would differ"
    assert all(part.training for part in inner.modules())
    mine(x.requires_grad_()).sum().backward()
    assert all(weight.requires_grad and weight.grad is None for weight in inner.parameters())
    assert x.grad is not None
    nn.functional.cross_entropy(inner(x), torch.zeros(4, dtype=torch.long)).backward()
    assert inner[2].weight.grad is not None


def test_it_follows_the_modules_weights_and_names_them() -> None:
    inner, x = module(), torch.rand(1, 3, SIDE, SIDE)
    mine = wrap(inner, size=SIDE, name="Mine")
    before, named = mine(x), mine.weights_hash
    assert len(named) == 64
    assert wrap(inner).weights_hash == named
    with torch.no_grad():
        inner[2].weight.mul_(2)
    assert not torch.equal(mine(x), before)
    assert mine.weights_hash != named
    assert mine.card.name == "Mine"


def test_behind_a_defence_it_is_still_its_users_module() -> None:
    inner, x = module(), torch.rand(2, 3, SIDE, SIDE)
    shielded = defended(wrap(inner, size=SIDE), Blur())
    assert isinstance(shielded, Wrapped)
    torch.testing.assert_close(shielded(x), wrap(inner)(Blur()(x)))
    assert all(part.training for part in inner.modules())
    assert torch.equal(defended(wrap(inner), Blur())(x), shielded(x)), "of a size that nobody stated too"
    assert defended(wrap(inner), Blur()).shape is None


def test_a_classifier_is_no_module_to_wrap_again() -> None:
    network = smooth_network(0)
    x = torch.rand(2, 3, SIDE, SIDE, generator=seeded(0))
    assert torch.equal(wrap(network)(x), network(x))


class Giving(nn.Module):
    """A network whose scores are handed over as ``gives`` makes them."""

    def __init__(self, gives: Callable[[torch.Tensor], object]) -> None:
        super().__init__()
        self.linear, self.gives = nn.Linear(VALUES, 3), gives

    def forward(self, x: torch.Tensor) -> object:
        return self.gives(self.linear(x.flatten(1)))


@pytest.mark.parametrize("gives", [lambda y: {"logits": y, "loss": 0}, lambda y: (y,), lambda y: SimpleNamespace(logits=y)])
def test_scores_are_found_where_it_is_clear_which_those_are(gives: Callable[[torch.Tensor], object]) -> None:
    inner, x = Giving(gives), torch.rand(2, 3, SIDE, SIDE)
    assert torch.equal(wrap(inner, size=SIDE)(x), inner.linear(x.flatten(1)))


@pytest.mark.parametrize(
    ("gives", "sentence"),
    [
        (lambda y: (y, y), "gives a tuple of 2"),
        (lambda y: {"out": y, "aux": y}, "gives a dictionary of 'out', 'aux'"),
        (lambda y: y.softmax(dim=1), "seems to give probabilities"),
        (lambda y: y[:, :, None], r"gives \(2, 3, 1\) of float32"),
    ],
)
def test_other_outputs_are_named(gives: Callable[[torch.Tensor], object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        wrap(Giving(gives), size=SIDE)


def test_two_classes_of_one_name_are_told_apart() -> None:
    cranes = wrap(module(), labels=("crane", "crane", "owl"), size=SIDE)
    with pytest.raises(ModelError, match=r"several classes 'crane': give the whole name, 'crane \(0\)' or 'crane \(1\)'"):
        cranes.index_of("crane")
    assert cranes.index_of("crane (1)") == 1
