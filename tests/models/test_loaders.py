from __future__ import annotations

import csv
import importlib
import io
import json
import pickle
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from toys import normalised_network
from traps import Trap

from uap_core.datasets.image_sets import ImageSet, open_held_out
from uap_core.errors import ModelError
from uap_core.metrics import accuracy
from uap_core.models.architectures.resnet64 import ResNet64
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Normalise
from uap_core.models.libraries import import_torchvision
from uap_core.models.loaders import load
from uap_core.models.weights import file_hash
from uap_core.models.zoo import Zoo

CARDS = Path(__file__).resolve().parents[1] / "cards"
NETWORKS = ("googlenet_bvlc", "mobilenet_v1_075", "mobilenet_v2_tf", "squeezenet1_1_caffe")
SIDE = 4
CLASSES = [{"name": name, "wnid": ""} for name in "abcd"]
Archive = dict[str, bytes]


def card_of(path: Path, kind: str, **changes: Any) -> Card:
    card = Card("mine", "Mine", kind, path.name, SIDE, SIDE, "MIT", "a test", classes=CLASSES, folder=path.parent)
    return replace(card, **changes)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "executed")


# Embedded networks


def test_embedded_network_is_frozen_and_in_evaluation_mode(classifier: Classifier) -> None:
    assert not any(module.training for module in classifier.modules())
    assert not any(parameter.requires_grad for parameter in classifier.parameters())
    with pytest.raises(ModelError, match="evaluation mode"):
        classifier.train()
    classifier.eval()
    assert classifier.size == 64
    assert len(classifier.labels) == len(classifier.class_ids) == len(set(classifier.class_ids))
    assert classifier.weights_hash == classifier.card.sha256


def test_forward_and_backward_change_no_buffer() -> None:
    network = normalised_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.rand(4, 3, network.size, network.size, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    network(x).logsumexp(dim=1).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_eight_images_are_eight_times_one(classifier: Classifier) -> None:
    x = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        together, alone = classifier(x), torch.cat([classifier(image[None]) for image in x])
    assert torch.allclose(together, alone, atol=1e-4)
    assert len(together.unique(dim=0)) == 8


def test_index_of(classifier: Classifier) -> None:
    assert classifier.index_of(classifier.labels[7]) == 7
    with pytest.raises(ModelError, match="has no class 'unicorn'"):
        classifier.index_of("unicorn")


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({name: value.contiguous() for name, value in ResNet64(4).state_dict().items()}, path)
    card = card_of(path, "embedded", architecture="resnet64", sha256=file_hash(path), input_size=64)
    assert load(card)(torch.rand(1, 3, 64, 64)).shape == (1, 4)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load(card)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({name: value.contiguous() for name, value in ResNet64(5).state_dict().items()}, path)
    with pytest.raises(ModelError, match="does not fit"):
        load(card_of(path, "embedded", architecture="resnet64"))
    path.write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="does not fit"):
        load(card_of(path, "embedded", architecture="resnet64"))
    with pytest.raises(ModelError, match="unknown architecture: 'resnet65'"):
        load(card_of(path, "embedded", architecture="resnet65"))


def test_normalise() -> None:
    grey = torch.full((1, 3, 2, 2), 0.5)
    out = Normalise((0.5, 0.25, 0.0), (1.0, 0.5, 0.25))(grey)
    assert out[0, :, 0, 0].tolist() == [0.0, 0.5, 2.0]


# Exported programs: what an archive may hold


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, nn.Module]:
    """The entries of a tiny exported program, below its own folder, and the network it came from."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4)).eval()
    path = tmp_path_factory.mktemp("program") / "tiny.pt2"
    batch = torch.export.Dim("batch", min=1, max=1024)
    exported = torch.export.export(network, (torch.rand(2, 3, SIDE, SIDE),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, path)
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}, network


def pack(path: Path, entries: Archive, root: str = "tiny/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(root + name, data)
    return path


def pickled(thing: object) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


def edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    tree = json.loads(data)
    edit(tree)
    return json.dumps(tree).encode()


WEIGHTS, CONSTANTS = "data/weights/model_weights_config.json", "data/constants/model_constants_config.json"
SAMPLE, MODEL = "data/sample_inputs/model.pt", "models/model.json"


def pickled_weight(good: Archive, trap: Trap) -> Archive:
    def edit(tree: Any) -> None:
        next(iter(tree["config"].values()))["use_pickle"] = True

    return good | {WEIGHTS: edited(good[WEIGHTS], edit), "data/weights/weight_0": pickled(trap)}


def pickled_constant(good: Archive, trap: Trap) -> Archive:
    meta = next(iter(json.loads(good[WEIGHTS])["config"].values())) | {"path_name": "tensor_0", "use_pickle": True}
    return good | {CONSTANTS: json.dumps({"config": {"c": meta}}).encode(), "data/constants/tensor_0": pickled(trap)}


def pickled_sample(good: Archive, trap: Trap) -> Archive:
    return good | {SAMPLE: pickled((((trap,), {}),))}


def opaque_constant(good: Archive, trap: Trap) -> Archive:
    """torch unpickles constants of this prefix whatever ``use_pickle`` says."""
    meta = next(iter(json.loads(good[WEIGHTS])["config"].values())) | {"path_name": "opaque_obj_0"}
    data = pickle.dumps(trap)
    data += bytes(-len(data) % 4)
    return good | {CONSTANTS: json.dumps({"config": {"c": meta}}).encode(), "data/constants/opaque_obj_0": data}


def legacy_weights(good: Archive, trap: Trap) -> Archive:
    return good | {"data/weights/model.pt": pickled({"w": trap})}


def code_as_guard(good: Archive, trap: Trap) -> Archive:
    return good | {MODEL: edited(good[MODEL], lambda tree: tree["guards_code"].append(f"{trap.code} is None"))}


def code_as_size(good: Archive, trap: Trap) -> Archive:
    return with_size(good, trap.code)


def with_size(good: Archive, size: str) -> Archive:
    """Sizes are strings that sympy evaluates."""
    words = good[MODEL].decode()
    start = words.index('"expr_str": ') + len('"expr_str": ')
    end = json.JSONDecoder().raw_decode(words[start:])[1] + start
    return good | {MODEL: (words[:start] + json.dumps(size) + words[end:]).encode()}


ATTACKS = (
    pickled_weight,
    pickled_constant,
    pickled_sample,
    opaque_constant,
    legacy_weights,
    code_as_guard,
    code_as_size,
)


def run_unguarded(path: Path) -> None:
    """What happens to someone who opens the archive without looking inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.export.load(path).module()(torch.rand(2, 3, SIDE, SIDE))
        except Exception:  # the trap has sprung by then
            return


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_archives_that_run_code_are_refused_unopened(
    attack: Callable[[Archive, Trap], Archive], program: tuple[Archive, nn.Module], trap: Trap, tmp_path: Path
) -> None:
    path = pack(tmp_path / "tiny.pt2", attack(program[0], trap))
    with pytest.raises(ModelError, match="could run code, so it is not opened"):
        load(card_of(path, "exported"))
    assert not trap.sprung
    run_unguarded(path)
    assert trap.sprung  # so the silence above means something


@pytest.mark.parametrize("target", ["torch.os.mkdir", "torch.ops.aten.from_file.default", "_operator.methodcaller", 7])
def test_operations_beyond_arithmetic_are_refused(target: object, program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    """torch looks an operation up by following dots, whatever is found."""

    def edit(tree: Any) -> None:
        tree["graph_module"]["graph"]["nodes"][0]["target"] = target

    path = pack(tmp_path / "tiny.pt2", program[0] | {MODEL: edited(program[0][MODEL], edit)})
    with pytest.raises(ModelError, match="could run code"):
        load(card_of(path, "exported"))


@pytest.mark.parametrize("size", ["9**9**9*Symbol('s31')", f"{10**13}*Symbol('s31')", "9e9*Symbol('s31')"])
def test_sizes_that_nobody_can_work_out_are_refused(size: str, program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="could run code"):
        load(card_of(pack(tmp_path / "tiny.pt2", with_size(program[0], size)), "exported"))


BEYOND = (
    "data/aotinductor/model/code.so",
    "data/sample_inputs/model.PT",
    "data/constants/custom_obj_0",
    "xl_model_weights/x",
    "version",
)


@pytest.mark.parametrize("name", BEYOND)
def test_entries_beyond_the_plain_ones_are_refused(name: str, program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    """Compiled libraries, names that torch's reader takes for others (it ignores case), custom objects, older layouts."""
    with pytest.raises(ModelError, match="could run code"):
        load(card_of(pack(tmp_path / "tiny.pt2", program[0] | {name: b"x"}), "exported"))


def test_an_entry_listed_twice_is_refused(program: tuple[Archive, nn.Module], trap: Trap, tmp_path: Path) -> None:
    """Readers differ in which of the two they take."""
    for first in (True, False):
        path = tmp_path / f"{first}.pt2"
        evil, good = ("tiny/" + SAMPLE, pickled((((trap,), {}),))), ("tiny/" + SAMPLE, program[0][SAMPLE])
        pack(path, {name: data for name, data in program[0].items() if name != SAMPLE})
        with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, data in (evil, good) if first else (good, evil):
                archive.writestr(name, data)
        with pytest.raises(ModelError):
            load(card_of(path, "exported"))
        assert not trap.sprung


def test_the_layout_of_older_versions_is_refused(trap: Trap, tmp_path: Path) -> None:
    names = ("exported_program.json", "state_dict.json", "constants.json", "example_inputs.pt")
    entries = {"version": b"8.14"} | {f"serialized_{name}": pickled({"w": trap}) for name in names}
    path = pack(tmp_path / "old.pt2", entries, root="")
    with pytest.raises(ModelError):
        load(card_of(path, "exported"))
    assert not trap.sprung


def test_a_plain_exported_program_works(program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    entries, network = program
    classifier = load(card_of(pack(tmp_path / "tiny.pt2", entries), "exported"))
    assert classifier.labels == tuple("abcd")
    for count in (1, 3, 8):
        x = torch.rand(count, 3, SIDE, SIDE, requires_grad=True)
        logits = classifier(x)
        assert torch.allclose(logits, network(x), atol=1e-6)
        logits.logsumexp(dim=1).sum().backward()
        assert x.grad is not None
        assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"words", None], ids=["empty", "zip head", "words", "cut"])
def test_damaged_archives(data: bytes | None, program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    path = pack(tmp_path / "tiny.pt2", program[0])
    path.write_bytes(path.read_bytes()[:-200] if data is None else data)
    with pytest.raises(ModelError, match="not an exported program"):
        load(card_of(path, "exported"))


def test_an_archive_without_a_part(program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    for missing in (MODEL, WEIGHTS, SAMPLE):
        path = pack(tmp_path / "tiny.pt2", {name: data for name, data in program[0].items() if name != missing})
        with pytest.raises(ModelError):
            load(card_of(path, "exported"))


# torchvision


def test_a_pickled_state_dict_is_refused(trap: Trap, tmp_path: Path) -> None:
    path = tmp_path / "squeezenet.pth"
    torch.save({"features.0.weight": trap}, path)
    with pytest.raises(ModelError, match="does not fit squeezenet1_1"):
        load(card_of(path, "torchvision", architecture="squeezenet1_1", classes="imagenet"))
    assert not trap.sprung
    torch.load(path, weights_only=False)
    assert trap.sprung


def test_an_architecture_that_torchvision_lacks(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(b"x")
    for name in ("vgg99", "os.system", "fasterrcnn_resnet50_fpn"):
        with pytest.raises(ModelError, match="no architecture"):
            load(card_of(path, "torchvision", architecture=name))


def test_classes_must_be_listed_or_imagenets(program: tuple[Archive, nn.Module], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="list its classes"):
        load(card_of(pack(tmp_path / "tiny.pt2", program[0]), "exported", classes="cifar"))


def test_import_torchvision_declares_missing_operators_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torchvision built for CUDA beside a CPU-only torch fails to import for want of two operators."""
    tried, declared, whole = [], [], ModuleType("torchvision")

    def attempt(name: str) -> ModuleType:
        tried.append(name)
        if len(tried) == 1:
            sys.modules["torchvision.half_made"] = ModuleType("torchvision.half_made")
            raise RuntimeError("operator torchvision::nms does not exist")
        assert "torchvision.half_made" not in sys.modules
        return whole

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib, "import_module", attempt)
    monkeypatch.setattr(torch.library, "define", lambda name, schema: declared.append(name))
    assert import_torchvision() is whole
    assert tried == ["torchvision", "torchvision"]
    assert declared == ["torchvision::nms", "torchvision::qnms"]


def test_import_torchvision_hides_no_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> ModuleType:
        raise RuntimeError("something else")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="something else"):
        import_torchvision()


def test_an_embedded_network_enlarges_what_it_sees(classifier: Classifier) -> None:
    """Once, by bilinear interpolation; a constant picture stays what it was, so normalising before or after is the same."""
    x = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    normalise, *_, network = classifier.network
    larger = torch.nn.functional.interpolate(x, size=(80, 80), mode="bilinear", align_corners=False)
    torch.testing.assert_close(classifier(x), network(normalise(larger)), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(classifier(x), network(normalise(x)), atol=0.1)


# The real ImageNet networks


@pytest.fixture(scope="session")
def photographs(shared: Path) -> ImageSet:
    """The 300 images that nothing is crafted on."""
    return open_held_out(shared / "data" / "imagenet-sample-800.zip", 256, 224)


@pytest.mark.parametrize("key", NETWORKS)
def test_real_networks(key: str, real_zoo: Zoo, photographs: ImageSet) -> None:
    classifier = real_zoo.load(key)
    x = photographs.images(slice(0, 2)).requires_grad_(True)
    logits = classifier(x)
    assert logits.shape == (2, 1000)
    logits.logsumexp(dim=1).sum().backward()
    assert x.grad is not None
    assert (x.grad.flatten(1).abs().sum(dim=1) > 0).all()
    assert not any(parameter.requires_grad for parameter in classifier.parameters())
    with torch.inference_mode():
        assert torch.allclose(classifier(x[:1].detach()), logits[:1], atol=2e-3)
    assert (classifier.labels[0], classifier.labels[281], classifier.labels[999]) == ("tench", "tabby", "toilet tissue")
    truth = photographs.prefix(40).truth(classifier.class_ids)
    assert truth is not None
    with torch.inference_mode():
        rate = accuracy(classifier(photographs.images(slice(0, 40))).argmax(dim=1), truth)
    assert rate.interval[0] <= classifier.card.measured["top1"] <= rate.interval[1] + 0.1


def test_wordnet_ids_are_the_csvs(real_zoo: Zoo, shared: Path) -> None:
    card = real_zoo.cards()["googlenet_bvlc"]
    with open(shared / "data" / "imagenet_classes.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert real_zoo.load(card.key).class_ids == tuple(row["wnid"] for row in rows)
    assert [int(row["index"]) for row in rows] == list(range(1000))


# A card that promises something else


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"input_size": 5}, r"Mine does not take batches of 5 x 5 pixels, as its card says\."),
        ({"classes": CLASSES + CLASSES}, r"Mine gives 4 scores a picture, its card lists 8 classes\."),
        ({"classes": "imagenet"}, r"Mine gives 4 scores a picture, its card lists 1000 classes\."),
    ],
)
def test_a_program_of_another_shape(
    program: tuple[Archive, nn.Module], tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    path = pack(tmp_path / "tiny.pt2", program[0])
    assert load(card_of(path, "exported")).size == SIDE
    with pytest.raises(ModelError, match=sentence):
        load(card_of(path, "exported", **changes))


def test_a_program_for_one_picture_at_a_time(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4)).eval()
    torch.export.save(torch.export.export(network, (torch.rand(1, 3, SIDE, SIDE),)), tmp_path / "one.pt2")
    with pytest.raises(ModelError, match="does not take batches of 4 x 4 pixels"):
        load(card_of(tmp_path / "one.pt2", "exported"))
