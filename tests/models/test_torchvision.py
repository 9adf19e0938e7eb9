"""torchvision's classifiers: the table beside torchvision's registry, the loader beside torchvision's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision_names import tv_models

from uap_core.errors import ModelError
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import preprocess
from uap_core.models.card import Card, torchvision_cards
from uap_core.models.classifier import Normalise
from uap_core.models.imagenet import imagenet_classes
from uap_core.models.loaders import load
from uap_core.models.weights import ABSENT, HERE, OTHER, file_hash, state, torchvision_folder
from uap_core.models.zoo import Zoo

CARDS = torchvision_cards(Path("nowhere"))
KEYS = [card.key for card in CARDS]
ASKED_FOR = {
    *("alexnet", "vgg16", "vgg19", "googlenet", "resnet18", "resnet50", "resnet152", "mobilenet_v2", "mobilenet_v3_large"),
    *("squeezenet1_1", "shufflenet_v2_x1_0", "efficientnet_b0", "densenet121", "convnext_tiny", "vit_b_16"),
}
# Every trick of the loader is needed by one of these; the others are larger and need none.
BUILT = ("googlenet", "densenet121", "mobilenet_v3_large", "squeezenet1_1", "shufflenet_v2_x1_0", "efficientnet_b0")


def card_of(key: str, folder: Path = Path("nowhere")) -> Card:
    return next(card for card in torchvision_cards(folder) if card.key == key)


def entry_of(card: Card) -> Any:
    return tv_models.get_model_weights(card.architecture)["IMAGENET1K_V1"]


def test_the_families_of_the_paper_and_todays_are_there() -> None:
    assert set(KEYS) == ASKED_FOR
    assert {card.key for card in Zoo().cards().values() if card.source.startswith("torchvision")} == ASKED_FOR


@pytest.mark.parametrize("key", KEYS)
def test_the_table_says_what_the_registry_says(key: str) -> None:
    card = card_of(key)
    entry = entry_of(card)
    shape, accuracy = entry.transforms(), entry.meta["_metrics"]["ImageNet-1K"]
    assert card.url == entry.url
    assert card.download_megabytes == pytest.approx(entry.meta["_file_size"])
    assert (shape.crop_size, shape.resize_size) == ([card.input_size], [card.resize_size])
    assert shape.interpolation.value == card.interpolation
    white = (1 - torch.tensor(shape.mean)) / torch.tensor(shape.std)
    torch.testing.assert_close(Normalise()(torch.ones(1, 3, 1, 1)).flatten(), white)
    assert (card.published["top1"], card.published["top5"]) == pytest.approx((accuracy["acc@1"] / 100, accuracy["acc@5"] / 100))
    assert re.fullmatch(r"[0-9a-f]{8,}", card.sha256)


@pytest.mark.parametrize("key", ["efficientnet_b0", "convnext_tiny", "vgg16"])
def test_preprocessing_is_torchvisions(key: str) -> None:
    card = card_of(key)
    picture = sample_photos()[0].open()
    ours = Normalise()(preprocess(picture, card.resize_size, card.input_size, card.interpolation))
    theirs = entry_of(card).transforms()(picture)[None]
    assert torch.allclose(ours, theirs, atol=1e-5)


def random_weights(card: Card, path: Path) -> dict[str, Tensor]:
    """A file of random weights as torchvision would offer it, with batch statistics that matter."""
    torch.manual_seed(0)
    options = {"init_weights": False} if card.key == "googlenet" else {}
    tensors = tv_models.get_model(card.architecture, weights=None, **options).state_dict()
    for name, tensor in tensors.items():
        if name.endswith("running_mean"):
            tensor.uniform_(-0.5, 0.5)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
    if card.key == "densenet121":  # whose file is older than the names of its layers
        tensors = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
        tensors = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): value for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, path)
    return tensors


def test_a_network_that_looks_at_its_weights_while_it_is_built(tmp_path: Path) -> None:
    network = tv_models.get_model("regnet_x_400mf", weights=None, num_classes=4)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    changes = {"architecture": "regnet_x_400mf", "options": {"num_classes": 4}, "classes": [{"name": name} for name in "abcd"]}
    card = Card(**{**vars(card_of("resnet18", tmp_path)), **changes, "weights": "w.pth", "sha256": ""})
    assert load(card)(torch.rand(1, 3, 224, 224)).shape == (1, 4)


@pytest.mark.parametrize("key", BUILT)
def test_loaded_as_torchvision_loads_it(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = card_of(key, tmp_path)
    tensors = random_weights(card, card.weights_path)
    card = Card(**{**vars(card), "sha256": file_hash(card.weights_path)})
    monkeypatch.setattr(tv_models._api, "load_state_dict_from_url", lambda *_, **__: dict(tensors))
    theirs = tv_models.get_model(card.architecture, weights="IMAGENET1K_V1").eval()
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = theirs(Normalise()(x))
        torch.testing.assert_close(load(card)(x), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    assert float(expected.std()) > 0


def test_the_cache_is_torch_hubs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variables in ({}, {"XDG_CACHE_HOME": str(tmp_path / "x")}, {"TORCH_HOME": str(tmp_path / "t"), "XDG_CACHE_HOME": "/x"}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert torchvision_folder() == Path(torch.hub.get_dir()) / "checkpoints"


def test_a_file_that_is_not_torchvisions_is_listed_as_other_weights_and_never_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    card = card_of("squeezenet1_1", torchvision_folder())
    assert state(card) == ABSENT
    with pytest.raises(ModelError, match=r"not on this machine\. .*fetch squeezenet1_1.*downloads 5 MB. Without a connection"):
        Zoo().load("squeezenet1_1")
    random_weights(card, card.weights_path)
    assert state(card) == OTHER
    with pytest.raises(ModelError, match=r"not the file that its card describes .*Another file is there under that name"):
        Zoo().load("squeezenet1_1")


def test_the_stand_ins_are_not_torchvisions(shared: Path, real_zoo: Zoo) -> None:
    folder = shared / "torch_home" / "hub" / "checkpoints"
    assert {card.key for card in torchvision_cards(folder) if state(card) == OTHER} == {"mobilenet_v2", "squeezenet1_1"}
    assert state(real_zoo.card("mobilenet_v2_tf")) == state(real_zoo.card("squeezenet1_1_caffe")) == HERE


def test_a_hash_is_worked_out_once_and_again_when_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from uap_core.models import weights

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "alexnet-owt-7be5be79.pth"
    path.write_bytes(b"one")
    card = Card(**{**vars(card_of("alexnet", tmp_path)), "sha256": file_hash(path)})
    read: list[Path] = []
    monkeypatch.setattr(weights, "file_hash", lambda path: read.append(path) or file_hash(path))
    assert [state(card), state(card)] == [HERE, HERE]
    weights._hash_of.cache_clear()  # another process
    assert state(card) == HERE
    assert len(read) == 1
    path.write_bytes(b"other")
    assert state(card) == OTHER
    assert len(read) == 2


def test_imagenets_names_are_torchvisions() -> None:
    names, wnids = imagenet_classes()
    assert list(names) == tv_models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    assert len(set(wnids)) == 1000
