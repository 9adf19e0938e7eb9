from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.training.class_impressions import Dreamer, centre, lowest, paint, shift_and_flip, total_variation
from uap_core.training.statistics import Moments, measured

SIDE = 16
CLASSES = 4
NAMES = ("n0", "n1", "n2", "n3")


@pytest.fixture(scope="module")
def network() -> Classifier:
    """Small, random, with batch normalisation that has seen dark noise."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(8),
            nn.Flatten(),
            nn.Linear(8 * 64, CLASSES),
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


def test_coarse_steps_paint_whole_images_all_the_same(network: Classifier) -> None:
    steps = dream(network, Dreamer(steps=90, coarse=30, least=0.9, most=0.98, jitter=0))
    classes = torch.arange(8) % CLASSES
    assert all(x.shape == (8, 3, SIDE, SIDE) for x in steps)
    assert network(steps[-1]).softmax(dim=1).gather(1, classes[:, None]).min() > 0.6
    coarse, fine = (lowest_share(after - before) for before, after in ((steps[0], steps[29]), (steps[30], steps[-1])))
    assert coarse > 0.9 > fine  # sigmoid leaks a little of what half the side cannot show


def lowest_share(images: Tensor) -> float:
    """How much of the energy lies below half the highest frequency, both ways."""
    energy = torch.fft.fft2(images - images.mean(dim=(2, 3), keepdim=True)).abs().square().sum(dim=(0, 1))
    kept = torch.fft.fftfreq(SIDE).abs() <= 0.25
    return float(energy[kept][:, kept].sum() / energy.sum())


def test_half_the_side_keeps_the_spectrum() -> None:
    """A pattern of low frequencies, painted at half the side, is every other pixel of the one at the full side."""
    spectrum = torch.zeros(2, 3, 16, 9, 2)
    spectrum[:, :, :3, :3] = torch.randn(2, 3, 3, 3, 2, generator=torch.Generator().manual_seed(0)) * 3
    spectrum[:, :, -2:, 1:3] = torch.randn(2, 3, 2, 2, 2, generator=torch.Generator().manual_seed(1)) * 3
    whole, half = paint(spectrum, 16), paint(lowest(spectrum, 8), 8)
    assert whole.std() > 0.05
    torch.testing.assert_close(half, whole[:, :, ::2, ::2])
    assert lowest(spectrum, 16) is spectrum


def test_dreams_have_the_size_to_which_photographs_are_resized(network: Classifier) -> None:
    card = replace(network.card, resize_size=20)
    larger = Classifier(network.network, card, network.labels, NAMES)
    steps = dream(larger, Dreamer(steps=60, least=0.9, most=0.98, jitter=0))
    seen = centre(steps[-1], SIDE)
    assert steps[-1].shape == (8, 3, 20, 20)
    assert torch.equal(seen, steps[-1][:, :, 2:18, 2:18])
    assert network(seen).softmax(dim=1).gather(1, (torch.arange(8) % CLASSES)[:, None]).min() > 0.6


def test_a_network_without_batch_norms_keeps_to_measured_statistics() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        layers = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(6 * (SIDE - 2) ** 2, CLASSES))
    bare = Classifier(layers, Card("bare", "Bare", "embedded", "", SIDE, SIDE, "none", "made in a test"), tuple("abcd"), NAMES)
    dark = measured(bare, [torch.rand(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 0.3])

    def last(kept_to: list[Moments] | None) -> float:
        classes, generator = torch.arange(8) % CLASSES, torch.Generator().manual_seed(0)
        steps = [x for _, x in Dreamer(steps=60, statistics=10.0).dream(bare, classes, generator, kept_to)]
        return float(steps[-1].mean())

    assert last(dark) < 0.4 < 0.45 < last(None)
    assert not any(layer._forward_hooks for layer in bare.modules())


def test_the_network_sees_dreams_with_noise_that_they_do_not_keep(network: Classifier) -> None:
    seen: list[Tensor] = []
    hook = network.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        plain, noisy = (dream(network, Dreamer(steps=1, noise=noise))[0] for noise in (0.0, 0.3))
    finally:
        hook.remove()
    assert float((seen[1] - seen[0]).std()) == pytest.approx(0.3, rel=0.05)
    assert (noisy - plain).std() < 0.06


def test_the_pixels_keep_to_those_of_photographs(network: Classifier) -> None:
    wild = Dreamer(steps=60, rate=0.5, statistics=0.0, smoothness=0.0)

    def off(dreamer: Dreamer) -> float:
        x = dream(network, dreamer)[-1]
        return float((x.std(dim=(0, 2, 3)) - 0.275).abs().max())

    assert off(replace(wild, pixels=30.0)) < 0.02 < 0.05 < off(wild)


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
