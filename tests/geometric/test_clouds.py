"""Clouds: what the network does not see, budgets, and what ships."""

from __future__ import annotations

import pytest
import torch

from uap_core.errors import SettingError
from uap_core.geometric.clouds.distances import CHAMFER, HAUSDORFF, L2, distance
from uap_core.geometric.clouds.measured import UniversalRow
from uap_core.geometric.clouds.outliers import outliers
from uap_core.geometric.clouds.single import KINDS, attack_clouds
from uap_core.geometric.clouds.solids import CLASSES, clouds
from uap_core.geometric.clouds.stored import stored_changes, stored_net
from uap_core.geometric.clouds.universal import ADDED, FIELD, applied
from uap_core.io.paths import GEOMETRIC
from uap_core.io.results import read_table

GIVEN, KINDS_OF = clouds(120, 77)


def test_clouds_are_of_radius_one_and_the_same_for_a_seed() -> None:
    assert GIVEN.norm(dim=2).amax(1) == pytest.approx(1.0, abs=1e-5)
    assert GIVEN.mean(1) == pytest.approx(torch.zeros(120, 3), abs=1e-5)
    assert torch.equal(clouds(5, 78)[0], clouds(5, 78)[0])
    assert not torch.equal(clouds(5, 78)[0], clouds(5, 79)[0])
    assert len(CLASSES) >= 8


def test_the_network_is_right_and_sees_no_order() -> None:
    logits = stored_net()(GIVEN)
    assert (logits.argmax(1) == KINDS_OF).float().mean() > 0.9
    order = torch.randperm(GIVEN.shape[1], generator=torch.Generator().manual_seed(0))
    assert torch.allclose(stored_net()(GIVEN[:, order]), logits, atol=1e-5)
    assert read_table(GEOMETRIC / "cloud-universal.json", UniversalRow).provenance["accuracy"] >= 0.95


def test_only_critical_points_are_heard() -> None:
    net, cloud = stored_net(), GIVEN[0]
    heard = net.critical(cloud)
    assert 0 < heard.sum() < len(cloud)
    assert torch.allclose(net(cloud[heard][None]), net(cloud[None]), atol=1e-5)


def test_distances_of_known_clouds() -> None:
    cloud = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]])
    changed = torch.tensor([[[0.0, 0, 0.1], [1, 0.2, 0]]])
    assert float(distance(L2, changed, cloud)) == pytest.approx(0.05)
    assert float(distance(CHAMFER, changed, cloud)) == pytest.approx(0.025)
    assert float(distance(HAUSDORFF, changed, cloud)) == pytest.approx(0.04)


@pytest.mark.parametrize("kind", KINDS)
def test_changes_for_one_cloud_fool_and_keep_what_they_may_not_touch(kind: str) -> None:
    net, some = stored_net(), GIVEN[:4]
    measure = KINDS[kind][0]
    found = attack_clouds(net, some, kind, measure, 24, 0)
    assert found.fooled.sum() >= 3
    changed = net(found.clouds).argmax(1) != net(some).argmax(1)
    assert torch.equal(changed, found.fooled)
    assert found.clouds.shape[1] <= 256 + 24
    if found.added:
        assert torch.equal(found.clouds[:, :256], some)
    theirs = distance(measure, found.clouds[:, -found.added :] if found.added else found.clouds, some)
    assert found.distance[found.fooled] == pytest.approx(theirs[found.fooled], rel=1e-5), "the distance is the measure's alone"


def test_a_measure_that_a_kind_has_not_is_refused() -> None:
    with pytest.raises(SettingError, match="chamfer"):
        attack_clouds(stored_net(), GIVEN[:1], "added", L2, 8, 0)


def test_shipped_changes_keep_to_their_size_and_fool_as_their_table_says() -> None:
    net, rows = stored_net(), read_table(GEOMETRIC / "cloud-universal.json", UniversalRow).rows
    for (kind, size), universal in stored_changes().items():
        (row,) = [row for row in rows if (row.kind, row.size) == (kind, size)]
        after = applied(kind, universal, GIVEN, size)
        if kind == FIELD:
            assert (after - GIVEN).norm(dim=2).max() <= size + 1e-5
        else:
            assert universal.shape == (int(size), 3)
            assert universal.norm(dim=1).max() <= 1 + 1e-5
        rate = float((net(after).argmax(1) != net(GIVEN).argmax(1)).float().mean())
        assert rate == pytest.approx(row.fooled.value, abs=0.16)


@pytest.mark.parametrize("kind", [FIELD, ADDED])
def test_a_universal_change_fools_where_random_ones_do_not(kind: str) -> None:
    rows = [row for row in read_table(GEOMETRIC / "cloud-universal.json", UniversalRow).rows if row.kind == kind]
    assert any(row.fooled.value >= 0.6 and row.random.value <= 0.1 for row in rows)


def test_outliers_are_points_far_from_the_rest() -> None:
    cloud = torch.cat([GIVEN[0], torch.tensor([[1.5, 1.5, 1.5]])])
    assert outliers(cloud)[-1]
    assert outliers(cloud).sum() < 30
