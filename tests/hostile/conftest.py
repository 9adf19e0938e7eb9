"""One running app for all hostile tests of a process, with a network whose names are HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from running import PWN, Running, running
from visitor import Visitor

from uap_core.io.paths import MODELS


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app with one more network: the embedded one under a name, a key and class names that are HTML."""
    folder = tmp_path_factory.mktemp("models")
    card = json.loads((MODELS / "resnet64.json").read_text(encoding="utf-8"))
    classes = [{"name": f"{PWN}{number}", "wnid": entry["wnid"]} for number, entry in enumerate(card["classes"])]
    changes = {"key": f"key{PWN}", "name": f"name{PWN}", "licence": PWN, "source": PWN, "note": PWN, "classes": classes}
    changes["weights"] = str(MODELS / card["weights"])
    (folder / "hostile.json").write_text(json.dumps({**card, **changes}), encoding="utf-8")
    with running("--models", str(folder)) as app:
        yield app


@pytest.fixture
def visitor(app: Running) -> Visitor:
    """A new visitor of the running app."""
    return Visitor(app.address)
