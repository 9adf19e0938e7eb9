from __future__ import annotations

import pytest
import torch
from toys import SIDE, convolutional_network, pictures, seeded

from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.crafting.random_views import seen
from uap_core.crafting.state import State
from uap_core.crafting.transfer import Transfer, draw_wobbles
from uap_core.errors import SettingError
from uap_core.norms import Ball

LINF = Ball("linf", 10 / 255)


def test_wobbles_lie_within_their_strength() -> None:
    wobbles = draw_wobbles(4000, 0.25, seeded(0))
    sides, shifts = wobbles[:, 0, 0], wobbles[:, :, 2]
    assert torch.equal(sides, wobbles[:, 1, 1])
    assert (float(sides.min()), float(sides.max())) == (pytest.approx(0.8, abs=0.01), pytest.approx(1.25, abs=0.01))
    assert float(sides.log().mean()) == pytest.approx(0, abs=0.01)
    assert float(shifts.abs().max()) == pytest.approx(0.125, abs=0.001)
    assert float(shifts.mean()) == pytest.approx(0, abs=0.005)
    assert not wobbles[:, 0, 1].any()
    assert not wobbles[:, 1, 0].any()


def test_without_strength_it_is_the_default() -> None:
    still = draw_wobbles(3, 0.0, seeded(0))
    images = torch.rand(3, 3, SIDE, SIDE, generator=seeded(1))
    torch.testing.assert_close(seen(images, still), images)
    with pytest.raises(SettingError, match="0 or more"):
        Transfer(wobble=-0.1)


def test_picture_and_pattern_are_moved_together() -> None:
    """The gradient is that of the loss on moved, perturbed pictures: written out here, with one view and one wobble each."""
    network, images = convolutional_network(), pictures(5)
    problem, method = Problem.pose([network], images, LINF), Transfer(batch_size=5)
    v = LINF.random_signs((3, SIDE, SIDE), seeded(3))
    batch, state = torch.arange(5), State(v, seeded(4))
    found = problem.gradient(method.loss, batch, v, False, method.views(batch, state), method.wobbles(batch, state))
    state = State(v, seeded(4))
    views, wobbles = Default.views(method, batch, state), draw_wobbles(5, 0.25, state.generator)
    expected = torch.zeros_like(v)
    for i in range(5):
        leaf = v.clone().requires_grad_(True)
        picture = seen(images[i : i + 1].float() / 255, views[i : i + 1])
        moved = seen((picture + leaf).clamp(0, 1), wobbles[i : i + 1])
        expected += torch.autograd.grad(method.loss(problem.clean[0][i : i + 1], network(moved)).sum(), leaf)[0] / 5
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)
    assert not torch.allclose(found, problem.gradient(method.loss, batch, v, False, views))
