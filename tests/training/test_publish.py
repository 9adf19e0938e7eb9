from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from uap_core.errors import DatasetError
from uap_core.models.card import read_card
from uap_core.models.loaders import load
from uap_core.models.resnet64 import ResNet64
from uap_core.models.weights import file_hash
from uap_core.tables import read_table
from uap_core.training.publish import class_names, train_and_publish, write_weights
from uap_core.training.recipe import EpochRow

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


def test_weights_come_back_as_16_bits(tmp_path: Path) -> None:
    network = ResNet64(3)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.rand(value.shape, generator=generator) * 0.1 + 0.5 if value.ndim else torch.tensor(7))
    write_weights(network, tmp_path / "models" / "tiny.safetensors")
    card = {
        "key": "tiny",
        "name": "Tiny",
        "kind": "embedded",
        "architecture": "resnet64",
        "weights": "tiny.safetensors",
        "sha256": file_hash(tmp_path / "models" / "tiny.safetensors"),
        "input_size": 64,
        "resize_size": 64,
        "licence": "MIT",
        "source": "a test",
        "classes": [{"name": name, "wnid": name} for name in "abc"],
    }
    (tmp_path / "models" / "tiny.json").write_text(json.dumps(card), encoding="utf-8")
    loaded = load(read_card(tmp_path / "models" / "tiny.json"))
    expected = network.state_dict()
    for name, value in loaded.network[1].state_dict().items():
        if value.is_floating_point():
            assert value.dtype == torch.float32
            assert torch.equal(value, expected[name].half().float()), name
        else:
            assert value == 0
    assert [path.name for path in (tmp_path / "models").glob("*.part")] == []
    assert (tmp_path / "models" / "tiny.safetensors").stat().st_size < 2.1 * sum(v.numel() for v in expected.values())


def test_from_pictures_to_what_ships(tmp_path: Path) -> None:
    for seed, wnid in enumerate(("n01", "n02")):
        write_pictures(tmp_path / "data", "train", wnid, 64, seed)
        write_pictures(tmp_path / "data", "val", wnid, 3, seed + 10)
    (tmp_path / "data" / "classes.csv").write_text(CLASSES_CSV, encoding="utf-8")
    out, results = tmp_path / "models", tmp_path / "results"
    rows = list(train_and_publish(tmp_path / "data", "tiny", out, results, tmp_path / "run.ckpt", 1, 0))
    assert len(rows) == 1
    card = read_card(out / "tiny.json")
    assert card.classes == [{"name": "goldfish", "wnid": "n01"}, {"name": "hen, or so", "wnid": "n02"}]
    assert card.measured["top1"] in {n / 6 for n in range(7)}
    assert card.measured["top5"] == 1
    assert card.measured["set"] == "6 images of data (held-out)"
    assert card.recipe["epochs"] == 1
    assert card.view_size == 80
    assert load(card).labels == ("goldfish", "hen, or so")
    table = read_table(results / "tiny-training.json", EpochRow)
    assert table.rows == rows
    assert table.provenance["recipe"]["seed"] == 0


def test_splits_of_different_classes_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, "train", "n01", 2, 0)
    write_pictures(tmp_path, "val", "n02", 2, 1)
    with pytest.raises(DatasetError, match="classes that the training images lack"):
        next(train_and_publish(tmp_path, "tiny", tmp_path, tmp_path, tmp_path / "run.ckpt", 1, 0))
