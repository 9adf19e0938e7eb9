"""What the network feels, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from toys import seeded

from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.experiments.class_map import class_maps, map_rows
from uap_core.experiments.feature_channels import channel_rows
from uap_core.experiments.feature_passes import Felt, Passes, passes
from uap_core.experiments.feature_plane import alike, plane_rows, principal_plane, spread
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

SIDE = 8


def classifier_of(network: nn.Module) -> Classifier:
    card = Card("toy", "Toy", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(network, card, ("dark", "bright"))


class Switch(nn.Module):
    """Channel 0 is the mean brightness, 1 opens for values above a half, 2 never; "bright" is what channel 1 says."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 3, 1), nn.ReLU()
        self.pool, self.flat, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, 8.0, -1.0])[:, None].expand(3, 3)[..., None, None] / 3)
            self.conv.bias.copy_(torch.tensor([0.0, -4.0, 0.0]))
            self.head.weight.copy_(torch.tensor([[0.5, -1.0, 0.25], [0.5, 2.0, 0.0]]))
            self.head.bias.copy_(torch.tensor([0.3, -0.2]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.flat(self.pool(self.relu(self.conv(x)))))


def greys(*levels: float) -> ImageSet:
    pixels = torch.stack([torch.full((3, SIDE, SIDE), round(255 * level), dtype=torch.uint8) for level in levels])
    names = tuple(f"grey-{level:g}" for level in levels)
    return ImageSet("greys", pixels, ("",) * len(names), names)


def brighter(by: float) -> Perturbation:
    return Perturbation("brighter", torch.full((3, SIDE, SIDE), by), Ball("linf", by))


def test_the_plane_is_that_of_the_singular_vectors() -> None:
    cloud = torch.randn(40, 7, generator=seeded(0)) @ torch.diag(torch.tensor([5.0, 3, 1, 0.5, 0.2, 0.1, 0.05])) + 4
    plane = principal_plane(cloud)
    centred = cloud.numpy().astype(np.float64) - cloud.numpy().mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert plane.share == pytest.approx(float((values[:2] ** 2).sum() / (values**2).sum()), rel=1e-4)
    found = plane.coordinates(cloud).numpy()
    for axis in (0, 1):
        expected = centred @ axes[axis]
        sign = np.sign(expected @ found[:, axis])
        np.testing.assert_allclose(found[:, axis], sign * expected, atol=2e-4)
        assert plane.axes[axis].abs().argmax() == plane.axes[axis].argmax(), "its largest entry is positive"


def test_a_cloud_that_is_one_point_has_no_plane() -> None:
    with pytest.raises(SettingError, match="all the same"):
        principal_plane(torch.ones(5, 4))


def test_alike_is_the_mean_cosine_with_the_others() -> None:
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    half = 0.5**0.5
    torch.testing.assert_close(alike(features), torch.tensor([half / 2, half / 2, half]))
    assert spread([(0, 0), (2, 0), (0, 2), (2, 2)]) == pytest.approx(2**0.5)


def test_rows_tell_where_each_photograph_ends() -> None:
    clean = torch.tensor([[4.0, 0, 0], [-4.0, 0, 0], [0, 2.0, 0], [0, -2.0, 0]])
    under = torch.tensor([[1.0, 0, 5.0]] * 4)
    felt = [
        Felt(cloud, None, torch.tensor(labels)) for cloud, labels in ((clean, [0, 0, 1, 1]), (under, [1] * 4), (clean, [0] * 4))
    ]
    rows = plane_rows(Passes(*felt), ("dark", "bright"))
    assert [(row.label, row.becomes) for row in rows] == [("dark", "bright")] * 2 + [("bright", "bright")] * 2
    assert [(row.x, row.y) for row in rows] == [(4, 0), (-4, 0), (0, 2), (0, -2)]
    assert {(row.to_x, row.to_y) for row in rows} == {(1, 0)}
    assert all((row.noise_x, row.noise_y) == (row.x, row.y) for row in rows)
    assert {row.alike_after for row in rows} == {1.0}
    assert rows[0].alike == pytest.approx(-1 / 3, abs=1e-4)
    assert rows[0].share == 1.0


def test_the_channel_with_the_switch_rises_most_and_bright_pictures_excite_it() -> None:
    network, images = classifier_of(Switch()), greys(0.2, 0.3, 0.4)
    *_, felt = passes(network, brighter(0.25), images, seeded(0), batch_size=2)
    first, second = channel_rows(network, felt, greys(0.1, 0.9, 0.6, 0.7), channels=2, pictures=2)
    assert (first.channel, second.channel) == (1, 0)
    assert first.clean == 0, "nothing is above a half"
    assert first.pattern == pytest.approx((0.4 + 1.2) / 3, abs=0.02)  # 8 (x - 1/2) of 0.55 and 0.65
    assert first.share == pytest.approx(2 / 3, abs=1e-3)
    assert first.pictures == ["grey-0.9", "grey-0.7"]
    assert second.rise == pytest.approx(0.25, abs=1e-3)
    assert len(felt.clean.labels) == 3


def test_a_class_map_adds_up_to_the_logit_less_the_bias() -> None:
    network, images = classifier_of(Switch()), torch.rand(3, 3, SIDE, SIDE, generator=seeded(1))
    for label in (0, 1):
        maps, logits, kind = class_maps(network, images, torch.tensor([label] * 3))
        assert kind == "exact"
        torch.testing.assert_close(maps.sum(dim=(1, 2)), logits[:, label] - network.network.head.bias[label])
        by_hand = torch.relu(network.network.conv(images))[:, 1] * (-1.0, 2.0)[label] / SIDE**2
        by_hand = by_hand + torch.relu(network.network.conv(images))[:, 0] * 0.5 / SIDE**2
        torch.testing.assert_close(maps, by_hand)


def test_without_means_the_map_is_weighted_by_gradients() -> None:
    conv, head = nn.Conv2d(3, 2, 1), nn.Linear(2 * SIDE * SIDE, 2)
    network = classifier_of(nn.Sequential(conv, nn.ReLU(), nn.Flatten(), head))
    images = torch.rand(2, 3, SIDE, SIDE, generator=seeded(2))
    with torch.inference_mode():
        maps, _, kind = class_maps(network, images, torch.tensor([1, 1]))
    weights = head.weight[1].view(2, -1).mean(dim=1)
    by_hand = (weights[:, None, None] * torch.relu(conv(images))).sum(dim=1).relu()
    assert kind == "gradient"
    torch.testing.assert_close(maps, by_hand)


def test_maps_are_those_of_the_picture_that_a_file_holds() -> None:
    """What other tabs show: rounding a change away leaves the answer as it is."""
    network, image = classifier_of(Switch()), greys(128 / 255).images()
    before, after = map_rows(network, image, brighter(0.4 / 255))
    assert (after.label, after.probability) == (before.label, before.probability)


def test_maps_before_and_after_say_what_the_network_says() -> None:
    network = classifier_of(Switch())
    before, after = map_rows(network, greys(0.4).images(), brighter(0.3))
    assert (before.of, before.label, after.of, after.label) == ("clean", "dark", "pattern", "bright")
    assert (before.height, len(before.values)) == (SIDE, SIDE * SIDE)


class NoMaps(nn.Module):
    """Ends with a layer of weights, and has no maps."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.mean(dim=(2, 3)))


def test_a_network_without_maps_has_features_and_says_what_it_lacks() -> None:
    network, images = classifier_of(NoMaps()), greys(0.1, 0.5, 0.8)
    *_, felt = passes(network, brighter(0.1), images, seeded(0))
    assert felt.clean.features.shape == (3, 3)
    with pytest.raises(SettingError, match="no channels can be told apart"):
        channel_rows(network, felt, images)
    with pytest.raises(SettingError, match="a class has no map"):
        class_maps(network, images.images())
