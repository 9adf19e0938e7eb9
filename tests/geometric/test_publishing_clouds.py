"""Making what ships of clouds: a stopped run goes on, another seed begins anew with clouds of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from uap_core.geometric.clouds.measured import UniversalRow
from uap_core.geometric.clouds.pointnet import PointNet
from uap_core.geometric.clouds.universal import FIELD
from uap_core.io.results import read_table
from uap_core.precompute import clouds as publishing


def test_another_seed_begins_anew_and_shares_no_clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    seen: dict[int, list[Tensor]] = {0: [], 1: []}

    def trained(seed: int) -> PointNet:
        done.append(f"network {seed}")
        return PointNet().eval().requires_grad_(False)

    def crafted(net: PointNet, clouds: Tensor, kind: str, size: float, seed: int) -> Tensor:
        done.append(f"{kind} {seed}")
        seen[seed].append(clouds)
        return torch.zeros(125, 3)

    for name, value in {
        "CRAFTED": 12,
        "HELD_OUT": 12,
        "SINGLE": 1,
        "SIZES": {FIELD: (0.08,)},
        "single_rows": lambda *_: (),
    }.items():
        monkeypatch.setattr(publishing, name, value)
    monkeypatch.setattr(publishing, "train_pointnet", trained)
    monkeypatch.setattr(publishing, "universal_change", crafted)
    measured, row = [], publishing.universal_row
    monkeypatch.setattr(
        publishing, "universal_row", lambda net, clouds, *rest: (measured.append(clouds), row(net, clouds, *rest))[1]
    )
    for seed in (0, 0, 1):
        list(publishing.publish_clouds(tmp_path, seed))
        assert read_table(tmp_path / publishing.UNIVERSAL_TABLE, UniversalRow).provenance["seed"] == seed
    assert done == ["network 0", f"{FIELD} 0", "network 1", f"{FIELD} 1"]
    assert not torch.equal(seen[1][0], measured[0])
