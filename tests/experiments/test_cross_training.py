from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import seeded

from uap_core.attacks.fgsm import FGSM
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.experiments import disjoint_training as room
from uap_core.experiments.disjoint_training import LEARNER_NAMES, LEARNERS, RECIPE, SIDE, LearnerRow, cross_training, halves
from uap_core.experiments.origins import MatrixRow

QUICK = replace(RECIPE, epochs=4, batch_size=10)


def coloured(count: int, seed: int, classes: tuple[str, ...] = ("blue", "green", "red")) -> ImageSet:
    """Noise of 32 pixels whose class is its brightest channel."""
    pixels = torch.randint(0, 128, (count, 3, SIDE, SIDE), generator=seeded(seed), dtype=torch.uint8)
    which = torch.arange(count) % len(classes)
    pixels[torch.arange(count), which] += 100
    return ImageSet(f"set {seed}", pixels, tuple(classes[i] for i in which), tuple(f"{seed}/{i}.png" for i in range(count)))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 1000))
def test_halves_share_no_image_and_leave_none_out(sizes: list[int], seed: int) -> None:
    names = [str(label) for label, size in enumerate(sizes) for _ in range(size)]
    pixels = torch.arange(len(names), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 1, 1)
    everything = ImageSet("all", pixels, tuple(names), tuple(f"{i}.png" for i in range(len(names))))
    first, second = halves(everything, seeded(seed))
    assert not set(first.files) & set(second.files)
    assert sorted(first.files + second.files) == sorted(everything.files)
    for half in (first, second):
        assert [f"{int(pixel[0])}.png" for pixel in half.pixels] == list(half.files)
        assert all(abs(half.classes.count(str(label)) - size / 2) <= 0.5 for label, size in enumerate(sizes))


def test_the_seed_decides_who_is_in_which_half() -> None:
    images = coloured(60, 0)
    assert halves(images, seeded(0))[0].files == halves(images, seeded(0))[0].files
    assert set(halves(images, seeded(0))[0].files) != set(halves(images, seeded(1))[0].files)


def test_three_networks_learn_and_are_tested_on_each_others_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    train = room.train

    def watched(network, part, tested, recipe, checkpoint):
        seen.append((part[0].clone(), recipe.seed))
        return train(network, part, tested, recipe, checkpoint)

    monkeypatch.setattr(room, "train", watched)
    rows = list(cross_training(coloured(60, 0), coloured(12, 1), {"fgsm": FGSM(60 / 255)}, 0, QUICK))
    learning = [row for row in rows if isinstance(row, LearnerRow)]
    tested = [row for row in rows if isinstance(row, MatrixRow)]
    names = [learner.key for learner in LEARNERS]
    assert [row.network for row in learning] == [name for name in names for _ in range(4)]
    assert [row.share for row in learning][-1] == 1
    assert all(row.accuracy.total == 12 for row in learning)
    assert min(learning[i].accuracy.value for i in (3, 7, 11)) > 0.8, "brightness of a channel is easily learnt"
    assert len(tested) == (3 + 2) * 3
    assert [row.network for row in tested if row.crafted_on] == names
    (a, _), (a_too, _), (b, _) = seen
    assert torch.equal(a, b)
    assert not {bytes(image.numpy()) for image in a} & {bytes(image.numpy()) for image in a_too}
    assert len({seed for _, seed in seen}) == 3, "two networks with the same first weights would be alike from the start"


def test_learners_have_names() -> None:
    assert list(LEARNER_NAMES.values()) == ["A: 16-32-64, half 1", "A': 16-32-64, half 2", "B: 24-48, half 1"]


def test_pictures_that_cannot_be_learnt_from_get_a_sentence() -> None:
    attacks = {"fgsm": FGSM()}
    with pytest.raises(DatasetError, match="a folder a class"):
        next(cross_training(coloured(60, 0, ("one",)), coloured(12, 1, ("one",)), attacks, 0, QUICK))
    with pytest.raises(DatasetError, match="classes that the craft images lack"):
        next(cross_training(coloured(60, 0), coloured(12, 1, ("blue", "black")), attacks, 0, QUICK))
    with pytest.raises(DatasetError, match="at least 10 images"):
        next(cross_training(coloured(12, 0), coloured(12, 1), attacks, 0, QUICK))
