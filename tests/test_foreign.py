"""Everybody's perturbations: one pattern written in every way that people write it."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from scipy.io import savemat
from traps import Trap, assert_damage_is_said

from uap_core.errors import PerturbationError
from uap_core.norms import L2, LINF, Ball
from uap_core.perturbations.importers import BYTES, UNIT, Reading, detect, read_arrays, understood
from uap_core.perturbations.perturbation import from_arrays, load_perturbation

ROOT = Path(__file__).resolve().parent.parent
HEIGHT, WIDTH = 6, 8
SIGNS = np.random.default_rng(0).choice([-10, 10], (3, HEIGHT, WIDTH)).astype(np.float32)
PATTERN = SIGNS / 255
Write = Callable[[Path, np.ndarray], None]
WRITERS: dict[str, Write] = {
    "npy": lambda path, v: np.save(path, v),
    "npz": lambda path, v: np.savez_compressed(path, v=v, note=np.array("ours")),
    "safetensors": lambda path, v: save_file({"v": torch.from_numpy(np.ascontiguousarray(v))}, path),
    "pth": lambda path, v: torch.save(torch.from_numpy(v.copy()), path),
    "pt": lambda path, v: torch.save({"delta": torch.from_numpy(v.copy()), "epoch": 3}, path),
    "mat": lambda path, v: savemat(path, {"r": v, "name": "ours"}),
}
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as ours": lambda v: v,
    "channels last": lambda v: v.transpose(1, 2, 0),
    "a batch of one": lambda v: v[None],
    "a batch of one, channels last": lambda v: v.transpose(1, 2, 0)[None],
    "0 to 255": lambda v: v * 255,
    "0 to 255, doubles": lambda v: v.astype(np.float64) * 255,
    "0 to 255, integers": lambda v: np.rint(v * 255).astype(np.int16),
    "0 to 255, 8 bits, channels last": lambda v: np.rint(v * 255).astype(np.int8).transpose(1, 2, 0),
    "16-bit floats": lambda v: (v * 255).astype(np.float16),
    "columns first in memory": np.asfortranarray,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ending", WRITERS)
def test_every_way_of_writing_one_pattern_is_read_as_that_pattern(ending: str, change: str, tmp_path: Path) -> None:
    path = tmp_path / f"mine.{ending}"
    WRITERS[ending](path, CHANGES[change](PATTERN))
    loaded = load_perturbation(path)
    torch.testing.assert_close(loaded.pattern, torch.from_numpy(PATTERN), rtol=1e-6, atol=1e-7)
    assert (loaded.name, loaded.ball) == ("mine", Ball(LINF, 10 / 255))
    assert loaded.provenance["file"] == f"mine.{ending}"
    assert "red first" in loaded.provenance["read_as"]


def test_what_cannot_be_told_can_be_said(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", PATTERN.transpose(0, 2, 1)[::-1])
    arrays = read_arrays(tmp_path / "v.npy")
    found = detect(arrays)
    assert found == Reading("v", "first", UNIT, LINF)
    assert not np.allclose(understood(arrays, found), PATTERN.transpose(0, 2, 1))
    said = Reading("v", "first", UNIT, LINF, transposed=True, bgr=True)
    assert np.array_equal(understood(arrays, said), PATTERN)
    assert str(said) == "channels, columns, rows; blue first; added to pixels from 0 to 1; bounded in linf"


def test_the_norm_is_told_from_how_the_box_is_filled(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    drawn = random.normal(size=(3, 64, 64))
    for name, values, expected in (
        ("l2", drawn / np.linalg.norm(drawn) * 4, L2),
        ("clipped", np.clip(drawn, -1, 1) * 8 / 255, LINF),
        ("uniform", random.uniform(-8, 8, (3, 64, 64)) / 255, LINF),
    ):
        np.save(tmp_path / f"{name}.npy", values)
        loaded = load_perturbation(tmp_path / f"{name}.npy")
        assert loaded.ball.p == expected, name
        assert loaded.ball.radius == pytest.approx(loaded.norms.l2 if expected == L2 else loaded.norms.linf, abs=1e-5)


def test_one_array_of_several(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", labels=np.arange(4), first=PATTERN, second=-PATTERN)
    arrays = read_arrays(tmp_path / "many.npz")
    assert list(arrays) == ["first", "second"]
    assert np.array_equal(understood(arrays, detect(arrays, "second")), -PATTERN)
    with pytest.raises(PerturbationError, match=r"no array 'third' in this file\. It holds: first, second\."):
        detect(arrays, "third")


PICTURE = np.random.default_rng(2).integers(0, 256, (3, HEIGHT, WIDTH), dtype=np.uint8)
MANY: dict[str, dict[str, np.ndarray]] = {
    "bytes": {"clean": PICTURE, "adv": PICTURE[::-1], "uap": PATTERN},
    "floats": {"adv": PICTURE / 255, "uap": PATTERN, "labels": np.arange(9)},
    "channels last": {"x": PICTURE.transpose(1, 2, 0), "delta": PATTERN},
}


@pytest.mark.parametrize("kind", MANY)
def test_a_picture_beside_the_pattern_is_not_taken_for_it(kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", **MANY[kind])
    assert np.array_equal(load_perturbation(tmp_path / "many.npz").pattern.numpy(), PATTERN)


def test_two_patterns_are_named_and_not_chosen_between(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", first=PATTERN, second=-255 * PATTERN)
    with pytest.raises(PerturbationError, match=r"'first' \(3, 6, 8\) float32 -0.03922..0.03922; 'second' .* -10..10"):
        load_perturbation(tmp_path / "many.npz")


SHIFTED: dict[str, np.ndarray] = {
    "around 128": (SIGNS + 128).astype(np.uint8),
    "around 127, floats": SIGNS + 127,
    "around a half": (SIGNS / 255 + 0.5).astype(np.float64),
    "wrapped": SIGNS.astype(np.int8).view(np.uint8),
    "wrapped, 16 bits": SIGNS.astype(np.int16).view(np.uint16),
}


@pytest.mark.parametrize("kind", SHIFTED)
def test_a_pattern_without_negative_numbers_is_read_rightly(kind: str, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", SHIFTED[kind])
    torch.testing.assert_close(load_perturbation(tmp_path / "v.npy").pattern, torch.from_numpy(PATTERN), rtol=0, atol=3e-3)


DOUBTFUL: dict[str, tuple[np.ndarray, str]] = {
    "a photograph": (PICTURE, r"Nothing in this array is negative \(\(3, 6, 8\) uint8 "),
    "a photograph in floats": (PICTURE / 255, "looks like a picture"),
    "a normalised photograph": ((PICTURE / 255 - 0.45) / 0.225, "may be a normalised picture"),
    "signs": (np.sign(SIGNS), "holds signs alone"),
    "for the pixels of a network": (
        SIGNS / 255 / np.array((0.229, 0.224, 0.225)).reshape(3, 1, 1),
        "normalised as for ImageNet",
    ),
    "made stronger to be seen": ((SIGNS * 10 + 128).astype(np.uint8), "shifted for viewing"),
    "truth values": (SIGNS > 0, "no array of real numbers, but bool"),
}


@pytest.mark.parametrize("ending", ["npy", "npz", "pth"])
@pytest.mark.parametrize("kind", DOUBTFUL)
def test_numbers_that_are_hardly_a_patterns_are_refused(kind: str, ending: str, tmp_path: Path) -> None:
    array, sentence = DOUBTFUL[kind]
    WRITERS[ending](tmp_path / f"v.{ending}", array)
    with pytest.raises(PerturbationError, match=sentence):
        load_perturbation(tmp_path / f"v.{ending}")


@pytest.mark.parametrize("wrap", [lambda v: {"state": {"uap": v}, "epoch": 3}, lambda v: [{"best": [1, v]}], lambda v: (v, 5)])
def test_a_tensor_lies_deeper_in_a_checkpoint(wrap: Callable[[torch.Tensor], Any], tmp_path: Path) -> None:
    torch.save(wrap(torch.from_numpy(PATTERN)), tmp_path / "v.pth")
    assert np.array_equal(load_perturbation(tmp_path / "v.pth").pattern.numpy(), PATTERN)


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        (Reading("v", "last", BYTES, LINF), r"The last axis of this array does not have the three channels: \(3, 6, 8\)"),
        (Reading("v", "first", UNIT, LINF), "go up to 10: they cannot be meant for pixels from 0 to 1"),
    ],
)
def test_a_reading_that_cannot_be(reading: Reading, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(PerturbationError, match=sentence):
        from_arrays({"v": SIGNS}, reading, tmp_path / "v.npy")


WRONG: dict[str, tuple[Any, str]] = {
    "two channels": (np.zeros((2, 6, 6)), r"other shapes: \(2, 6, 6\)"),
    "a batch of two": (np.zeros((2, 3, 6, 6)), "other shapes"),
    "a line": (np.zeros(9), "other shapes"),
    "empty": (np.zeros((3, 0, 0)), "other shapes"),
    "not a number": (np.full((3, 6, 6), np.nan), "not numbers"),
    "infinite": (np.full((3, 6, 6), np.inf), "not numbers"),
    "huge": (np.full((3, 6, 6), 256.0), "go up to 256: they cannot be meant for pixels from 0 to 255"),
    "complex": (np.zeros((3, 6, 6), np.complex64), "no array of real numbers, but complex64"),
}


@pytest.mark.parametrize("ending", ["npy", "npz", "pth", "mat", "safetensors"])
@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_pattern_gets_a_sentence(kind: str, ending: str, tmp_path: Path) -> None:
    array, sentence = WRONG[kind]
    WRITERS[ending](tmp_path / f"v.{ending}", array)
    with pytest.raises(PerturbationError, match=sentence):
        load_perturbation(tmp_path / f"v.{ending}")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = Trap(tmp_path / "executed")
    np.savez(tmp_path / "a.npz", v=np.array([trap], dtype=object))
    torch.save(trap, tmp_path / "b.pth")
    torch.save({"v": torch.zeros(3, 6, 6), "extra": trap}, tmp_path / "c.pt")
    (tmp_path / "d.pth").write_bytes(pickle.dumps(trap))
    for name in ("a.npz", "b.pth", "c.pt", "d.pth"):
        with pytest.raises(PerturbationError, match="could run code"):
            load_perturbation(tmp_path / name)
        assert not trap.sprung, name


def peak_megabytes(paths: list[Path]) -> float:
    """What opening ``paths`` takes at most, in a process of its own; each must be refused with a sentence of ours."""
    code = (
        "import resource, sys, torch, scipy.io\n"
        "from uap_core.perturbations.perturbation import load_perturbation\nfrom uap_core.errors import PerturbationError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try: load_perturbation(path)\n"
        "    except PerturbationError as error: print(error, file=sys.stderr)\n"
        "    else: sys.exit(f'{path} was opened')\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)"
    )
    command = [sys.executable, "-c", code, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    said = [line for line in run.stderr.splitlines() if "larger than any perturbation" in line or "damaged" in line]
    assert len(said) == len(paths), run.stderr
    return float(run.stdout)


def repeated(path: Path) -> None:
    torch.save(torch.full((1,), 0.01).expand(3, 30000, 30000), path)


def deflated_tensor(path: Path) -> None:
    torch.save(torch.zeros(3, 4500, 4500), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def two_of_one_name(path: Path) -> None:
    savemat(path, {"r": np.zeros((3, 3000, 3000))}, do_compression=True)
    with open(path, "ab") as stream:
        savemat(path.with_name("small.mat"), {"r": np.zeros((3, 6, 6))})
        stream.write(path.with_name("small.mat").read_bytes()[128:])


def many_large(path: Path) -> None:
    savemat(path, {f"r{k}": np.zeros((3, 1000, 1000)) for k in range(6)}, do_compression=True)


def bytes_of_npz(path: Path) -> None:
    np.savez_compressed(path, v=np.zeros((3, 5000, 5000), np.int8))


BOMBS = {"a.pth": repeated, "b.pth": deflated_tensor, "c.mat": two_of_one_name, "d.mat": many_large, "e.npz": bytes_of_npz}


def test_small_files_that_would_fill_the_memory(tmp_path: Path) -> None:
    for name, write in BOMBS.items():
        write(tmp_path / name)
        assert (tmp_path / name).stat().st_size < 2_000_000, name
    assert peak_megabytes([tmp_path / name for name in BOMBS]) < 150


def test_a_file_that_claims_or_is_too_much(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4000000, 4000000), }"
    claim = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48)
    with zipfile.ZipFile(tmp_path / "claim.npz", "w") as archive:
        archive.writestr("v.npy", claim)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v.npy", bytes(120_000_000))
    for name in ("claim", "bomb"):
        with pytest.raises(PerturbationError, match="far larger than any perturbation"):
            load_perturbation(tmp_path / f"{name}.npz")
    with open(tmp_path / "long.npy", "wb") as stream:
        stream.truncate(200_000_000)
    with pytest.raises(PerturbationError, match="200 MB; no perturbation is that large"):
        load_perturbation(tmp_path / "long.npy")


def odd_tensors() -> dict[str, torch.Tensor]:
    plain = torch.rand(3, 6, 6)
    return {
        "sparse": plain.to_sparse(),
        "compressed rows": plain[0].to_sparse_csr(),
        "no data": torch.empty(3, 6, 6, device="meta"),
        "half of a complex number": torch.zeros(3, 6, 6, dtype=torch.complex64).conj(),
        "quantised": torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8),
        "true or false": plain > 0.5,
    }


@pytest.mark.filterwarnings("ignore")  # torch calls some of these unfinished or outdated
def test_tensors_of_odd_kinds(tmp_path: Path) -> None:
    for kind, tensor in odd_tensors().items():
        torch.save(tensor, tmp_path / f"{kind}.pth")
        with pytest.raises(PerturbationError):
            load_perturbation(tmp_path / f"{kind}.pth")


@pytest.mark.parametrize("provenance", ["[" * 200_000, "[1]", "{"])
def test_a_header_of_ours_that_is_none(provenance: str, tmp_path: Path) -> None:
    header = {"p": "linf", "radius": "0.1", "provenance": provenance}
    save_file({"pattern": torch.zeros(3, 6, 6)}, tmp_path / "v.safetensors", metadata=header)
    with pytest.raises(PerturbationError, match="no perturbation that was saved by this app"):
        load_perturbation(tmp_path / "v.safetensors")


def test_whole_numbers_are_levels(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", (2 * np.sign(SIGNS)).astype(np.int8))
    assert load_perturbation(tmp_path / "v.npy").ball == Ball(LINF, 2 / 255)


def test_matlabs_newest_format_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "v.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))
    with pytest.raises(PerturbationError, match=r"MATLAB 7\.3\. Save it with"):
        load_perturbation(tmp_path / "v.mat")


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4), keep=st.floats(0, 1))
@pytest.mark.parametrize("ending", ["npz", "pth", "mat"])
def test_damaged_files_give_our_own_error(
    ending: str, changes: list[tuple[float, int]], keep: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged.{ending}"
    WRITERS[ending](path, PATTERN)
    assert_damage_is_said(path, changes, keep, reach=10**6)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("read.me", "nothing")
    with pytest.raises(PerturbationError, match="no array of numbers"):
        load_perturbation(tmp_path / "v.npz")
    stream = io.BytesIO()
    np.save(stream, PATTERN)
    (tmp_path / "v.mat").write_bytes(stream.getvalue())
    with pytest.raises(PerturbationError, match=r"\.mat file is damaged"):
        load_perturbation(tmp_path / "v.mat")


@pytest.mark.parametrize("name", ["CaffeNet", "GoogLeNet", "ResNet-152", "VGG-16", "VGG-19", "VGG-F"])
def test_the_papers_files(name: str, shared: Path) -> None:
    """Variable r, rows x columns x RGB, l_inf 10 on 0-255."""
    path = shared / "perturbations" / f"{name}.mat"
    assert detect(read_arrays(path)) == Reading("r", "last", BYTES, LINF)
    assert load_perturbation(path).ball == Ball(LINF, 10 / 255)


@pytest.mark.parametrize("name", ["sgd-resnet50-eps10", "sgd-vgg16-eps10"])
def test_sgds_files(name: str, shared: Path) -> None:
    assert detect(read_arrays(shared / "perturbations" / f"{name}.pth")) == Reading(name, "first", UNIT, LINF)
    assert load_perturbation(shared / "perturbations" / f"{name}.pth").ball == Ball(LINF, 10 / 255)
