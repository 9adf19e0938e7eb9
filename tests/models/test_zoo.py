from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision_names import tv_models
from typer.testing import CliRunner

from uap_core.__main__ import app
from uap_core.errors import ModelError, SettingError
from uap_core.io.paths import MODELS
from uap_core.models import loaders
from uap_core.models.card import Card, read_card
from uap_core.models.features import features_at
from uap_core.models.kept import megabytes
from uap_core.models.weights import ABSENT, HERE, file_hash, state
from uap_core.models.zoo import FOLDERS_VARIABLE, Zoo, load_model

ROOT = Path(__file__).resolve().parents[2]
CARDS = ROOT / "tests" / "cards"
GOOD = {
    "key": "mine",
    "name": "Mine",
    "kind": "embedded",
    "weights": "mine.safetensors",
    "input_size": 64,
    "resize_size": 64,
    "licence": "MIT",
    "source": "nowhere",
}


# Entries of the wrong type or out of range, and what is said of them.
WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"input_size": "64"}, "whole number, not '64'"),
    ({"input_size": -3}, "Input size must be"),
    ({"input_size": 10**9, "resize_size": 10**9}, "Input size must be"),
    ({"resize_size": 8}, "Resize size must be"),
    ({"view_size": -1}, "View size must be"),
    ({"mean": [0.1, 0.2]}, "mean has 2 values"),
    ({"mean": [0.5, float("nan"), 0.5]}, "value of mean must be a number"),
    ({"std": [1, 0, 1]}, "value of std must be"),
    ({"std": "abc"}, "Std must be a list"),
    ({"std": ["a", "b", "c"]}, "value of std must be a number"),
    ({"same_network": "abcdef"}, "Same network must be a list"),
    ({"download_megabytes": -1}, "Download megabytes must be"),
    ({"name": "a\0b"}, "characters that no text has"),
    ({"source": "\ud800"}, "characters that no text has"),
    ({"weights": "package:this.x/x"}, "package:NAME/PATH"),
    ({"weights": "package:../x"}, "package:NAME/PATH"),
    ({"weights": "package:timm/../x"}, "package:NAME/PATH"),
    ({"measured": {"set": 5}}, "Set of measured must be a text"),
    ({"options": {"checkpoint_path": "evil"}}, "option 'checkpoint_path' is not taken"),
    ({"options": {"drop": "/x/evil.pth"}}, "option 'drop' is not taken"),
    ({"options": {"pretrained_cfg": {}}}, "option 'pretrained_cfg' is not taken"),
    ({"classes": 7}, "Classes must be"),
    ({"classes": []}, "lists no class"),
    ({"classes": [{"name": 1}]}, "Each of the classes"),
    ({"key": 5}, "must be a text"),
    ({"key": "../x"}, "no slash"),
    ({"key": "a/b"}, "no slash"),
    ({"key": ""}, "no slash"),
    ({"name": ""}, "not empty"),
    ({"weights": ""}, "not empty"),
    ({"sha256": 5}, "must be a text"),
    ({"interpolation": "nearest"}, "one of bilinear, bicubic"),
    ({"measured": [1]}, "Measured must be"),
    ({"measured": {"top1": "no"}}, "Top1 of measured"),
    ({"published": {"top5": 76.1}}, "Top5 of published"),
    ({"options": 3}, "Options must be"),
    ({"same_network": [5]}, "same_network lists texts"),
)


def write(folder: Path, **changes: object) -> Path:
    path = folder / f"{changes.get('key', 'mine')}.json"
    path.write_text(json.dumps({**GOOD, **changes}), encoding="utf-8")
    return path


def test_listing_loads_nothing() -> None:
    check = (
        "import sys; from pathlib import Path; from uap_core.models.zoo import Zoo; from uap_core.models.weights import state\n"
        f"cards = Zoo([Path({str(CARDS)!r})]).cards(); [state(card) for card in cards.values()]\n"
        "print(len(cards), [name for name in ('torch', 'torchvision', 'numpy', 'gradio') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    count, _, heavy = run.stdout.strip().partition(" ")
    assert run.returncode == 0, run.stderr
    assert int(count) >= 5
    assert heavy == "[]"


def test_shipped_cards_have_their_weights() -> None:
    cards = {key: card for key, card in Zoo().cards().items() if card.folder == MODELS}
    assert "resnet64" in cards
    for card in cards.values():
        assert state(card) == HERE
        assert card.sha256 == file_hash(card.weights_path)
        assert card.licence
        assert card.source
        assert 0 < card.measured["top1"] < 1


def test_unknown_key_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"no network called 'alexnet2'\. Known: .*resnet64"):
        load_model("alexnet2")
    with pytest.raises(ModelError, match="no network called"):
        load_model("__import__('os')")


def test_absent_weights_say_where_they_belong(tmp_path: Path) -> None:
    write(tmp_path, source="https://example.org/mine")
    zoo = Zoo([tmp_path])
    assert state(zoo.cards()["mine"]) == ABSENT
    with pytest.raises(ModelError, match=r"Mine are not on this machine.*'mine\.safetensors'.*example\.org/mine"):
        zoo.load("mine")


def test_absent_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder of network cards"):
        Zoo([tmp_path / "nowhere"]).cards()


def test_folders_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, key=name)
    monkeypatch.setenv(FOLDERS_VARIABLE, os.pathsep.join(str(tmp_path / name) for name in ("one", "two")))
    assert {"one", "two", "resnet64"} <= set(Zoo().cards())


def test_a_stranger_cannot_shadow_a_shipped_network(tmp_path: Path) -> None:
    write(tmp_path, key="resnet64")
    assert Zoo([tmp_path]).cards()["resnet64"].folder == MODELS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("3", "cannot be read"),
        ('{"key": "mine"}', "cannot be read"),
        (json.dumps({**GOOD, "colour": 1, "age": 2}), "unknown entries: age, colour"),
        (json.dumps({**GOOD, "sha256": "92116e1"}), "8 to 64 digits"),
        (json.dumps({**GOOD, "kind": "pickle"}), "must be one of embedded, exported, torchvision"),
        *((json.dumps({**GOOD, **entries}), sentence) for entries, sentence in WRONG),
    ],
)
def test_bad_cards(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=sentence):
        read_card(path)


def test_one_bad_card_is_said_and_the_others_stay(tmp_path: Path) -> None:
    write(tmp_path, key="good")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    zoo = Zoo([tmp_path])
    assert {"good", "resnet64"} <= set(zoo.cards())
    assert zoo.card("good").key == "good"
    (fault,) = zoo.faults()
    assert "'bad.json' cannot be read" in fault
    with pytest.raises(ModelError, match=r"no network called 'bad'\. .*'bad\.json' cannot be read"):
        zoo.card("bad")
    assert not Zoo().faults()
    told = CliRunner().invoke(app, ["models", "--folder", str(tmp_path)])
    assert told.exit_code == 0
    assert "resnet64" in told.output
    assert "'bad.json' cannot be read" in told.output


def test_nothing_right_when_measured_is_not_what_others_published(tmp_path: Path) -> None:
    assert read_card(write(tmp_path, measured={"top1": 0.0}, published={"top1": 0.7})).top1 == 0.0


def test_weights_lie_beside_the_card(tmp_path: Path) -> None:
    assert read_card(write(tmp_path)).weights_path == (tmp_path / "mine.safetensors").resolve()


def test_two_visitors_share_one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ask at once, while the first load is under way."""
    under_way, calls = threading.Event(), []

    def slowly(card: Card) -> nn.Module:
        calls.append(card.key)
        under_way.wait(0.2)
        return nn.Identity()

    monkeypatch.setattr(loaders, "load", slowly)
    zoo, found = Zoo(), []
    visitors = [threading.Thread(target=lambda: found.append(zoo.load("resnet64"))) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert calls == ["resnet64"]
    assert all(network is found[0] for network in found)
    assert zoo.load("resnet64") is found[0]


def test_test_cards_are_read_and_name_stand_ins_as_such() -> None:
    cards = {path.stem: read_card(path) for path in CARDS.glob("*.json")}
    assert all(card.key == name for name, card in cards.items())
    assert cards["mobilenet_v2_tf"].name == "mobilenet_v2 (TF)"
    assert {card.kind for card in cards.values()} == {"exported", "torchvision"}
    for card in cards.values():
        if card.kind == "torchvision":  # torchvision's own files begin with the digits in their names
            assert not card.sha256.startswith(Path(card.weights).stem.rpartition("-")[2])


# Memory


def many(folder: Path, count: int) -> list[str]:
    """Cards of ``count`` small networks of different random weights, each of about 1.2 MB in memory."""
    keys = []
    for seed in range(count):
        torch.manual_seed(seed)
        network = tv_models.get_model("squeezenet1_1", weights=None, num_classes=4)
        torch.save(network.state_dict(), folder / f"net{seed}.pth")
        changes = {"kind": "torchvision", "architecture": "squeezenet1_1", "options": {"num_classes": 4}, "input_size": 32}
        classes = [{"name": name} for name in "abcd"]
        write(folder, key=f"net{seed}", weights=f"net{seed}.pth", classes=classes, **changes)
        keys.append(f"net{seed}")
    return keys


def test_walking_through_six_networks_stays_within_the_bound(tmp_path: Path) -> None:
    keys = many(tmp_path, 6)
    zoo = Zoo([tmp_path], memory=10)
    seen = []
    for key in keys:
        seen.append(weakref.ref(zoo.load(key)))
        features_at(seen[-1](), 16)  # what else is remembered of a network must not keep it
        gc.collect()
        assert sum(zoo.in_memory().values()) <= 10
        alive = [ref() for ref in seen if ref() is not None]
        assert len(alive) == len(zoo.in_memory())
        assert sum(megabytes(network) for network in alive) <= 10
        del alive
    assert list(zoo.in_memory()) == keys[-len(zoo.in_memory()) :]
    assert len(zoo.in_memory()) >= 2


def test_the_one_unused_for_longest_goes_first(tmp_path: Path) -> None:
    first, second, third = many(tmp_path, 3)
    one = megabytes(Zoo([tmp_path]).load(first))
    zoo = Zoo([tmp_path], memory=2.5 * one)
    kept = zoo.load(first)
    zoo.load(second)
    assert zoo.load(first) is kept
    zoo.load(third)
    assert list(zoo.in_memory()) == [first, third]


def test_a_network_too_large_for_the_bound_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = many(tmp_path, 1)
    monkeypatch.setenv("UAP_MEMORY", "2")
    with pytest.raises(ModelError, match=r"needs 3 MB, more than the 2 MB that networks may take\. Set UAP_MEMORY"):
        Zoo([tmp_path]).load(key)
    for nonsense in ("much", "nan", "-1", "inf"):
        monkeypatch.setenv("UAP_MEMORY", nonsense)
        with pytest.raises(SettingError, match=f"UAP_MEMORY must be a whole number above 0 .*, not '{nonsense}'"):
            Zoo()


def test_a_network_that_cannot_be_loaded_drives_nobody_out(tmp_path: Path) -> None:
    first, second = many(tmp_path, 2)
    write(tmp_path, **{**json.loads((tmp_path / f"{second}.json").read_text()), "sha256": "0" * 64})
    zoo = Zoo([tmp_path], memory=1.5 * megabytes(Zoo([tmp_path]).load(first)))
    kept = zoo.load(first)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        zoo.load(second)
    assert zoo.load(first) is kept


def test_loading_one_network_holds_up_nobody_who_wants_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = many(tmp_path, 2)
    zoo, begun, may_end = Zoo([tmp_path]), threading.Event(), threading.Event()

    def load(card: Card) -> object:
        if card.key == slow:
            begun.set()
            assert may_end.wait(20)
        return loaders_load(card)

    loaders_load = loaders.load
    monkeypatch.setattr(loaders, "load", load)
    found: list[object] = []
    waiting = [threading.Thread(target=lambda: found.append(zoo.load(slow))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert begun.wait(20)
    assert zoo.load(quick) is zoo.load(quick)
    assert not found
    may_end.set()
    for thread in waiting:
        thread.join(20)
    assert len(found) == 3
    assert len({id(network) for network in found}) == 1


def test_a_network_waits_while_another_one_that_is_being_loaded_takes_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = many(tmp_path, 2)
    zoo = Zoo([tmp_path], memory=1.5 * megabytes(Zoo([tmp_path]).load(first)))
    begun, together = {key: threading.Event() for key in (first, second)}, []
    loaders_load = loaders.load

    def load(card: Card) -> object:
        begun[card.key].set()
        if card.key == first:
            together.append(begun[second].wait(0.4))
        return loaders_load(card)

    monkeypatch.setattr(loaders, "load", load)
    loading = [threading.Thread(target=zoo.load, args=(first,)), threading.Thread(target=zoo.load, args=(second,))]
    loading[0].start()
    assert begun[first].wait(20)
    loading[1].start()
    for thread in loading:
        thread.join(20)
    assert together == [False]
    assert list(zoo.in_memory()) == [second]


def test_after_a_failure_the_next_may_try_again(tmp_path: Path) -> None:
    (key,) = many(tmp_path, 1)
    data = (tmp_path / f"{key}.pth").read_bytes()
    (tmp_path / f"{key}.pth").write_bytes(b"broken")
    zoo = Zoo([tmp_path])
    for _ in range(2):
        with pytest.raises(ModelError, match="does not fit"):
            zoo.load(key)
    (tmp_path / f"{key}.pth").write_bytes(data)
    assert zoo.load(key) is zoo.load(key)


def test_a_card_that_changed_is_read_anew(tmp_path: Path) -> None:
    text = (MODELS / "resnet64.json").read_text(encoding="utf-8")
    path = tmp_path / "resnet64.json"
    path.write_text(text, encoding="utf-8")
    assert read_card(path) is read_card(path)
    path.write_text(json.dumps({**json.loads(text), "name": "another"}), encoding="utf-8")
    assert read_card(path).name == "another"


def test_classes_may_leave_out_their_ids(tmp_path: Path) -> None:
    write(tmp_path, classes=[{"name": "cat"}, {"name": "dog", "wnid": "n02"}])
    card = Zoo([tmp_path]).card("mine")
    assert card.classes == [{"wnid": "", "name": "cat"}, {"wnid": "n02", "name": "dog"}]


@pytest.mark.parametrize("weights", [".", "x" * 300, "package:nothere/w", "package:__main__/x"])
def test_weights_that_are_no_file_are_not_here(tmp_path: Path, weights: str) -> None:
    write(tmp_path, weights=weights, sha256="0" * 64)
    zoo = Zoo([tmp_path])
    card = zoo.card("mine")
    assert (state(card), card.megabytes, zoo.faults()) == (ABSENT, 0.0, [])
    with pytest.raises(ModelError, match="not on this machine"):
        zoo.load("mine")


@pytest.mark.parametrize("held", ["[" * 100_000, "[]", "7"])
def test_a_card_that_is_none_is_a_fault_and_the_others_stay(tmp_path: Path, held: str) -> None:
    (tmp_path / "bad.json").write_text(held, encoding="utf-8")
    zoo = Zoo([tmp_path])
    assert "resnet64" in zoo.cards()
    (fault,) = zoo.faults()
    assert "'bad.json' cannot be read" in fault


def test_something_else_than_text_is_no_key() -> None:
    for key in ([], 7, None):
        with pytest.raises(ModelError, match="called by a text"):
            Zoo().card(key)  # type: ignore[arg-type]
