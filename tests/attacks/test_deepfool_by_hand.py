"""DeepFool's Algorithm 2, written out for one picture, with the overshoot where the network is looked at."""

from __future__ import annotations

import pytest
import torch
from toys import pictures, smooth_network

from uap_core.attacks.deepfool import NUDGE, DeepFool, cross_boundary


@pytest.mark.parametrize("overshoot", [0.02, 0.5])
def test_each_step_is_taken_where_the_overshoot_leads(overshoot: float) -> None:
    network, images = smooth_network(0, spread=0.5), pictures(8).float() / 255
    iterated = 0
    for x in images:
        first, r, steps = int(network(x[None]).argmax()), torch.zeros_like(x), 0
        while int(network((x + (1 + overshoot) * r)[None]).argmax()) == first and steps < 10:
            at = (x + (1 + overshoot) * r).requires_grad_(True)
            f = network(at[None])[0]
            slopes = [torch.autograd.grad(f[k] - f[first], at, retain_graph=True)[0] for k in range(5) if k != first]
            gaps = [float((f[k] - f[first]).abs().detach()) for k in range(5) if k != first]
            gap, slope = min(zip(gaps, slopes, strict=True), key=lambda pair: pair[0] / float(pair[1].norm()))
            r = r + (gap / slope.norm() + NUDGE) * slope / slope.norm()
            steps += 1
        found = cross_boundary(network, x[None], overshoot=overshoot)
        torch.testing.assert_close(found.steps[0], (1 + overshoot) * r, rtol=1e-4, atol=1e-6)
        assert int(found.backward_passes) == 4 * steps
        iterated += steps > 1
    assert iterated > 2, "a second look happens"


def test_the_attack_takes_the_same_steps_within_the_box() -> None:
    network, x = smooth_network(0), 0.4 + 0.2 * pictures(8).float() / 255
    result = DeepFool()(network, x, network(x).argmax(dim=1))
    free = cross_boundary(network, x, iterations=50)
    inside = ((x + free.steps).clamp(0, 1) == x + free.steps).flatten(1).all(dim=1)
    assert inside.any()
    torch.testing.assert_close((result.adversarial - x)[inside], free.steps[inside], rtol=1e-3, atol=1e-5)
