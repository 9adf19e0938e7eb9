"""Crafting from few pictures: the method against its formula written out, and what it promises of batches and cost."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from toys import SIDE, convolutional_network, pictures, seeded, smooth_network
from written_steps import WrittenSteps

import uap_core
from uap_core import Ball, FewPictures
from uap_core.crafting.few_pictures import next_pictures
from uap_core.crafting.random_views import draw_views, seen
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.noise import coloured_noise

LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 0.5)


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_each_step_is_the_formula_on_views_and_noise(ball: Ball) -> None:
    """From one picture, four a batch: two views of it and two drawn ones."""
    network, generator, images = smooth_network(1), seeded(0), pictures(1)
    method = FewPictures(budget=64, batch_size=4, tiles=1, loud=0.7)
    first, second = network.network[1], network.network[3]
    written = WrittenSteps(ball, 0.1 * ball.random_signs((3, SIDE, SIDE), generator))
    steps = [progress.perturbation for progress in method.craft(network, images, ball, seeded(0))]
    for found in steps[:8]:
        v = written.v
        for _pass in range(2):
            torch.randperm(1, generator=generator)
        photographs = seen(images[[0, 0]].float() / 255, draw_views(2, 0.8, generator))
        noise = seen(coloured_noise(2, (SIDE, SIDE), 1.0, generator), draw_views(2, 0.3, generator))
        own = seen((0.5 + v / (2 * written.unit)).clamp(0, 1).expand(2, -1, -1, -1), draw_views(2, 0.1, generator))
        clean = torch.cat([photographs, 0.5 * noise + 0.5 * own])
        leaf = v.clone().requires_grad_(True)
        hidden = first((clean + leaf).clamp(0, 1).flatten(1))
        logits, before = second(hidden.tanh()), network(clean)
        loud = sum((out**4).mean(dim=1).log() / 4 for out in (hidden, logits)) / 2
        spread = before.std(dim=1, unbiased=False)
        surprise = F.cross_entropy(logits, before.argmax(dim=1), reduction="none").minimum(5 * spread)
        turned = 0.5 * spread * math.sqrt(before.shape[1]) * F.cosine_similarity(before, logits)
        (g,) = torch.autograd.grad((turned - surprise).mean(), leaf, retain_graph=True)
        (h,) = torch.autograd.grad(-loud.mean(), leaf)
        gradient = g / g.norm() + 0.7 * h / h.norm()
        written.descend(gradient)
        torch.testing.assert_close(found, ball.project(written.v), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(steps[-1], ball.fill(written.v), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_one_picture_takes_the_whole_budget(count: int) -> None:
    """Where other methods take a batch as small as the set, and with it less work."""
    method = FewPictures(budget=80, batch_size=4)
    *_, last = method.craft(convolutional_network(), pictures(count), LINF, seeded(0))
    assert (last.step, last.image_gradients) == (10, 80)
    assert last.fooling_rate is not None
    assert last.fooling_rate.total == count


def test_pictures_come_equally_often() -> None:
    state = State(torch.zeros(3, 1, 1), seeded(0))
    drawn = torch.cat([next_pictures(state, 3, 4) for _ in range(6)])
    assert drawn.bincount().tolist() == [8, 8, 8]
    assert all(sorted(drawn[k : k + 3].tolist()) == [0, 1, 2] for k in range(0, 24, 3))


def test_the_pictures_decide_and_without_noise_or_loudness_too() -> None:
    network = convolutional_network()

    def crafted(seed: int, **settings: float) -> torch.Tensor:
        return uap_core.craft(network, pictures(2, seed), method=FewPictures(budget=16, **settings)).pattern

    assert not torch.equal(crafted(0), crafted(1))
    assert not torch.equal(crafted(0), crafted(0, noise=0.0))
    assert not torch.equal(crafted(0), crafted(0, loud=0.0))


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    method, state, images = FewPictures(budget=24, batch_size=4, interval=1), tmp_path / "run.state", pictures(3)
    whole = list(method.craft(convolutional_network(), images, LINF, seeded(0)))[-1]
    run = method.craft(convolutional_network(), images, LINF, seeded(0), checkpoint=state)
    next(run)
    run.close()  # type: ignore[attr-defined]
    again = list(method.craft(convolutional_network(), images, LINF, seeded(0), checkpoint=state))[-1]
    assert torch.equal(again.perturbation, whole.perturbation)


@pytest.mark.parametrize("settings", [{"noise": 1.0}, {"noise": -0.1}, {"loud": -1.0}])
def test_settings_out_of_range_are_told(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="share of noise"):
        FewPictures(**settings)  # type: ignore[arg-type]
