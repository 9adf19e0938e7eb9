from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from uap_core import __main__ as cli
from uap_core.errors import DatasetError, SettingError
from uap_core.io.paths import MODELS
from uap_core.io.results import read_table
from uap_core.models.architectures.resnet64 import ResNet64
from uap_core.models.card import read_card
from uap_core.models.embedded import EMBEDDED
from uap_core.models.loaders import load
from uap_core.training.export import begin_with, class_names, train_and_publish, write_weights
from uap_core.training.loop import EpochRow
from uap_core.training.recipe import UNIVERSAL, Recipe
from uap_core.training.taught import TaughtRecipe

CLASSES_CSV = 'imagenet_index,wnid,name\n1,n01,goldfish\n20,n02,"hen, or so"\n'


def write_pictures(root: Path, split: str, wnid: str, count: int, seed: int) -> None:
    folder = root / split / wnid
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.bmp")


def test_class_names_from_a_folder_and_from_a_zip(tmp_path: Path) -> None:
    names = {"n01": "goldfish", "n02": "hen, or so"}
    assert class_names(tmp_path) == {}
    (tmp_path / "classes.csv").write_text(CLASSES_CSV, encoding="utf-8")
    assert class_names(tmp_path) == names
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train/n01/0.png", b"")
    assert class_names(path) == {}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("classes.csv", CLASSES_CSV)
    assert class_names(path) == names
    (tmp_path / "classes.csv").write_text(CLASSES_CSV, encoding="utf-8-sig")
    assert class_names(tmp_path) == names
    for held in (CLASSES_CSV.replace(",", ";").encode(), "wnid,name\nn01,rougegorge \xe9".encode("latin-1")):
        (tmp_path / "classes.csv").write_bytes(held)
        with pytest.raises(DatasetError, match="not a table in UTF-8 with the columns wnid and name"):
            class_names(tmp_path)


def test_weights_come_back_as_16_bits(tmp_path: Path) -> None:
    network = ResNet64(3)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.rand(value.shape, generator=generator) * 0.1 + 0.5 if value.ndim else torch.tensor(7))
    write_weights(network, tmp_path / "models" / "tiny.safetensors")
    stored, expected = load_file(tmp_path / "models" / "tiny.safetensors"), network.state_dict()
    assert set(stored) == set(expected)
    for name, value in stored.items():
        if value.is_floating_point():
            assert value.dtype == torch.float16
            assert torch.equal(value, expected[name].half()), name
        else:
            assert value == 0
    assert [path.name for path in (tmp_path / "models").glob("*.part")] == []
    assert (tmp_path / "models" / "tiny.safetensors").stat().st_size < 2.1 * sum(v.numel() for v in expected.values())


@pytest.mark.parametrize("architecture", EMBEDDED)
def test_a_network_ships_as_it_was_trained(architecture: str, tmp_path: Path) -> None:
    """Folded or not, the file loads into what the architecture builds, and answers as the trained network did."""
    torch.manual_seed(0)
    kind = EMBEDDED[architecture]
    trained = kind.build_to_train(5)
    for module in trained.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    trained.eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = trained(x)
    write_weights(kind.to_ship(trained), tmp_path / "net.safetensors")
    assert (tmp_path / "net.safetensors").stat().st_size < 5_000_000
    loaded = kind.build(5).eval()
    loaded.load_state_dict({name: value.float() for name, value in load_file(tmp_path / "net.safetensors").items()})
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), before, rtol=0.02, atol=0.02 * float(before.abs().max()))
    assert loaded(torch.randn(1, 3, 48, 48)).shape == (1, 5)


def test_the_plain_network_holds_no_batch_norm() -> None:
    assert not any(isinstance(module, nn.BatchNorm2d) for module in EMBEDDED["vgg64"].build(5).modules())


@pytest.mark.parametrize(
    ("architecture", "attacked", "name"),
    [
        ("resnet64", {}, "ResNet-64 (built in)"),
        ("vgg64", {}, "VGG-64 (built in)"),
        ("separable64", {"epsilon": 4 / 255}, "Separable-64, robust (built in)"),
        (
            "resnet64",
            {"epsilon": 10 / 255, "against": UNIVERSAL, "small_share": 0.0},
            "ResNet-64, universally trained (built in)",
        ),
    ],
    ids=["residual", "plain", "attacked", "universally attacked"],
)
def test_from_pictures_to_what_ships(architecture: str, attacked: dict[str, Any], name: str, tmp_path: Path) -> None:
    for seed, wnid in enumerate(("n01", "n02")):
        write_pictures(tmp_path / "data", "train", wnid, 64, seed)
        write_pictures(tmp_path / "data", "val", wnid, 3, seed + 10)
    (tmp_path / "data" / "classes.csv").write_text(CLASSES_CSV, encoding="utf-8")
    out, results, recipe = tmp_path / "models", tmp_path / "results", Recipe(epochs=1, **attacked)
    rows = list(train_and_publish(tmp_path / "data", "tiny", architecture, out, results, tmp_path / "run.ckpt", recipe))
    assert len(rows) == 1
    card = read_card(out / "tiny.json")
    assert card.classes == [{"name": "goldfish", "wnid": "n01"}, {"name": "hen, or so", "wnid": "n02"}]
    assert card.measured["top1"] in {n / 6 for n in range(7)}
    assert card.measured["top5"] == 1
    assert card.measured["set"] == "6 images of data (held-out)"
    assert card.recipe["epochs"] == 1
    assert card.architecture == architecture
    assert card.name == name
    if attacked:
        assert card.measured["under_attack"]["epsilon"] == attacked["epsilon"]
        assert card.measured["under_attack"]["top1"] <= 1
    assert card.view_size == 80
    assert load(card).labels == ("goldfish", "hen, or so")
    table = read_table(results / "tiny-training.json", EpochRow)
    assert table.rows == rows
    assert table.provenance["recipe"]["seed"] == 0


def test_the_command_prints_its_epochs_and_draws_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, wnid in enumerate(("n01", "n02")):
        write_pictures(tmp_path / "data", "train", wnid, 64, seed)
        write_pictures(tmp_path / "data", "val", wnid, 3, seed + 10)
    figure = tmp_path / "curve.svg"
    options = {"--out": tmp_path, "--results": tmp_path, "--checkpoint": tmp_path / "a.ckpt", "--figure": figure}
    words = [str(word) for pair in options.items() for word in pair]
    command = ["uap_core", "train", str(tmp_path / "data"), "--architecture", "vgg64", "--epochs", "1", *words]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert re.search(r"^epoch   1  loss \d\.\d+  top-1 +[\d.]+%  top-5 100\.0%", capsys.readouterr().out)
    assert "<svg" in figure.read_text()


def test_a_network_is_trained_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step, at the rate of nothing that a run starts with: its weights are those that it began with."""
    for seed, wnid in enumerate(("n01", "n02")):
        write_pictures(tmp_path / "data", "train", wnid, 64, seed)
        write_pictures(tmp_path / "data", "val", wnid, 3, seed + 10)
    out = tmp_path / "models"
    monkeypatch.setattr("uap_core.training.export.MODELS", out)

    def run(key: str, **settings: object) -> dict[str, Tensor]:
        recipe = replace(Recipe(epochs=1, small_size=32), **settings)  # type: ignore[arg-type]
        list(train_and_publish(tmp_path / "data", key, "resnet64", out, tmp_path, tmp_path / f"{key}.ckpt", recipe))
        return load_file(out / f"{key}.safetensors")

    first, still, fresh = run("first"), run("still", start="first", seed=1), run("fresh", seed=1)
    weights = [name for name, value in first.items() if value.ndim == 4]
    assert all(torch.allclose(first[name], still[name], atol=1e-3) for name in weights)
    assert not any(torch.allclose(first[name], fresh[name], atol=1e-3) for name in weights)
    assert read_card(out / "still.json").source.startswith("trained further from first by this project on 128 images")
    assert read_card(out / "fresh.json").source.startswith("trained from scratch by this project")


def test_weights_that_do_not_fit_are_refused() -> None:
    network = EMBEDDED["resnet64"].build_to_train(5)
    with pytest.raises(SettingError, match="cannot start from Separable-64"):
        begin_with(network, read_card(MODELS / "separable64.json"))


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"no architecture 'lenet'\. Known: resnet64, vgg64, separable64, vit64\."):
        next(train_and_publish(tmp_path, "tiny", "lenet", tmp_path, tmp_path, tmp_path / "run.ckpt", Recipe()))


def test_splits_of_different_classes_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, "train", "n01", 2, 0)
    write_pictures(tmp_path, "val", "n02", 2, 1)
    with pytest.raises(DatasetError, match="do not have the same classes"):
        next(train_and_publish(tmp_path, "tiny", "resnet64", tmp_path, tmp_path, tmp_path / "run.ckpt", Recipe(epochs=1)))


def test_what_would_fail_after_the_training_is_said_before(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_pictures(tmp_path, split, "n01", 2, 0)
    write_pictures(tmp_path, "train", "n02", 2, 1)
    places = (tmp_path, tmp_path, tmp_path / "run.ckpt")
    with pytest.raises(DatasetError, match="do not have the same classes"):
        next(train_and_publish(tmp_path, "tiny", "resnet64", *places, Recipe(epochs=1)))
    write_pictures(tmp_path, "val", "n02", 2, 1)
    with pytest.raises(SettingError, match="no slash"):
        next(train_and_publish(tmp_path, "a/b", "resnet64", *places, Recipe(epochs=1)))
    with pytest.raises(SettingError, match="The teacher, resnet64, knows other classes"):
        next(train_and_publish(tmp_path, "tiny", "vit64", *places, TaughtRecipe(epochs=1)))
