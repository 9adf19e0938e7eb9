from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from uap_core.norms import Ball, on_grid
from uap_core.perturbations.library import read_levels, read_library, verdict
from uap_core.perturbations.perturbation import Perturbation, save_perturbation

LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 1.0)


def save(folder: Path, file: str, side: int, ball: Ball, **provenance: str) -> torch.Tensor:
    v = on_grid(ball.fill(torch.randn(3, side, side, generator=torch.Generator().manual_seed(side))), ball)
    save_perturbation(Perturbation(file.upper(), v, ball, provenance), folder / f"{file}.safetensors")
    return v


def test_entries_come_small_first_then_one_network_then_l_inf(tmp_path: Path) -> None:
    save(tmp_path, "large", 8, LINF, network="a")
    save(tmp_path, "both", 4, LINF, network="a, b")
    save(tmp_path, "aimed", 4, LINF, network="a", target="lion")
    save(tmp_path, "a-l2", 4, L2, network="a")
    save(tmp_path, "a-linf", 4, LINF, network="a")
    assert [entry.path.stem for entry in read_library(tmp_path)] == ["a-linf", "a-l2", "aimed", "both", "large"]
    both = read_library(tmp_path)[3]
    assert (both.networks, both.ball, both.side, both.name, both.key) == (("a", "b"), LINF, 4, "BOTH", "both.safetensors")


def test_a_file_that_is_something_else_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, "good", 4, LINF)
    header = {"p": "linf", "radius": "0.1"}
    save_file({"pattern": torch.zeros(3, 4, 4)}, tmp_path / "list.safetensors", header | {"provenance": "[1]"})
    save_file({"pattern": torch.tensor(0.0)}, tmp_path / "number.safetensors", header)
    assert [entry.path.stem for entry in read_library(tmp_path)] == ["good"]


@pytest.mark.parametrize("whole", [True, False])
def test_levels_are_the_pattern(whole: bool, tmp_path: Path) -> None:
    v = save(tmp_path, "v", 4, LINF)
    if not whole:
        v = v * 0.93
        save_perturbation(Perturbation("v", v, LINF, {}), tmp_path / "v.safetensors")
    np.testing.assert_allclose(read_levels(tmp_path / "v.safetensors"), v.permute(1, 2, 0).numpy() * 255, rtol=1e-5)


def test_verdicts() -> None:
    one = {"network": "a", "held_out": {"set": "9 images", "fooling_rate": 0.5, "target_rate": 0.25}}
    assert verdict(one) == "fools 50.0% of 9 images"
    assert verdict(one | {"target": "lion"}) == "turns 25.0% into 'lion', of those among 9 images that were something else"
    several = {"network": "a, b", "held_out": {"set": "9 images", "a": {"fooling_rate": 0.5}, "b": {"fooling_rate": 0.75}}}
    assert verdict(several) == "fools 50.0% / 75.0% of 9 images"
    assert verdict({}) == verdict({"network": "a"}) == ""
