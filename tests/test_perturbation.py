from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from traps import Trap, assert_damage_is_said

import uap_core
from uap_core.errors import PerturbationError, SettingError
from uap_core.norms import L2, LINF, Ball, on_grid
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, save_perturbation

SIZE = 6


def made(p: str = LINF, radius: float = 10 / 255, seed: int = 0, **provenance: object) -> Perturbation:
    ball = Ball(p, radius)
    pattern = ball.project(torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)))
    return Perturbation("mine", pattern, ball, provenance)


@pytest.mark.parametrize("ball", [Ball(LINF, 10 / 255), Ball(L2, 2000 / 255), Ball(LINF, 0.0)], ids=str)
def test_safetensors_round_trip_is_exact(ball: Ball, tmp_path: Path) -> None:
    origin = {"network": "resnet64", "draw": 3, "images": {"set": "dreams", "count": 512}, "ünïcode": [1, 2.5, None]}
    saved = made(ball.p, ball.radius, **origin)
    path = tmp_path / "new folder" / "v.safetensors"
    save_perturbation(saved, path)
    loaded = load_perturbation(path)
    assert torch.equal(loaded.pattern, saved.pattern)
    assert (loaded.name, loaded.ball, loaded.provenance) == ("mine", ball, origin)
    assert [file.name for file in path.parent.iterdir()] == ["v.safetensors"]


@pytest.mark.parametrize("ball", [Ball(LINF, 10 / 255), Ball(L2, 0.5)], ids=str)
def test_whole_levels_are_written_as_the_integers_that_they_are(ball: Ball, tmp_path: Path) -> None:
    drawn = ball.fill(torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)))
    whole = Perturbation("whole", on_grid(drawn, ball), ball)
    sizes = {}
    for name, perturbation in {"whole": whole, "not": Perturbation("not", drawn * 0.97, ball)}.items():
        save_perturbation(perturbation, tmp_path / f"{name}.safetensors")
        assert torch.equal(load_perturbation(tmp_path / f"{name}.safetensors").pattern, perturbation.pattern)
        sizes[name] = load_file(tmp_path / f"{name}.safetensors")["pattern"].dtype
    assert sizes == {"whole": torch.int8, "not": torch.float32}


def test_levels_beyond_eight_bits_are_kept(tmp_path: Path) -> None:
    pattern = torch.zeros(3, SIZE, SIZE)
    pattern[0, 0, 0] = 200 / 255
    save_perturbation(Perturbation("tall", pattern, Ball(L2, 1.0)), tmp_path / "v.safetensors")
    assert torch.equal(load_perturbation(tmp_path / "v.safetensors").pattern, pattern)


def test_npy_round_trip_is_exact(tmp_path: Path) -> None:
    saved = made()
    save_perturbation(saved, tmp_path / "v.npy")
    loaded = load_perturbation(str(tmp_path / "v.npy"))
    assert torch.equal(loaded.pattern, saved.pattern)
    assert loaded.ball == Ball(LINF, 10 / 255)
    assert (loaded.name, loaded.provenance["file"]) == ("v", "v.npy")


def test_npy_of_doubles_becomes_float32(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.full((3, 2, 2), 0.1))
    assert load_perturbation(tmp_path / "v.npy").pattern.dtype == torch.float32


@pytest.mark.parametrize("ending", ["txt", "png", ""])
def test_other_endings_are_refused(ending: str, tmp_path: Path) -> None:
    path = (tmp_path / "v").with_suffix(f".{ending}" if ending else "")
    with pytest.raises(PerturbationError, match="saved as"):
        save_perturbation(made(), path)
    path.write_bytes(b"x")
    with pytest.raises(PerturbationError, match="ends in"):
        load_perturbation(path)


def test_an_absent_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(PerturbationError, match=r"no perturbation file at 'v\.npy'") as caught:
        load_perturbation(tmp_path / "v.npy")
    assert str(tmp_path) not in str(caught.value)


def test_pickled_npy_is_refused_and_never_executed(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "executed")
    np.save(tmp_path / "objects.npy", np.array([trap], dtype=object), allow_pickle=True)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(trap))
    np.savez(tmp_path / "many", np.array([trap], dtype=object))
    (tmp_path / "many.npz").rename(tmp_path / "many.npy")
    torch.save(trap, tmp_path / "weights.npy")
    for name in ("objects", "bare", "many", "weights"):
        with pytest.raises(PerturbationError):
            load_perturbation(tmp_path / f"{name}.npy")
        assert not trap.sprung, name
    with pytest.raises(PerturbationError, match="could run code"):
        load_perturbation(tmp_path / "objects.npy")
    np.load(tmp_path / "objects.npy", allow_pickle=True)
    assert trap.sprung  # the trap works, so its silence above means something


def test_an_npy_that_claims_to_be_huge(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4000000, 4000000), }"
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48))
    with pytest.raises(PerturbationError, match="far larger than any perturbation"):
        load_perturbation(tmp_path / "v.npy")


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4), keep=st.floats(0, 1))
@pytest.mark.parametrize("ending", ["npy", "safetensors"])
def test_damaged_files_give_our_own_error(
    ending: str, changes: list[tuple[float, int]], keep: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged.{ending}"
    save_perturbation(made(), path)
    assert_damage_is_said(path, changes, keep, reach=250)  # the header, mostly


def test_safetensors_must_keep_the_ball_it_states(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    header = {"p": LINF, "radius": str(10 / 255)}
    save_file({"pattern": torch.full((3, SIZE, SIZE), 12 / 255)}, path, metadata=header)
    with pytest.raises(PerturbationError, match="larger than the l_inf 10/255"):
        load_perturbation(path)
    save_file({"pattern": torch.full((3, SIZE, SIZE), 10 / 255)}, path, metadata=header)
    assert load_perturbation(path).provenance == {}


@pytest.mark.parametrize("header", [{"p": "l7", "radius": "1"}, {"p": LINF, "radius": "wide"}])
def test_safetensors_without_its_ball(header: dict[str, str], tmp_path: Path) -> None:
    save_file({"pattern": torch.zeros(3, SIZE, SIZE)}, tmp_path / "v.safetensors", metadata=header)
    with pytest.raises(PerturbationError, match="no perturbation that was saved"):
        load_perturbation(tmp_path / "v.safetensors")


def test_a_pattern_without_pixels_or_with_nan_cannot_be_made() -> None:
    for pattern in (torch.zeros(3, 0, 0), torch.zeros(6, 6), torch.full((3, 2, 2), torch.nan)):
        with pytest.raises(PerturbationError):
            Perturbation("v", pattern, Ball(LINF, 0.1))


def test_a_pattern_larger_than_its_ball_cannot_be_made() -> None:
    """One in levels, say, which would hide every picture."""
    for p, radius, value in ((LINF, 10 / 255, 10.0), (LINF, 0.1, 0.11), (L2, 1.0, 0.1)):
        with pytest.raises(PerturbationError, match="larger than the l"):
            Perturbation("v", torch.full((3, SIZE, SIZE), value), Ball(p, radius))


@pytest.mark.parametrize("value", [10.0, torch.nan, -torch.inf])
def test_apply_refuses_patterns_in_levels_and_what_is_no_number(value: float) -> None:
    pattern = torch.zeros(3, 4, 4)
    pattern[1, 2, 3] = value
    with pytest.raises(PerturbationError, match=r"in units of \[0,1\] pixels"):
        uap_core.apply(torch.rand(2, 3, 4, 4), pattern)


def test_scaling_beyond_what_a_picture_can_hold_is_refused() -> None:
    with pytest.raises(SettingError, match=r"Did you mean 2000/255\?"):
        made(L2).scaled_to(2000)


def test_apply_at_epsilon_zero_changes_no_bit() -> None:
    images = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    images[0] = 0
    images[1] = 1
    assert torch.equal(made().scaled_to(0).apply(images), images)
    assert torch.equal(made(radius=0.0).apply(images), images)


def test_apply_clamps_the_picture_but_not_the_pattern() -> None:
    v = Perturbation("v", torch.full((3, SIZE, SIZE), 0.1), Ball(LINF, 0.1))
    images = torch.stack([torch.full((3, SIZE, SIZE), value) for value in (0.0, 0.5, 0.95)])
    assert torch.allclose(v.apply(images)[:, 0, 0, 0], torch.tensor([0.1, 0.6, 1.0]))
    assert (v.pattern == 0.1).all()


@pytest.mark.parametrize("shape", [(1, 3, 7, 6), (2, 3, 12, 12), (1, 1, 6, 6)])
def test_apply_never_resizes_or_broadcasts(shape: tuple[int, ...]) -> None:
    with pytest.raises((PerturbationError, SettingError)):
        made().apply(torch.zeros(shape))


def test_apply_says_both_sizes() -> None:
    with pytest.raises(PerturbationError, match="made for 6 x 6 pixels, the network takes 9 x 7"):
        made().apply(torch.zeros(1, 3, 7, 9))


@settings(max_examples=40, deadline=None)
@given(p=st.sampled_from([LINF, L2]), radius=st.floats(1e-3, 1), other=st.floats(0, 1), seed=st.integers(0, 99))
def test_scaled_to(p: str, radius: float, other: float, seed: int) -> None:
    v = made(p, radius, seed, network="resnet64")
    scaled = v.scaled_to(other)
    assert scaled.ball == Ball(p, other)
    assert scaled.provenance == v.provenance
    assert torch.allclose(scaled.pattern * radius, v.pattern * other, atol=1e-7)
    size = scaled.norms.linf if p == LINF else scaled.norms.l2
    assert size <= other * (1 + 1e-5)


def test_published_patterns_need_no_pickle(shared: Path) -> None:
    """The authors' own arrays, transposed to (3,H,W) and divided by 255, are perturbations of the l_inf ball 10/255."""
    from scipy.io import loadmat

    for path in sorted((shared / "perturbations").glob("*.mat")):
        pattern = torch.from_numpy(loadmat(path)["r"].astype(np.float32)).permute(2, 0, 1) / 255
        assert Perturbation(path.stem, pattern, Ball(LINF, 10 / 255)).norms.linf == pytest.approx(10 / 255, rel=1e-3)


@pytest.mark.parametrize(
    "images",
    [
        torch.full((1, 3, 4, 4), 200.0),
        torch.full((1, 3, 4, 4), -0.5),
        torch.full((1, 3, 4, 4), float("nan")),
        torch.full((1, 3, 4, 4), 200, dtype=torch.uint8),
    ],
    ids=["0 to 255", "normalised", "not a number", "bytes"],
)
def test_apply_refuses_pixels_out_of_contract(images: torch.Tensor) -> None:
    pattern = Perturbation("grey", torch.full((3, 4, 4), 0.1), Ball(LINF, 0.1))
    with pytest.raises(SettingError, match=r"(?i)pixels (lie|are)"):
        pattern.apply(images)
    assert pattern.apply(torch.full((1, 3, 4, 4), 1.000001)).max() == 1
