"""A generator of patterns: every code in the ball, its file, what it learns, and the page's arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import settings as example
from hypothesis import strategies as some
from in_node import in_node
from torch import Tensor
from toys import SIDE, convolutional_network, pictures, seeded

from uap_core import craft
from uap_core.attacks.criterion import Criterion
from uap_core.crafting.default import unlikely_and_turned
from uap_core.crafting.generator import Generator, generator_of
from uap_core.crafting.hubs import find_hubs
from uap_core.crafting.problem import Problem
from uap_core.crafting.run import CraftRun
from uap_core.errors import PerturbationError, SettingError
from uap_core.norms import Ball
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.perturbations.generators import PatternGenerator, bounded, load_generator

BALLS = (Ball("linf", 10 / 255), Ball("l2", 0.5))


def fresh(ball: Ball, side: int = 12, labels: tuple[str, ...] = ("a", "b"), tiles: int = 1, seed: int = 0) -> PatternGenerator:
    shape = GeneratorShape(3 + len(labels), side, side, 2, tiles)
    weights, statistics = shape.start(seeded(seed))
    return PatternGenerator(shape, ball, labels, weights, statistics)


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False, width=32), min_size=5, max_size=5))
@example(max_examples=60, deadline=None)
@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_any_code_gives_a_pattern_in_the_ball(ball: Ball, code: list[float]) -> None:
    made = fresh(ball)
    (pattern,) = made.patterns(torch.tensor([code]))
    raw = made.shape.forward(made.weights, made.statistics, torch.tensor([code]).clamp(-1e3, 1e3))
    for v in (pattern, bounded(ball, raw)[0]):
        size = v.double().abs().max() if ball.p == "linf" else v.double().norm()
        assert v.isfinite().all()
        assert size <= ball.radius * (1 + 1e-6)


@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_values_that_have_grown_still_learn(ball: Ball) -> None:
    """Pattern and gradient are those of small values: tanh never saturates."""
    found = []
    for size in (1.0, 1000.0):
        raw = (size * torch.randn(2, 3, 6, 6, generator=seeded(0))).requires_grad_(True)
        pattern = bounded(ball, raw)
        (pattern * torch.linspace(-1, 1, pattern.numel()).view_as(pattern)).sum().backward()
        assert raw.grad is not None
        found.append((pattern.detach(), size * raw.grad))
    (pattern, gradient), (large, still) = found
    torch.testing.assert_close(pattern, large)
    torch.testing.assert_close(gradient, still, atol=1e-6, rtol=1e-3)
    assert gradient.abs().max() > 1e-3


def test_codes_that_are_none_are_refused() -> None:
    made = fresh(BALLS[0])
    for wrong in (torch.zeros(1, 4), torch.full((1, 5), torch.nan), torch.zeros(5)):
        with pytest.raises(SettingError, match="A code is 5 numbers"):
            made.patterns(wrong)
    with pytest.raises(SettingError, match="mixes 2 labels"):
        made.codes(1, seeded(0), torch.ones(1, 3))


@pytest.mark.parametrize(("side", "tiles"), [(8, 1), (28, 1), (30, 1), (64, 1), (224, 4)])
def test_patterns_have_the_size_of_the_picture(side: int, tiles: int) -> None:
    made = fresh(BALLS[0], side, tiles=tiles)
    pattern = made.patterns(made.codes(1, seeded(0)))
    assert pattern.shape == (1, 3, side, side)
    square = side // tiles
    assert torch.equal(pattern[..., :square, :square], pattern[..., -square:, -square:])


def test_the_file_holds_the_generator_and_nothing_else_is_read(tmp_path: Path) -> None:
    made, path = replace(fresh(BALLS[1]), provenance={"seed": 0}), tmp_path / "made.safetensors"
    made.save(path)
    back = load_generator(path)
    assert (back.shape, back.ball, back.labels, back.provenance) == (made.shape, made.ball, made.labels, made.provenance)
    assert torch.equal(back.weights, made.weights.half().float())
    whole = path.read_bytes()
    for wrong in (whole[:-40], whole.replace(b'"code\\": 5', b'"code\\": 6'), b"", whole.replace(b"height", b"hoight")):
        assert wrong != whole
        path.write_bytes(wrong)
        with pytest.raises(PerturbationError, match="holds no generator"):
            load_generator(path)


def test_the_page_makes_the_same_pattern(tmp_path: Path) -> None:
    made, path = fresh(BALLS[0], 28), tmp_path / "made.safetensors"
    made.save(path)
    back, code = load_generator(path), made.codes(1, seeded(4))
    script = f"""
    const bytes = require("fs").readFileSync({str(path)!r});
    const maker = uapMaker.read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    tell(Array.from(maker.make({code[0].tolist()})));
    """
    shown = torch.tensor(in_node(script, "maker")).view(3, 28, 28)
    torch.testing.assert_close(shown, back.shape.forward(back.weights, back.statistics, code)[0], atol=1e-4, rtol=1e-3)


def test_told_labels_it_learns_to_tell_them_apart() -> None:
    network = convolutional_network()
    problem = Problem.pose([network], pictures(40), Ball("linf", 0.15))
    method = Generator(budget=3000, batch_size=24, draws=12, hubs=(0, 3), channels=4, rate=1e-2)
    run = CraftRun(method, problem, seeded(0), None)
    assert list(run.steps())[-1].done
    made = generator_of(method, problem, run.state)
    rates = [[problem.held_to(hub, v).value for hub in method.hubs] for v in made.patterns(made.codes(2, seeded(1)))]
    assert made.labels == (network.labels[0], network.labels[3])
    assert rates[0][0] > 0.6 > rates[0][1]
    assert rates[1][1] > 0.6 > rates[1][0]


@pytest.mark.parametrize("mixed", [0.0, 0.25, 1.0])
def test_as_many_codes_as_are_to_be_are_told_two_labels(mixed: float) -> None:
    seen = []

    class AimsSeen(Generator):
        def aimed(self, clean: Tensor, perturbed: Tensor, target: int | None, aims: Tensor | None, share: float) -> Tensor:
            assert aims is not None
            seen.append(aims)
            return super().aimed(clean, perturbed, target, aims, share)

    method = AimsSeen(budget=1600, batch_size=16, draws=16, hubs=(0, 1, 2), mixed=mixed, channels=2)
    list(method.craft(convolutional_network(), pictures(20), BALLS[0], seeded(0)))
    shares = torch.cat(seen)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1600))
    two = ((shares > 0).sum(dim=1) == 2).double().mean()
    assert float(two) == pytest.approx(mixed * 2 / 3, abs=0.05), "of two labels drawn a third is the same twice"


def test_between_two_labels_a_generator_that_was_told_both_leads_to_both() -> None:
    problem = Problem.pose([convolutional_network()], pictures(40), Ball("linf", 0.15))
    losses = []
    for mixed in (0.0, 0.5):
        method = Generator(budget=3000, batch_size=24, draws=12, hubs=(0, 1, 2), mixed=mixed, channels=4, rate=1e-2)
        run = CraftRun(method, problem, seeded(0), None)
        assert list(run.steps())[-1].done
        made = generator_of(method, problem, run.state)
        halves = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
        under = [
            problem.networks[0]((problem.images / 255 + v).clamp(0, 1)) for v in made.patterns(made.codes(3, seeded(1), halves))
        ]
        each = [method.aimed(z, z, None, half.expand(len(z), -1), 0.0).mean() for z, half in zip(under, halves, strict=True)]
        losses.append(float(torch.stack(each).mean()))
    assert losses[1] < losses[0] - 0.1
    with pytest.raises(SettingError, match="from 0 to 1"):
        Generator(budget=64, mixed=1.5)


@pytest.mark.parametrize("starts", [1, 3, 7])
def test_a_stopped_training_goes_on_to_the_same_result(tmp_path: Path, starts: int) -> None:
    network, ball = convolutional_network(), Ball("linf", 0.1)
    method = Generator(budget=160, batch_size=8, draws=4, hubs=(1, 2), mixed=0.5, interval=32, channels=2, starts=starts)
    whole = list(method.craft(network, pictures(20), ball, seeded(0)))[-1]
    state = tmp_path / "run.state"
    for progress in method.craft(network, pictures(20), ball, seeded(0), checkpoint=state):
        if progress.image_gradients >= 80:
            break
    resumed = list(method.craft(network, pictures(20), ball, seeded(0), checkpoint=state))[-1]
    assert torch.equal(whole.perturbation, resumed.perturbation)


def test_the_weight_of_fooling_grows_from_nothing_once_the_share_alone_is_over() -> None:
    clean, under = torch.randn(3, 7, generator=seeded(0)), torch.randn(3, 7, generator=seeded(1))
    method = Generator(budget=64, hubs=(5, 1), alone=0.25, weight=2.0)
    aims = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]])
    all_classes = torch.zeros(3, 7)
    all_classes[:, [5, 1]] = aims
    into = torch.nn.functional.cross_entropy(under, all_classes, reduction="none")
    for share, weight in ((0.0, 0.0), (0.25, 0.0), (0.625, 1.0), (1.0, 2.0)):
        wanted = into + weight * unlikely_and_turned(clean, under)
        torch.testing.assert_close(method.aimed(clean, under, None, aims, share), wanted)
    with pytest.raises(SettingError, match="weight not negative"):
        Generator(budget=64, weight=-1.0)


@pytest.mark.parametrize("seed", range(4))
def test_of_several_starts_the_best_goes_on(seed: int) -> None:
    """One step of Adam moves no weight by more than its rate."""
    problem = Problem.pose([convolutional_network()], pictures(40), Ball("linf", 0.1))
    method = Generator(budget=320, batch_size=8, draws=4, channels=2, starts=3, rate=1e-2)
    run, ends = CraftRun(method, problem, seeded(seed), None), []
    for progress in run.steps():
        weights = run.state.memory["weights"].clone()
        if progress.step in (4, 8, 12):
            ends.append((problem.held_to(None, progress.perturbation).value, weights))
        if progress.step == 13:
            break
    best = max(ends, key=lambda end: end[0])
    assert min((ends[a][1] - ends[b][1]).abs().max() for a, b in ((0, 1), (0, 2), (1, 2))) > 0.1, "begun anew"
    assert (weights - best[1]).abs().max() < 0.02
    with pytest.raises(SettingError, match="begun once to"):
        Generator(budget=320, starts=9)
    with pytest.raises(SettingError, match="ten steps at least"):
        Generator(budget=128, starts=2)


@pytest.mark.parametrize("ball", [Ball("linf", 0.1), Ball("l2", 0.5)], ids=str)
@pytest.mark.parametrize("rate", [1e3, 1e38])
def test_a_rate_too_high_is_said_and_the_network_is_not_blamed(ball: Ball, rate: float) -> None:
    method = Generator(budget=160, batch_size=8, draws=4, hubs=(1, 2), channels=2, rate=rate)
    with pytest.raises(SettingError, match="rate is too high"):
        list(method.craft(convolutional_network(), pictures(20), ball, seeded(0)))


def test_hubs_and_a_target_exclude_each_other() -> None:
    method = Generator(budget=32, hubs=(1, 2))
    with pytest.raises(SettingError, match="has no other target"):
        method.craft(convolutional_network(), pictures(4), BALLS[0], seeded(0), criterion=Criterion.into(1))
    with pytest.raises(SettingError, match="no such class"):
        Generator(budget=32, hubs=(1, 9)).craft(convolutional_network(), pictures(4), BALLS[0], seeded(0))


def test_a_bare_modules_classes_are_counted_before_the_first_step() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * SIDE * SIDE, 4))
    with pytest.raises(SettingError, match="no such class"):
        craft(module, pictures(8), method=Generator(hubs=(9,), budget=64, batch_size=4, draws=2))


def test_hubs_are_labels_that_are_reached() -> None:
    problem = Problem.pose([convolutional_network()], pictures(40), Ball("linf", 0.3))
    found = find_hubs(problem, 2, seeded(0))
    assert len({label for label, _share in found}) == 2
    assert found[0][1] >= found[1][1] > 0.3
    with pytest.raises(SettingError, match="fewer hubs"):
        find_hubs(problem, 9, seeded(0))
    assert problem.shape[0] == SIDE
