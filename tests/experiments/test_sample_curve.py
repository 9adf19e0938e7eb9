from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from uap_core.crafting.base import Progress
from uap_core.crafting.default import Default
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.experiments.sample_curve import SampleRow, nested_sizes, sample_curve
from uap_core.metrics import Rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

SIDE = 8
VALUES = 3 * SIDE * SIDE
BALL = Ball("linf", 20 / 255)


@dataclass
class Recorder:
    """Crafts nothing, but remembers on which images it was asked to."""

    seen: list[Tensor] = field(default_factory=list)

    def craft(self, classifier: Classifier, images: Tensor, ball: Ball, generator: torch.Generator) -> Iterator[Progress]:
        self.seen.append(images)
        nothing = torch.zeros(images.shape[1:])
        yield Progress(10, 10, 0.0, 0.5, nothing)
        yield Progress(20, 20, 0.0, 1.0, nothing, Rate(0, len(images)), done=True)


def image_set(name: str, count: int, seed: int) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    return ImageSet(name, pixels, ("0",) * count, tuple(f"{name}/{i}.png" for i in range(count)))


@pytest.fixture(scope="module")
def network(linear) -> Classifier:
    return linear(torch.randn(4, VALUES, generator=torch.Generator().manual_seed(0)) * 0.3, torch.zeros(4))


CRAFT, HELD_OUT = image_set("craft", 11, 0), image_set("held out", 25, 1)


def rows_of(network: Classifier, crafter: object, seed: int = 0) -> list[SampleRow]:
    sizes = nested_sizes(len(CRAFT))
    return list(sample_curve(network, crafter, CRAFT, HELD_OUT, BALL, sizes, seed))


@given(available=st.integers(1, 5000))
def test_sizes_double_up_to_all(available: int) -> None:
    sizes = nested_sizes(available)
    assert sizes[0] == 1
    assert sizes[-1] == available
    assert all(b == 2 * a for a, b in pairwise(sizes[:-1]))
    assert sizes == sorted(set(sizes))
    assert len(sizes) == 1 or sizes[-2] < available <= 2 * sizes[-2]


def test_no_images_no_sizes() -> None:
    assert nested_sizes(0) == []


def test_prefixes_are_nested_and_their_order_comes_from_the_seed(network: Classifier) -> None:
    first, again, other = Recorder(), Recorder(), Recorder()
    for recorder, seed in ((first, 0), (again, 0), (other, 1)):
        rows_of(network, recorder, seed)
    assert [len(part) for part in first.seen] == [1, 2, 4, 8, 11]
    whole = first.seen[-1]
    assert all(torch.equal(part, whole[: len(part)]) for part in first.seen)
    assert all(torch.equal(a, b) for a, b in zip(first.seen, again.seen, strict=True))
    assert not torch.equal(whole, other.seen[-1])
    assert sorted(whole.flatten(1).sum(dim=1).tolist()) == sorted(CRAFT.pixels.flatten(1).sum(dim=1).tolist())


def test_every_point_is_measured_on_the_whole_held_out_set(network: Classifier) -> None:
    rows = rows_of(network, Default(budget=80, batch_size=4))
    done = [row for row in rows if row.done]
    assert [row.images for row in done] == [1, 2, 4, 8, 11]
    assert {row.held_out_rate.total for row in done} == {len(HELD_OUT)}
    assert [row.craft_rate.total for row in done] == [1, 2, 4, 8, 11]
    assert done[-1].held_out_rate.value > 0
    for size, row in zip((1, 2, 4, 8, 11), done, strict=True):  # the same, done by hand
        part = CRAFT.shuffled(torch.Generator().manual_seed(0)).prefix(size).pixels
        *_, last = Default(budget=80, batch_size=4).craft(network, part, BALL, torch.Generator().manual_seed(0))
        x = HELD_OUT.images(slice(None))
        changed = network((x + last.perturbation).clamp(0, 1)).argmax(dim=1) != network(x).argmax(dim=1)
        assert row.held_out_rate.count == int(changed.sum())
        assert row.image_gradients == last.image_gradients == 20 * min(size, 4)


def test_progress_says_how_far_it_is(network: Classifier) -> None:
    rows = rows_of(network, Default(budget=120, batch_size=4))
    waiting = [row for row in rows if not row.done]
    assert waiting
    assert all(0 < row.share <= 1 and row.held_out_rate is row.craft_rate is None for row in waiting)
    assert sorted({row.share for row in waiting}) == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(row.share == 1 for row in rows if row.done)


def test_a_row_says_how_many_images_there_really_were(network: Classifier) -> None:
    *_, last = sample_curve(network, Recorder(), CRAFT, HELD_OUT, BALL, [500], 0)
    assert last.images == len(CRAFT)


def test_shared_images_are_refused(network: Classifier) -> None:
    leaking = replace(CRAFT, files=(*CRAFT.files[:-1], "another"))
    with pytest.raises(DatasetError, match="share images"):
        next(sample_curve(network, Recorder(), CRAFT, leaking, BALL, [1], 0))


def test_nothing_to_craft_on_is_refused(network: Classifier) -> None:
    with pytest.raises(DatasetError, match="no images"):
        list(sample_curve(network, Default(), CRAFT.prefix(0), HELD_OUT, BALL, [0], 0))


def test_answers_that_are_known_are_not_asked_for_again(network: Classifier) -> None:
    asked: list[int] = []
    watching = network.register_forward_pre_hook(lambda _module, images: asked.append(len(images[0])))
    curve = (network, Recorder(), CRAFT, HELD_OUT, BALL, [4], 0)
    clean = predict(network, HELD_OUT.batches())
    rows, before = list(sample_curve(*curve)), sum(asked)
    asked.clear()
    assert [replace(row, seconds=0.0) for row in sample_curve(*curve, clean=clean)] == [
        replace(row, seconds=0.0) for row in rows
    ]
    assert sum(asked) == len(HELD_OUT)
    assert before == 3 * len(HELD_OUT)
    watching.remove()
