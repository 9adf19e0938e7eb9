from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from uap_core.assets import MODELS
from uap_core.errors import ModelError
from uap_core.models import loaders
from uap_core.models.card import Card, read_card
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


def write(folder: Path, **changes: object) -> Path:
    path = folder / f"{changes.get('key', 'mine')}.json"
    path.write_text(json.dumps({**GOOD, **changes}), encoding="utf-8")
    return path


def test_listing_loads_nothing() -> None:
    check = (
        "import sys; from pathlib import Path; from uap_core.models.zoo import Zoo\n"
        f"cards = Zoo([Path({str(CARDS)!r})]).cards(); [card.available for card in cards.values()]\n"
        "print(len(cards), [name for name in ('torch', 'torchvision', 'numpy', 'gradio') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    count, _, heavy = run.stdout.strip().partition(" ")
    assert run.returncode == 0, run.stderr
    assert int(count) >= 5
    assert heavy == "[]"


def test_shipped_cards_have_their_weights() -> None:
    cards = Zoo().cards()
    assert "resnet64" in cards
    for card in cards.values():
        assert card.available
        assert card.sha256 == loaders.file_hash(card.weights_path)
        assert card.licence
        assert card.source
        assert 0 < card.measured["top1"] < 1


def test_unknown_key_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"no network called 'alexnet'\. Known: .*resnet64"):
        load_model("alexnet")
    with pytest.raises(ModelError, match="no network called"):
        load_model("__import__('os')")


def test_absent_weights_say_where_they_belong(tmp_path: Path) -> None:
    write(tmp_path, source="https://example.org/mine")
    zoo = Zoo([tmp_path])
    assert not zoo.cards()["mine"].available
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
        (json.dumps({**GOOD, "colour": 1, "age": 2}), "not known: age, colour"),
        (json.dumps({**GOOD, "kind": "pickle"}), "must be one of embedded, exported, torchvision"),
    ],
    ids=["damaged", "list", "number", "incomplete", "unknown entries", "unknown kind"],
)
def test_bad_cards(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=sentence):
        read_card(path)


def test_weights_lie_beside_the_card(tmp_path: Path) -> None:
    assert read_card(write(tmp_path)).weights_path == (tmp_path / "mine.safetensors").resolve()


def test_two_visitors_share_one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ask at once, while the first load is under way."""
    under_way, calls = threading.Event(), []

    def slowly(card: Card) -> object:
        calls.append(card.key)
        under_way.wait(0.2)
        return object()

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
    assert cards["squeezenet1_1_caffe"].name == "squeezenet1_1 (Caffe)"
    assert cards["mobilenet_v2_tf"].name == "mobilenet_v2 (TF)"
    assert {card.kind for card in cards.values()} == {"exported", "torchvision"}
    for card in cards.values():
        if card.kind == "torchvision":  # torchvision's own files begin with the digits in their names
            assert not card.sha256.startswith(Path(card.weights).stem.rpartition("-")[2])
