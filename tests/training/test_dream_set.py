"""A set of dreams: the zip, its batches, its card."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from uap_core.datasets.image_sets import open_splits
from uap_core.errors import SettingError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.training.class_impressions import Dreamer
from uap_core.training.impression_set import DreamSet, dream_set, set_for, spread, write_dream_card

SIDE = 16
NAMES = ("n0", "n1", "n2", "n3")


@pytest.fixture(scope="module")
def network() -> Classifier:
    card = Card("tiny", "Tiny", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE**2, 4)), card, ("a", "b", "c", "d"), NAMES, "abc")


@dataclass(frozen=True)
class Painter(Dreamer):
    """Dreams noise, quickly, and keeps it."""

    steps: int = 1
    batch_size: int = 4
    stop_after: int = 99
    kept = []  # noqa: RUF012 - the dataclass is frozen; tests empty it

    def dream(self, classifier: Classifier, classes: Tensor, generator: torch.Generator, kept_to: object = None):
        if len(self.kept) == self.stop_after:
            raise KeyboardInterrupt
        images = torch.rand(len(classes), 3, SIDE, SIDE, generator=generator)
        self.kept.append((classes, images))
        yield 1, images


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    Painter.kept.clear()


def test_the_zip_is_an_image_set_with_the_very_pixels(network: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "dreams.zip"
    progress = list(dream_set(network, path, DreamSet(Painter(), count=22)))
    assert progress[-1] == (6, 6)
    assert [entry.name for entry in path.parent.iterdir()] == ["dreams.zip"]
    craft, held_out = open_splits(path, SIDE, SIDE)
    assert (len(craft), len(held_out)) == (11, 11)
    assert not set(craft.files) & set(held_out.files)
    for split, painted in ((craft, Painter.kept[:3]), (held_out, Painter.kept[3:])):
        classes, images = torch.cat([part[0] for part in painted]), torch.cat([part[1] for part in painted])
        for name, folder, pixels in zip(split.files, split.classes, split.pixels, strict=True):
            number = int(Path(name).stem)
            assert folder == NAMES[classes[number]]
            assert torch.equal(pixels, (images[number] * 255).round().byte())
        assert torch.equal(split.truth(NAMES).bincount(), torch.tensor([3, 3, 3, 2]))
    assert not set(map(bytes, craft.pixels.numpy())) & set(map(bytes, held_out.pixels.numpy()))


def test_other_seeds_are_other_dreams(network: Classifier, tmp_path: Path) -> None:
    """Split number n of seed s must not be split number n - 1 of seed s + 1."""
    for seed in range(3):
        list(dream_set(network, tmp_path / f"{seed}.zip", DreamSet(Painter(), count=8, seed=seed)))
    drawn = {images.numpy().tobytes() for _, images in Painter.kept}
    assert len(drawn) == len(Painter.kept) == 6


def test_a_set_that_was_stopped_goes_on_and_ends_the_same(network: Classifier, tmp_path: Path) -> None:
    list(dream_set(network, tmp_path / "whole.zip", DreamSet(Painter(), count=22)))
    Painter.kept.clear()
    path, stopping = tmp_path / "dreams.zip", DreamSet(Painter(), count=22)
    object.__setattr__(stopping.dreamer, "stop_after", 4)
    with pytest.raises(KeyboardInterrupt):
        list(dream_set(network, path, stopping))
    other = DreamSet(Painter(stop_after=8), count=22, seed=1)  # whose batches are not to be mixed with the first one's
    with pytest.raises(KeyboardInterrupt):
        list(dream_set(network, path, other))
    assert not path.exists()
    Painter.kept.clear()
    list(dream_set(network, path, stopping))
    assert len(Painter.kept) == 2
    assert contents(path) == contents(tmp_path / "whole.zip")


def test_a_dreamer_of_other_settings_begins_anew(network: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "dreams.zip"
    with pytest.raises(KeyboardInterrupt):
        list(dream_set(network, path, DreamSet(Painter(stop_after=4), count=22)))
    for other in (DreamSet(Painter(steps=2), count=22), DreamSet(Painter(steps=2), count=22, quality=50)):
        Painter.kept.clear()
        list(dream_set(network, path, other))
        assert len(Painter.kept) == 6
        path.unlink()


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_lossy_files_are_small_and_near(network: Classifier, tmp_path: Path) -> None:
    class Ramp(Painter):
        def dream(self, classifier: Classifier, classes: Tensor, generator: torch.Generator, kept_to: object = None):
            ramp = torch.linspace(0.1, 0.9, SIDE).expand(len(classes), 3, SIDE, SIDE)
            yield 1, (ramp + 0.05 * torch.rand(ramp.shape, generator=generator)).clamp(0, 1)

    sizes = {}
    for quality in (None, 90, 30):
        path = tmp_path / f"{quality}.zip"
        list(dream_set(network, path, DreamSet(Ramp(), count=8, quality=quality)))
        pixels = open_splits(path, SIDE, SIDE)[0].pixels.float() / 255
        sizes[quality] = path.stat().st_size
        assert (pixels - torch.linspace(0.1, 0.9, SIDE)).abs().mean() < 0.06
    assert sizes[30] < sizes[90] < sizes[None]


@pytest.mark.parametrize("count", [-2, 0, 1, 7])
def test_a_number_that_cannot_be_halved_is_refused(count: int) -> None:
    with pytest.raises(SettingError, match="even and at least 2"):
        set_for("resnet64", count, 0)


def test_few_dreams_are_spread_over_all_classes_and_none_has_two() -> None:
    craft, held_out = (spread(256, number, 1000).tolist() for number in (0, 1))
    assert len({*craft, *held_out}) == 512
    for split in (craft, held_out):
        assert min(split) < 4
        assert max(split) > 995
        assert max(b - a for a, b in pairwise(split)) == 4


def test_the_card_says_how(network: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "dreams.zip"
    wanted = DreamSet(Dreamer(steps=7, coarse=3), "three photographs", 40, 8, 5)
    write_dream_card(network, path, wanted)
    card = json.loads((tmp_path / "dreams.json").read_text())
    assert card["network"] == "tiny"
    assert card["weights_sha256"] == "abc"
    assert (card["count"], card["seed"]) == (8, 5)
    assert (card["method"], card["settings"]) == ("class_impressions", {"steps": 7, "coarse": 3})
    assert (card["statistics_of"], card["webp_quality"]) == ("three photographs", 40)
