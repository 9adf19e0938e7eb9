"""Crafting for networks never seen: each step against its formula written out, over networks of very different scales."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from toys import SIDE, pictures, seeded, smooth_network
from written_steps import WrittenSteps

import uap_core
from uap_core import Ball, NeverSeen
from uap_core.crafting.problem import Problem
from uap_core.crafting.random_views import draw_views, seen
from uap_core.crafting.state import State
from uap_core.crafting.transfer import draw_wobbles
from uap_core.errors import SettingError
from uap_core.images.noise import coloured_noise
from uap_core.models.classifier import Classifier

LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 0.5)


def louder(network: Classifier) -> Classifier:
    """The same but for its logits, which are a thousand times as large."""
    with torch.no_grad():
        last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        last.weight *= 1000
        last.bias *= 1000
    return network


def written_direction(network: Classifier, clean: Tensor, moves: Tensor, v: Tensor, loud: float) -> Tensor:
    first, second = (module for module in network.modules() if isinstance(module, nn.Linear))
    leaf = v.clone().requires_grad_(True)
    moved = seen((clean + leaf).clamp(0, 1), moves)
    hidden = first(moved.flatten(1))
    logits, before = second(hidden.tanh()), network(clean)
    loudness = sum((out**4).mean(dim=1).log() / 4 for out in (hidden, logits)) / 2
    spread = before.std(dim=1, unbiased=False)
    surprise = F.cross_entropy(logits, before.argmax(dim=1), reduction="none").minimum(5 * spread)
    turned = 0.5 * spread * math.sqrt(before.shape[1]) * F.cosine_similarity(before, logits)
    (g,) = torch.autograd.grad((turned - surprise).sum(), leaf, retain_graph=True)
    (h,) = torch.autograd.grad(-loudness.sum(), leaf)
    return g / g.norm() + loud * h / h.norm()


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_each_step_adds_the_networks_directions_at_one_length(ball: Ball) -> None:
    networks, generator, images = [smooth_network(1), louder(smooth_network(2))], seeded(0), pictures(2)
    method = NeverSeen(budget=64, tiles=1, loud=0.7)
    written = WrittenSteps(ball, 0.1 * ball.random_signs((3, SIDE, SIDE), generator))
    steps = [progress.perturbation for progress in method.craft(networks, images, ball, seeded(0))]
    for found in steps[:8]:
        v = written.v
        order = torch.randperm(2, generator=generator)
        photographs = seen(images[order].float() / 255, draw_views(2, 0.8, generator))
        noise = seen(coloured_noise(2, (SIDE, SIDE), 1.0, generator), draw_views(2, 0.3, generator))
        own = seen((0.5 + v / (2 * written.unit)).clamp(0, 1).expand(2, -1, -1, -1), draw_views(2, 0.1, generator))
        clean = torch.cat([photographs, 0.5 * noise + 0.5 * own])
        moves = draw_wobbles(4, 0.25, generator)
        written.descend(sum(written_direction(network, clean, moves, v, 0.7) for network in networks))
        torch.testing.assert_close(found, ball.project(written.v), rtol=1e-3, atol=1e-5)


def test_each_picture_costs_two_gradients_of_each_network() -> None:
    networks = [smooth_network(1), smooth_network(2)]
    *_, last = NeverSeen(budget=80).craft(networks, pictures(3), LINF, seeded(0))
    assert (last.step, last.image_gradients) == (10, 160)


def test_input_diversity_is_used_and_cannot_be_negative() -> None:
    crafted = [uap_core.craft(smooth_network(1), pictures(2), method=NeverSeen(budget=16, wobble=size)) for size in (0.0, 0.25)]
    assert not torch.equal(crafted[0].pattern, crafted[1].pattern)
    with pytest.raises(SettingError, match="0 or more"):
        NeverSeen(wobble=-0.1)


def test_of_several_starts_the_best_goes_on_as_if_it_had_been_alone() -> None:
    """After a tenth each: steps count from a start's own beginning, the last ball and rate are reached at the end."""
    networks, images = [smooth_network(1), smooth_network(2)], pictures(8)
    method = NeverSeen(budget=480, starts=3, tiles=1)
    steps = [progress.perturbation for progress in method.craft(networks, images, LINF, seeded(0))]
    assert len(steps) == 61
    problem = Problem.pose(networks, images, LINF)
    ends = [problem.rate(steps[at]).count for at in (5, 11, 17)]  # of the three starts
    assert len(set(ends)) > 1, "of equal ones nothing could be told"
    best = ends.index(max(ends))
    onward = steps[18] - steps[6 * best + 5]
    assert float(onward.abs().mean()) < float((steps[18] - steps[17]).abs().mean())
    assert method.moment(State(steps[0], seeded(0), step=5)) == (5, 48)
    assert method.moment(State(steps[0], seeded(0), step=13)) == (1, 48)
    assert method.moment(State(steps[0], seeded(0), step=59)) == (47, 48)


def test_short_runs_are_begun_once() -> None:
    assert NeverSeen(budget=64).moment(State(pictures(1)[0].float(), seeded(0), step=7)) == (7, 8)
    for starts in (0, 10):
        with pytest.raises(SettingError, match="once to 9 times"):
            NeverSeen(starts=starts)


def test_a_stopped_run_of_several_starts_goes_on(tmp_path: Path) -> None:
    networks, images, state = [smooth_network(1), smooth_network(2)], pictures(8), tmp_path / "run.state"
    method = NeverSeen(budget=480, starts=3, interval=80)
    whole = list(method.craft(networks, images, LINF, seeded(0)))[-1]
    run = method.craft(networks, images, LINF, seeded(0), checkpoint=state)
    for _step in range(14):
        next(run)
    run.close()  # type: ignore[attr-defined]
    again = list(method.craft(networks, images, LINF, seeded(0), checkpoint=state))[-1]
    assert torch.equal(again.perturbation, whole.perturbation)
