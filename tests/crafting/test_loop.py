from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from uap_core.crafting.clipped_ce import clipped_ce_loss
from uap_core.crafting.loop import Descent, Progress, clean_logits, craft_rate, endless_batches, pattern_gradient
from uap_core.errors import DatasetError, SettingError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

SIDE = 8
VALUES = 3 * SIDE * SIDE
LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 0.5)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, seed: int = 0, side: int = SIDE) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=seeded(seed), dtype=torch.uint8)


@pytest.fixture(scope="module")
def smooth() -> Classifier:
    """Two layers and tanh: differentiable everywhere, and not linear."""
    first, second = nn.Linear(VALUES, 12), nn.Linear(12, 5)
    with torch.no_grad():
        for layer, scale in ((first, 0.1), (second, 1.0)):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=seeded(0)) * scale)
            layer.bias.zero_()
    card = Card("smooth", "Smooth", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(nn.Flatten(), first, nn.Tanh(), second), card, tuple("abcde"))


def run(network: Classifier, images: Tensor, ball: Ball = LINF, seed: int = 0, **options: float) -> list[Progress]:
    return list(
        Descent(**({"steps": 12, "batch_size": 4, "rate": 0.125} | options)).run(
            clipped_ce_loss, network, images, ball, seeded(seed)
        )
    )


@pytest.mark.parametrize("ball", [LINF, L2, Ball("linf", 0.0), Ball("l2", 0.0)], ids=str)
def test_every_perturbation_lies_in_the_ball(smooth: Classifier, ball: Ball) -> None:
    for progress in run(smooth, pictures(10), ball):
        v = progress.perturbation.double()
        size = v.abs().max() if ball.p == "linf" else v.norm()
        assert size <= ball.radius * (1 + 1e-6)
        assert v.shape == (3, SIDE, SIDE)


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_the_seed_decides(smooth: Classifier, ball: Ball) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again, other = (run(smooth, pictures(30), ball, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a.perturbation, b.perturbation) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[-2].perturbation, other[-2].perturbation)
    assert torch.equal(state, torch.get_rng_state()), "the global generator is everybody's"


def test_the_clamp_is_in_the_gradient(smooth: Classifier) -> None:
    """Against central differences in float64, and exactly zero where x + v is outside [0,1]."""
    network = Classifier(nn.Sequential(*smooth.network), smooth.card, smooth.labels)
    network.double()
    try:
        images = pictures(6)
        images[:, 0], images[:, 1] = 0, 255
        v = (torch.rand(3, SIDE, SIDE, generator=seeded(3), dtype=torch.float64) - 0.5) * 0.2
        clean = network(images.double() / 255)
        loss = lambda pattern: clipped_ce_loss(clean, network((images.float() / 255 + pattern).clamp(0, 1)))  # noqa: E731
        gradient = pattern_gradient(clipped_ce_loss, network, images, clean, v)
        numeric = torch.zeros_like(v)
        for index in range(v.numel()):
            step = torch.zeros_like(v).view(-1)
            step[index] = 1e-6
            numeric.view(-1)[index] = (loss(v + step.view_as(v)) - loss(v - step.view_as(v))) / 2e-6
    finally:
        network.float()
    torch.testing.assert_close(gradient, numeric, rtol=1e-5, atol=1e-9)
    outside = torch.zeros_like(v, dtype=torch.bool)
    outside[0], outside[1] = v[0] < 0, v[1] > 0
    assert outside.any()
    assert not gradient[outside].any()
    assert gradient[~outside].abs().min() > 0


@pytest.mark.parametrize(("count", "batch", "per_step"), [(10, 4, 4), (3, 4, 3), (4, 4, 4)])
def test_image_gradients_are_counted(smooth: Classifier, count: int, batch: int, per_step: int) -> None:
    calls = 0

    def counting(clean: Tensor, perturbed: Tensor) -> Tensor:
        nonlocal calls
        calls += len(perturbed)
        return clipped_ce_loss(clean, perturbed)

    last = None
    descent = Descent(steps=7, batch_size=batch)
    for last in descent.run(counting, smooth, pictures(count), LINF, seeded(0)):
        assert last.image_gradients == calls == last.step * per_step
    assert last is not None
    assert (last.step, last.done) == (7, True)


def test_delta_stops_early(smooth: Classifier) -> None:
    images, ball = pictures(20), Ball("linf", 0.5)
    whole = run(smooth, images, ball, steps=100, measure_every=5)
    early = run(smooth, images, ball, steps=100, measure_every=5, delta=0.5)
    assert whole[-1].step == 100
    assert early[-1].step < 100
    assert early[-1].done
    measured = [progress.fooling_rate.value for progress in early[:-1] if progress.fooling_rate]
    assert measured[-1] >= 0.5
    assert all(value < 0.5 for value in measured[:-1])


def test_rates_are_those_of_the_pattern_that_comes_with_them(smooth: Classifier) -> None:
    images = pictures(40)
    labels = clean_logits(smooth, images).argmax(dim=1)
    measured = [
        progress for progress in run(smooth, images, Ball("linf", 0.3), measure_every=3, rate=0.03) if progress.fooling_rate
    ]
    assert [progress.step for progress in measured] == [3, 6, 9, 12]
    assert len({progress.fooling_rate for progress in measured}) > 1
    for progress in measured:
        with torch.no_grad():
            new = smooth((images.float() / 255 + progress.perturbation).clamp(0, 1)).argmax(dim=1)
        assert progress.fooling_rate.count == int((new != labels).sum())


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 40), size=st.integers(1, 40), seed=st.integers(0, 99))
def test_batches_show_no_image_twice_in_a_pass(count: int, size: int, seed: int) -> None:
    batches = endless_batches(count, size, seeded(seed))
    a_pass = count // size or 1
    for _ in range(3):
        seen = torch.cat([next(batches) for _ in range(a_pass)]).tolist()
        assert len(seen) == len(set(seen)) == (count - count % size if count >= size else count)
        assert set(seen) <= set(range(count))


def test_batches_are_reshuffled_and_leave_nobody_out() -> None:
    batches = endless_batches(7, 3, seeded(0))
    passes = [torch.cat([next(batches), next(batches)]).tolist() for _ in range(30)]
    assert len(set(map(tuple, passes))) > 20
    assert {index for a_pass in passes for index in a_pass} == set(range(7))
    whole = endless_batches(8, 4, seeded(0))
    assert sorted(torch.cat([next(whole), next(whole)]).tolist()) == list(range(8))


def test_an_empty_set_is_refused(smooth: Classifier) -> None:
    with pytest.raises(DatasetError, match="no images"):
        run(smooth, pictures(0))


@pytest.mark.parametrize("name", ["steps", "batch_size", "measure_every"])
def test_settings_below_one_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="at least 1"):
        Descent(**{name: 0})


def test_saturating_never_costs_fooled_images(smooth: Classifier) -> None:
    for seed in range(6):
        images = pictures(50, seed)
        labels = clean_logits(smooth, images).argmax(dim=1)
        *_, last, final = run(smooth, images, Ball("linf", 0.1), seed)
        assert final.fooling_rate.count >= craft_rate(smooth, images, labels, last.perturbation).count


def test_a_pattern_that_is_better_unsaturated_is_kept(linear) -> None:
    """One pixel decides; pushing the many others, slightly against it, out to the surface undoes it."""
    weight = torch.full((1, VALUES), -1.0)
    weight[0, 0] = 50.0
    images = torch.full((5, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    centre = float(weight.sum()) * 128 / 255
    network = linear(torch.cat([-weight, weight]), torch.tensor([centre + 0.5, -centre - 0.5]))
    labels = clean_logits(network, images).argmax(dim=1)
    v = torch.full((3, SIDE, SIDE), 1e-4)
    v[0, 0, 0] = 0.04
    assert craft_rate(network, images, labels, v).value == 1
    assert craft_rate(network, images, labels, LINF.fill(v)).value == 0
    kept = Descent()._better_saturated(network, images, labels, Ball("linf", 0.04), v)
    assert torch.equal(kept, v)


def test_no_pattern_fools_nobody(classifier: Classifier) -> None:
    images = pictures(130, side=64)  # more than one batch of measurement
    labels = clean_logits(classifier, images).argmax(dim=1)
    assert craft_rate(classifier, images, labels, torch.zeros(3, 64, 64)).count == 0


def test_leaves_the_network_alone(classifier: Classifier) -> None:
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    run(classifier, pictures(4, side=64), steps=2)
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())
    assert all(p.grad is None for p in classifier.parameters())


def test_progress_keeps_its_pattern(smooth: Classifier) -> None:
    """What was yielded must not change under the hands of whoever keeps it."""
    kept = [(progress.perturbation, progress.perturbation.clone()) for progress in run(smooth, pictures(8))]
    assert all(torch.equal(mine, copy) for mine, copy in kept)
    assert math.isclose(float(kept[-1][0].abs().max()), LINF.radius, rel_tol=1e-6)


def test_the_threads_arithmetic_is_as_before(smooth: Classifier) -> None:
    """Flushing tiny numbers to zero is a mode of the whole thread: whoever gets a pattern must not get the mode."""
    tiny = torch.tensor(1e-40)
    for _ in Descent(steps=3, batch_size=4).run(clipped_ce_loss, smooth, pictures(4), LINF, seeded(0)):
        assert tiny * 0.5 > 0
