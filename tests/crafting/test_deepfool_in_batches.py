"""DeepFool in batches, written out over whole passes: from the second step on, only some images of a batch still move."""

from __future__ import annotations

import torch
from toys import SIDE, pictures, seeded, smooth_network

from uap_core.attacks.deepfool import cross_boundary
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.norms import Ball


def test_the_mean_is_over_the_images_that_moved() -> None:
    network, images, ball, gain = smooth_network(0), pictures(12), Ball("l2", 4.0), 1.5
    x, generator = images.float() / 255, seeded(0)
    labels = network(x).argmax(dim=1)
    v, moved, left = torch.zeros(3, SIDE, SIDE), [], 12
    for _pass in range(2):
        for batch in torch.randperm(12, generator=generator).split(4):
            now = network((x[batch] + v).clamp(0, 1)).argmax(dim=1)
            still = batch[now == labels[batch]]
            if len(still):
                found = cross_boundary(lambda points: network(points.clamp(0, 1)), x[still] + v, 10, 0.02, 10)
                moved.append(int(found.crossed.sum()))
                v = ball.project(v + gain * found.steps[found.crossed].mean(dim=0))
            left = len(still)
    assert any(0 < count < 4 for count in moved), "a batch of which some images are fooled already"
    assert left < 4
    method = DeepFoolUAP(batch_size=4, gain=gain, passes=2, delta=0.0)
    *_, last = method.craft(network, images, ball, seeded(0))
    torch.testing.assert_close(last.perturbation, v, rtol=1e-4, atol=1e-6)
