"""A file with a decorated class is all that an attack or a method needs, to be found wherever there is a choice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from uap_core import attacks, crafting
from uap_core.attacks.menu import MENU as ATTACKS
from uap_core.attacks.menu import Item, register_attack
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class, register_method
from uap_core.registry import entries

ROOT = Path(__file__).resolve().parent.parent
TOY_ATTACK = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.menu import register_attack

@register_attack("toy", "Toy attack", "nobody, 2030", "linf", True, build=lambda wanted: ToyAttack(wanted.epsilon / 2))
@dataclass(frozen=True)
class ToyAttack(FGSM):
    key: ClassVar[str] = "toy_attack"
"""
TOY_METHOD = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from uap_core.crafting.menu import register_method
from uap_core.crafting.spgd import SPGD

@register_method("toy", "Toy method", "nobody, 2030", "Does as SPGD does.", settings={"rate": 0.5})
@dataclass(frozen=True, kw_only=True)
class ToyMethod(SPGD):
    key: ClassVar[str] = "toy"
"""
LOOK = """
import json, sys
import uap_core, uap_core.attacks, uap_core.crafting
uap_core.attacks.__path__.append(sys.argv[1])
uap_core.crafting.__path__.append(sys.argv[2])
from uap_core.attacks.menu import MENU as attacks
from uap_core.crafting.menu import MENU as methods
seen = {"attacks": [item.name for item in attacks.values()], "methods": [item.name for item in methods.values()]}
seen["light"] = "torch" not in sys.modules
from typer.testing import CliRunner
from uap_core.__main__ import app
seen["help"] = [CliRunner().invoke(app, [command, "--help"]).output for command in ("craft", "transfer")]
from uap_core.crafting.menu import build
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.metrics import Rate
from uap_core.plots.convergence import convergence_figure
seen["attack"] = repr(attacks["toy"].build(0.5, 1, False))
seen["method"] = [type(build("toy", 7)).__name__, build("toy", 7).rate]
(axes,) = convergence_figure([ConvergenceRow("toy", 0, 16, 1.0, Rate(1, 2))], "t").axes
seen["chart"] = [text.get_text() for text in axes.texts]
seen["public"] = [uap_core.ToyAttack.__name__, uap_core.ToyMethod.__name__]
from uap_core.api import attack, craft
import torch
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
x = torch.rand(4, 3, 2, 2)
seen["bound"] = float(attack(network, x, method="toy", epsilon=0.25).linf.max())
seen["made by"] = craft(network, x, method="toy", budget=8).provenance["method"]
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a fresh process finds with one more file in each of the two packages."""
    folders = [tmp_path_factory.mktemp(name) for name in ("attacks", "crafting")]
    for folder, source in zip(folders, (TOY_ATTACK, TOY_METHOD), strict=True):
        (folder / "toy_of_a_test.py").write_text(source, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", LOOK, *map(str, folders)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_one_file_is_found_in_menus_without_torch(seen: dict[str, object]) -> None:
    assert seen["light"] is True
    assert seen["attacks"] == [*(item.name for item in ATTACKS.values()), "Toy attack"]
    assert seen["methods"] == [*(item.name for item in METHODS.values()), "Toy method"]


def test_one_file_is_found_by_command_line_chart_and_program(seen: dict[str, object]) -> None:
    assert all("toy" in text for text in seen["help"])  # type: ignore[attr-defined]
    assert seen["chart"] == ["Toy method 50%"]
    assert seen["public"] == ["ToyAttack", "ToyMethod"]


def test_one_file_is_built_and_run_by_its_key(seen: dict[str, object]) -> None:
    assert seen["attack"] == "ToyAttack(epsilon=0.25)"
    assert seen["method"] == ["ToyMethod", 0.5]
    assert seen["bound"] == pytest.approx(0.125)
    assert seen["made by"] == "toy"


def test_what_is_read_is_what_the_decorators_say() -> None:
    """The decorators refuse to register anything else than what was read, when their files run."""
    for key, item in ATTACKS.items():
        assert type(item.build(0.1, 1, False)).__name__ == item.class_name
        assert key == item.key
    for key, method in METHODS.items():
        assert method_class(key).key == key
        assert method_class(key).__name__ == method.class_name
    assert {entry.words["class_name"] for entry in entries(attacks, "register_attack")} == {
        item.class_name for item in ATTACKS.values()
    }
    assert len(entries(crafting, "register_method")) == len(METHODS)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(TypeError, match="two attacks called 'fgsm'"):
        register_attack("fgsm", "Mine", "", "linf", True, build=lambda _wanted: None)(type("Mine", (), {}))  # type: ignore
    with pytest.raises(TypeError, match="two methods called 'spgd'"):
        register_method("spgd", "Mine", "", "")(type("Mine", (), {}))  # type: ignore
    assert isinstance(ATTACKS["fgsm"], Item)
    assert ATTACKS["fgsm"].class_name == "FGSM"


def test_words_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.py").write_text("\n@register_attack(NAME)\nclass Wrong:\n    pass\n", encoding="utf-8")
    monkeypatch.setattr(attacks, "__path__", [str(tmp_path)])
    with pytest.raises(TypeError, match=r"wrong: .* plain values"):
        entries(attacks, "register_attack")
