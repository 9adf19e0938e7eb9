from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from uap_core.io.paths import MODELS
from uap_core.models.robust_variants import ROBUST, TWINS, UNIVERSAL, trained_twins, twin_key
from uap_core.models.zoo import Zoo

ROOT = Path(__file__).resolve().parents[2]


def test_the_embedded_network_has_both_and_its_siblings_none() -> None:
    zoo = Zoo()
    twins = trained_twins(zoo, "resnet64")
    assert {name: twin.card.key for name, twin in twins.items()} == {
        ROBUST: "resnet64_robust",
        UNIVERSAL: "resnet64_universal",
    }
    assert {twin.card.recipe["start"] for twin in twins.values()} == {"resnet64"}
    assert {name: twin.card.recipe["against"] for name, twin in twins.items()} == {ROBUST: "images", UNIVERSAL: "universal"}
    for key in ("vgg64", "resnet64_robust", "nobody"):
        assert trained_twins(zoo, key) == {}


def test_a_twin_without_its_weights_is_none(tmp_path: Path) -> None:
    card = json.loads((MODELS / "resnet64_robust.json").read_text(encoding="utf-8"))
    key = twin_key("vgg64", ROBUST)
    (tmp_path / "twin.json").write_text(json.dumps(card | {"key": key, "weights": "nowhere.safetensors"}), encoding="utf-8")
    zoo = Zoo([tmp_path])
    assert key in zoo.cards()
    assert trained_twins(zoo, "vgg64") == {}


def test_listing_them_needs_no_torch() -> None:
    check = "import sys, uap_core.models.robust_variants as room; print(len(room.TWINS), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == f"{len(TWINS)} False", done.stderr
