from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from uap_core.datasets import open_splits
from uap_core.errors import SettingError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.training.dream import Dreamer, dream_set, paint, shift_and_flip, total_variation

SIDE = 16
CLASSES = 4
NAMES = ("n0", "n1", "n2", "n3")


@pytest.fixture(scope="module")
def network() -> Classifier:
    """Small, random, with batch normalisation that has seen dark noise."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, CLASSES)
        )
        for _ in range(60):
            layers(torch.rand(16, 3, SIDE, SIDE) * 0.4)
    card = Card("tiny", "Tiny", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(layers, card, ("a", "b", "c", "d"), NAMES)


def dream(network: Classifier, dreamer: Dreamer, seed: int = 0) -> list[Tensor]:
    classes = torch.arange(8) % CLASSES
    return [images for _, images in dreamer.dream(network, classes, torch.Generator().manual_seed(seed))]


def hooks(network: Classifier) -> int:
    return sum(len(module._forward_pre_hooks) for module in network.modules())


@pytest.mark.parametrize("statistics", [0.0, 1.0])
def test_the_network_comes_to_see_the_class(network: Classifier, statistics: float) -> None:
    steps = dream(network, Dreamer(steps=60, statistics=statistics, least=0.9, most=0.98, jitter=0))
    classes = torch.arange(8) % CLASSES
    first, last = (network(x).softmax(dim=1).gather(1, classes[:, None])[:, 0] for x in (steps[0], steps[-1]))
    assert len(steps) == 60
    assert all(x.min() >= 0 and x.max() <= 1 and x.shape == (8, 3, SIDE, SIDE) for x in steps)
    assert (last > first).all()
    assert last.min() > 0.6


def test_statistics_pull_towards_the_trained_ones(network: Classifier) -> None:
    norm = network.network[1]

    def distance(x: Tensor) -> float:
        return float((network.network[0](x).mean(dim=(0, 2, 3)) - norm.running_mean).abs().mean())

    free, pulled = (dream(network, Dreamer(steps=60, statistics=weight))[-1] for weight in (0.0, 10.0))
    assert distance(pulled) < 0.7 * distance(free)


def test_nothing_stays_behind_in_the_network(network: Classifier) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    dream(network, Dreamer(steps=3))
    assert hooks(network) == 0
    stream = Dreamer(steps=3).dream(network, torch.zeros(2, dtype=torch.long), torch.Generator().manual_seed(0))
    next(stream)
    assert hooks(network) == 1
    stream.close()  # a visitor who goes away half-way
    assert hooks(network) == 0
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_seed_decides(network: Classifier) -> None:
    first, again, other = (dream(network, Dreamer(steps=5), seed)[-1] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_targets_are_probabilities_with_their_class_on_top(network: Classifier) -> None:
    classes = torch.arange(400) % CLASSES
    targets = Dreamer(least=0.6, most=0.98)._targets(classes, CLASSES, torch.Generator().manual_seed(0))
    aimed = targets.gather(1, classes[:, None])
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(400))
    assert torch.equal(targets.argmax(dim=1), classes)
    assert 0.6 <= aimed.min() < 0.7
    assert 0.9 < aimed.max() < 1


class Painter(Dreamer):
    """Dreams noise, quickly, and keeps it."""

    kept: list[tuple[Tensor, Tensor]] = []  # noqa: RUF012 - the dataclass is frozen; the test empties it

    def dream(self, classifier: Classifier, classes: Tensor, generator: torch.Generator):
        images = torch.rand(len(classes), 3, SIDE, SIDE, generator=generator)
        self.kept.append((classes, images))
        yield 1, images


def test_the_zip_is_an_image_set_with_the_very_pixels(network: Classifier, tmp_path: Path) -> None:
    Painter.kept.clear()
    path = tmp_path / "new folder" / "dreams.zip"
    progress = list(dream_set(network, 22, path, 0, Painter(steps=1, batch_size=4)))
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
    Painter.kept.clear()
    for seed in range(3):
        list(dream_set(network, 8, tmp_path / f"{seed}.zip", seed, Painter(steps=1)))
    drawn = {images.numpy().tobytes() for _, images in Painter.kept}
    assert len(drawn) == len(Painter.kept) == 6


@pytest.mark.parametrize("count", [-2, 0, 1, 7])
def test_a_number_that_cannot_be_halved_is_refused(network: Classifier, tmp_path: Path, count: int) -> None:
    with pytest.raises(SettingError, match="even and at least 2"):
        list(dream_set(network, count, tmp_path / "dreams.zip", 0))


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(5.0).expand(2, 3, 4, 5) * 0.1  # 0.1 from column to column, 0 from row to row
    assert float(total_variation(ramp)) == pytest.approx(0.1)
    assert float(total_variation(ramp + 0.25 * torch.arange(4.0)[:, None])) == pytest.approx(0.35)
    assert float(total_variation(torch.full((1, 3, 4, 4), 0.7))) == 0


def test_shifts_and_mirrors_only_move_pixels() -> None:
    x = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    results = [shift_and_flip(x, 6, generator) for _ in range(20)]
    assert all(torch.equal(result.flatten(2).sort().values, x.flatten(2).sort().values) for result in results)
    assert len({result.numpy().tobytes() for result in results}) > 10


def test_paint_turns_coefficients_into_pictures() -> None:
    spectrum = torch.zeros(3, 3, SIDE, SIDE // 2 + 1, 2)
    spectrum[1, 0, 0, 0, 0] = 5.0  # the mean of the first colour
    spectrum[2] = torch.randn(spectrum[2].shape, generator=torch.Generator().manual_seed(0)) * 100
    grey, plain, wild = paint(spectrum, SIDE)
    assert torch.equal(grey, torch.full((3, SIDE, SIDE), 0.5))
    torch.testing.assert_close(plain, plain[:, :1, :1].expand(3, SIDE, SIDE))
    assert (plain - grey).abs().max() > 0.01
    assert 0 <= wild.min() < 0.1 < 0.9 < wild.max() <= 1
