"""timm's networks by name: the table beside timm's registry, the Hub's cache, the loader beside timm's own."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hub_stand_in import COMMIT, TIMM, hub
from test_faster import lived_in

from uap_core.errors import DownloadError, ModelError
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import preprocess
from uap_core.io import download
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Normalise
from uap_core.models.hub import cache, cached
from uap_core.models.libraries import import_timm
from uap_core.models.loaders import load
from uap_core.models.timm_table import TABLE, search, table, timm_card
from uap_core.models.weights import ABSENT, HERE, OTHER, fetch, state
from uap_core.models.zoo import Zoo

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))
from timm_table import described, is_offered, megabytes, registry

timm = import_timm()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def weights_of(name: str) -> tuple[torch.nn.Module, bytes]:
    """A network of timm with random weights and lived-in statistics, and the file that the Hub would have of it."""
    torch.manual_seed(0)
    network = lived_in(timm.create_model(name, pretrained=False))
    return network, safetensors.torch.save({key: value.contiguous() for key, value in network.state_dict().items()})


@pytest.fixture
def tiny() -> tuple[torch.nn.Module, bytes]:
    return weights_of(TIMM)


@pytest.fixture
def fetched(tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """The tiny network, in the cache."""
    with hub({f"timm/{TIMM}": tiny[1]}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        for _ in fetch(timm_card(TIMM)):
            pass
        yield tiny[1]


def left_in_cache() -> list[str]:
    return sorted(path.relative_to(cache()).as_posix() for path in cache().rglob("*"))


def test_the_table_says_what_the_registry_says() -> None:
    known = registry()
    statistics = table().statistics.copy()
    pinned = timm.__version__ == re.search(r'"timm": "([\d.]+)"', TABLE.read_text(encoding="utf-8"))[1]
    assert not pinned or set(known) == {*table().rows, *table().others}
    for name, row in table().rows.items():
        if name in known:
            assert is_offered(known[name]), name
            said = {"input": row["input"], **described(known[name], statistics)}
            assert {key: row[key] for key in said} == said, name
    for name, outputs in table().others.items():
        if name in known:
            assert outputs == known[name].num_classes, name
            assert not is_offered(known[name]), name
    assert statistics == table().statistics
    assert len(table().rows) > 1300


@pytest.mark.parametrize(
    "name", ["resnet18.a1_in1k", "vit_tiny_patch16_224.augreg_in21k_ft_in1k", "convnext_tiny.in12k_ft_in1k"]
)
def test_the_size_is_that_of_its_tensors(name: str) -> None:
    assert table().rows[name]["megabytes"] == megabytes(name.partition(".")[0])


def test_accuracies_are_the_published_ones() -> None:
    """Beside a few lines of results-imagenet.csv, some at the smaller of two sizes; most networks have one."""
    lines = {
        "eva02_large_patch14_448.mim_m38m_ft_in22k_in1k": (448, 90.054),
        "convnext_tiny.in12k_ft_in1k": (224, 84.192),
        "resnet50.a1_in1k": (224, 80.382),
        "resnet50.tv2_in1k": (176, 79.432),
        "vit_tiny_patch16_224.augreg_in21k_ft_in1k": (224, 75.452),
        "resnet18.a3_in1k": (160, 65.664),
        "mobilenetv3_small_050.lamb_in1k": (224, 57.924),
        "test_vit.r160_in1k": (160, 40.832),
    }
    for name, (size, top1) in lines.items():
        card = timm_card(name)
        assert (card.input_size, card.published["top1"]) == (size, pytest.approx(top1 / 100)), name
    known = [row["top1"] for row in table().rows.values() if row["top1"]]
    assert len(known) > 1150
    assert 40 < min(known) <= max(known) < 91


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "tf_efficientnet_b0.in1k", "swin_tiny_patch4_window7_224.ms_in1k"])
def test_preprocessing_is_timms(name: str) -> None:
    card, cfg = timm_card(name), registry()[name].to_dict()
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, pretrained_cfg=cfg))
    picture = sample_photos()[0].open()
    ours = Normalise(card.mean, card.std)(preprocess(picture, card.resize_size, card.input_size, card.interpolation))
    assert torch.allclose(ours, transform(picture)[None], atol=1e-4)


def test_the_cache_is_where_the_hub_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    for variables in ({}, {"HF_HOME": str(tmp_path / "h")}, {"HF_HUB_CACHE": str(tmp_path / "c"), "HF_HOME": "/x"}):
        for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=120, check=True).stdout
        assert cache() == Path(said.strip())


def test_a_fetched_network_is_listed_and_loaded_as_timm_loads_it(
    tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, data = tiny
    assert f"timm:{TIMM}" not in Zoo().cards()
    with hub({f"timm/{TIMM}": data}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        steps = list(fetch(Zoo().card(f"timm:{TIMM}")))
    assert (steps[-1].done, steps[-1].total) == (len(data), len(data))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    card = Zoo().cards()[f"timm:{TIMM}"]
    assert state(card) == HERE
    assert card.sha256 == hashlib.sha256(data).hexdigest()
    classifier = Zoo().load(f"timm:{TIMM}")
    assert_same_function(network, classifier, 1000)
    assert classifier.labels[291] == "lion"


def assert_same_function(theirs: torch.nn.Module, ours: Classifier, count: int) -> None:
    x = torch.rand(2, 3, ours.card.input_size, ours.card.input_size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = theirs(Normalise(ours.card.mean, ours.card.std)(x))
        torch.testing.assert_close(ours(x), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    assert expected.shape == (2, count)


def test_a_file_older_than_timms_layers_is_read_as_timm_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """LeViT's files hold tables that its layers work out by now."""
    name = "levit_128s.fb_dist_in1k"
    network, data = weights_of(name)
    tables = {key: value.clone() for key, value in network.named_buffers() if key.endswith("attention_bias_idxs")}
    assert tables
    with hub({f"timm/{name}": safetensors.torch.save({**safetensors.torch.load(data), **tables})}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        list(fetch(timm_card(name)))
    assert_same_function(network, Zoo().load(f"timm:{name}"), 1000)


def test_a_card_of_ones_own_may_name_an_architecture_that_works_out_tables(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = lived_in(timm.create_model("efficientvit_m0", pretrained=False, num_classes=3))
    safetensors.torch.save_file(network.state_dict(), tmp_path / "w.safetensors")
    card = Card(
        key="mine",
        name="Mine",
        kind="timm",
        architecture="efficientvit_m0",
        weights="w.safetensors",
        input_size=224,
        resize_size=224,
        licence="MIT",
        source="nowhere",
        options={"num_classes": 3},
        classes=[{"name": name} for name in "abc"],
        folder=tmp_path,
    )
    assert_same_function(network, load(card), 3)


def test_the_hubs_own_library_finds_what_was_fetched_here(fetched: bytes) -> None:
    ask = f"from huggingface_hub import try_to_load_from_cache as find; print(find('timm/{TIMM}', 'model.safetensors'))"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=120, check=True).stdout
    assert Path(said.strip()).read_bytes() == fetched
    assert COMMIT in said


def test_what_the_hubs_own_library_fetched_is_found_here(
    tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub({f"timm/{TIMM}": tiny[1]}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        ask = f"from huggingface_hub import hf_hub_download as get; get('timm/{TIMM}', 'model.safetensors')"
        subprocess.run([sys.executable, "-c", ask], capture_output=True, timeout=120, check=True)
    assert state(Zoo().cards()[f"timm:{TIMM}"]) == HERE


@pytest.mark.parametrize("how", ["", "renamed"])
def test_a_repository_may_have_been_renamed(
    how: str, tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.0)
    with hub({f"timm/{TIMM}": tiny[1]}, how) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        list(fetch(timm_card(TIMM)))
    assert cached(f"timm/{TIMM}")


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("other", r"^What 127\S+ sent is not model\.safetensors: its SHA-256 does not begin with \w{8}\. Try again\."),
        ("cut", r"^The connection to 127\S+ broke off before model\.safetensors was whole\. Try again\."),
        ("unstated", r"does not state the SHA-256 of model\.safetensors: nothing could be checked\. Try again\."),
        ("pickle", r"^127\S+ has no model\.safetensors of timm/test_vit\S+, and other files could run code\."),
    ],
)
def test_what_is_not_whole_or_not_safe_leaves_nothing_behind(
    how: str, sentence: str, tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.0)
    with hub({f"timm/{TIMM}": tiny[1]}, how) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadError, match=sentence):
            list(fetch(timm_card(TIMM)))
    assert state(timm_card(TIMM)) == ABSENT
    left = left_in_cache()
    assert [name.rpartition("/")[0].rpartition("/")[2] for name in left if name.endswith(".part")] == ["blobs"] * (how == "cut")
    assert how == "cut" or left == []


def test_a_file_much_larger_than_the_network_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub({f"timm/{TIMM}": bytes(int(3e6 * table().rows[TIMM]["megabytes"]))}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadError, match="offers a larger file"):
            list(fetch(timm_card(TIMM)))


def test_a_download_that_is_called_off_leaves_nothing_behind(
    tiny: tuple[torch.nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub({f"timm/{TIMM}": tiny[1]}, "slow") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        steps = fetch(timm_card(TIMM))
        next(steps)
        next(steps)
        assert any(name.endswith(".part") for name in left_in_cache())
        steps.close()
    assert left_in_cache() == []


def test_what_is_here_is_not_asked_for_again(fetched: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    before = left_in_cache()
    with hub({f"timm/{TIMM}": fetched}, "other") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert list(fetch(timm_card(TIMM))) == []
    assert left_in_cache() == before


def test_without_a_connection_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadError) as said:
        list(fetch(timm_card(TIMM)))
    assert re.search(
        r"^There is no connection to 127\.0\.0\.1:9\. Try again\. Without a connection, run `hf download"
        r" timm/test_vit\.r160_in1k model\.safetensors` on a computer that has one,"
        r" and copy its folder models--timm--test_vit\.r160_in1k into the Hub's cache \(HF_HOME/hub, ",
        str(said.value),
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"^HF_HUB_OFFLINE is set: nothing is fetched"):
        list(fetch(timm_card(TIMM)))
    with pytest.raises(
        ModelError, match=r"not on this machine\. .*fetch timm:test_vit.* downloads 2 MB\. Without a connection"
    ):
        Zoo().load(f"timm:{TIMM}")


def test_a_file_that_was_changed_in_the_cache_is_other_weights(fetched: bytes) -> None:
    path = cached(f"timm/{TIMM}")
    assert path
    path.write_bytes(fetched[:-4] + b"\0\1\2\3")
    assert state(timm_card(TIMM)) == OTHER
    with pytest.raises(ModelError, match="not the file that its card describes"):
        Zoo().load(f"timm:{TIMM}")


def test_a_file_of_another_network_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub({f"timm/{TIMM}": weights_of("test_resnet.r160_in1k")[1]}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        list(fetch(timm_card(TIMM)))
    with pytest.raises(ModelError, match=rf"weights file of {TIMM} does not fit"):
        Zoo().load(f"timm:{TIMM}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "resnet81.a1_in1k",
            r"^timm has no trained ImageNet network called 'resnet81\.a1_in1k'\. Nearest: timm:resnet18\.a1_in1k",
        ),
        (
            "swin_s3_tiny_224",
            r"no trained ImageNet network called 'swin_s3_tiny_224'\. Nearest: timm:swin_s3_tiny_224\.ms_in1k\.$",
        ),
        ("../../etc/passwd", r"no trained ImageNet network called '\.\./\.\./etc/passwd'\.$"),
        ("", r"no trained ImageNet network called ''\.$"),
        ("x" * 100_000, r"no trained ImageNet network called 'x{80}'\.$"),
        (
            "vit_base_patch16_224.augreg_in21k",
            r"^vit_\S+ gives 21843 scores a picture, not those of .*Nearest: timm:vit_base_patch16",
        ),
        ("convnext_nano.in12k", r"^convnext_nano\.in12k gives 11821 scores a picture"),
        ("vit_base_patch16_clip_224.openai", r"gives 512 scores a picture.*Nearest: timm:vit_base_patch16_clip_224\.openai_ft"),
        ("vit_small_patch14_dinov2.lvd142m", r"^vit_small_patch14_dinov2\.lvd142m has no classifier"),
        ("gcvit_tiny.in1k", r"^gcvit_tiny\.in1k has no safetensors file on the Hugging Face Hub"),
    ],
)
def test_names_that_cannot_be_used_are_told_why(name: str, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence) as said:
        Zoo().card(f"timm:{name}")
    assert len(str(said.value)) < 400


def test_searching_finds_all_words_small_networks_first() -> None:
    found = search("ResNet18 a1")
    assert found[0] == "resnet18.a1_in1k"
    assert all("resnet18" in name and "a1" in name for name in found)
    begin = [name for name in search("vit") if name.startswith("vit")]
    assert search("vit")[: len(begin)] == begin
    sizes = [table().rows[name]["megabytes"] for name in begin]
    assert sizes == sorted(sizes)
    assert search("no such thing") == []


def test_a_network_larger_than_the_memory_is_refused_before_its_download() -> None:
    zoo, card = Zoo(memory=1500), timm_card("eva_giant_patch14_224.clip_ft_in1k")
    with pytest.raises(ModelError, match=r"needs 4\d\d\d MB, more than the 1500 MB that networks may take\. Set UAP_MEMORY"):
        zoo.check_room(card, card.megabytes)
    zoo.check_room(timm_card(TIMM), timm_card(TIMM).megabytes)


def test_neither_timm_nor_torch_is_imported_to_list_and_to_find(fetched: bytes) -> None:
    check = (
        "import sys; from uap_core.models.zoo import Zoo; from uap_core.models.timm_table import search\n"
        f"assert 'timm:{TIMM}' in Zoo().cards(); search('vit'); Zoo().card('timm:resnet18.a1_in1k')\n"
        "print([name for name in ('torch', 'timm', 'huggingface_hub', 'httpx') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
