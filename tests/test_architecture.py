"""The arrows of the design: who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import uap_core
from uap_core.attacks.menu import MENU
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "uap_core"
LAYERS = (
    {"__main__"},
    {"cli", "ui"},
    {"precompute"},
    {"plots"},
    {"api"},
    {"experiments"},
    {"crafting", "attacks", "training"},
    {"models", "defences", "bounds", "perturbations", "geometric"},
    {"datasets"},
    {"images"},
    {"io", "norms", "metrics", "settings", "identity", "registry", "checks"},
    {"errors"},
    {"i18n"},
)
HEIGHT = {room: -depth for depth, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = ("torch", "torchvision", "gradio", "matplotlib")
STUB = ast.parse((CORE / "__init__.pyi").read_text(encoding="utf-8"))
PUBLIC = {alias.name: node.module or "" for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names}
FILES = sorted(path for path in CORE.rglob("*.py") if path != CORE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that ``path`` imports, by its full name, and whether the import stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inner
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in inner
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.args[0].value, id(node) in inner


def importers(package: str) -> set[str]:
    return {room_of(path) for path in FILES for name, _ in imports(path) if name.split(".")[0] == package}


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in FILES} <= set(HEIGHT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_arrows_point_down(path: Path) -> None:
    mine = room_of(path)
    for name, _ in imports(path):
        parts = name.split(".")
        if parts[0] == "uap_core" and len(parts) > 1:
            theirs = PUBLIC.get(parts[1], parts[1]).split(".")[0]
            if theirs not in HEIGHT:  # the package's own version, say
                continue
            assert mine == theirs or HEIGHT[mine] >= HEIGHT[theirs], f"{mine} imports {name}"


def test_who_imports_the_heavy_packages() -> None:
    assert importers("gradio") <= {"ui"}
    assert importers("matplotlib") == {"plots", "datasets"}
    assert {
        path.name for path in FILES if room_of(path) == "datasets" for name, _ in imports(path) if name == "matplotlib"
    } == {"digits.py"}, "the fonts of the digits alone"
    assert importers("torchvision") <= {"models", "datasets"}


def test_torchvision_is_imported_inside_functions_only() -> None:
    for path in FILES:
        assert all(inside for name, inside in imports(path) if name.split(".")[0] == "torchvision"), path.name


def test_torchvision_is_reached_through_one_door() -> None:
    """``import_torchvision`` mends a broken build first; a plain import beside it would not."""
    assert {path.name for path in FILES for name, _ in imports(path) if name.split(".")[0] == "torchvision"} == {"libraries.py"}


@pytest.mark.parametrize(
    "statement",
    [
        "import uap_core",
        "from uap_core.models.zoo import Zoo; assert 'resnet64' in Zoo().cards()",
        "import uap_core.images, uap_core.datasets, uap_core.norms, uap_core.perturbations.perturbation, uap_core.io.results",
        "from uap_core.images.photographs import sample_photos; sample_photos()",
        "import uap_core.__main__",
    ],
    ids=["package", "list of networks", "lower rooms", "list of photographs", "command line"],
)
def test_stays_light(statement: str) -> None:
    check = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_importing_the_package_is_quick() -> None:
    """Next to nothing is loaded for it, whatever the machine is doing; `tests/bench/startup.py` tells the time."""
    check = "import sys; before = set(sys.modules); import uap_core; print(len(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 60


def test_public_names_are_there() -> None:
    assert set(uap_core.__all__) == set(PUBLIC)
    assert set(uap_core.__all__) <= set(dir(uap_core)), "editors complete them"
    for name in uap_core.__all__:
        assert getattr(uap_core, name).__name__ == name
    with pytest.raises(AttributeError, match="nonsense"):
        uap_core.nonsense  # noqa: B018


def test_every_method_and_attack_is_public() -> None:
    for kind in (method_class(key) for key in METHODS):
        assert getattr(uap_core, kind.__name__, None) is kind
    for item in MENU.values():
        assert getattr(uap_core, type(item.build(0.1, 1, False)).__name__, None) is type(item.build(0.1, 1, False))


def test_the_equation_is_written_once() -> None:
    """clamp(x + v, 0, 1) below the page is ``apply``."""
    written = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)* [+-] .*\)\.clamp\(0(?:\.0)?, 1(?:\.0)?\)")
    found = [path.name for path in FILES if room_of(path) != "ui" and written.search(path.read_text(encoding="utf-8"))]
    # The others: pixels moved along tanh, the bounds of a pixel, rounding to the 8-bit grid, digits without colours.
    assert sorted(found) == ["cw_l2.py", "digit_attack.py", "norms.py", "perturbation.py", "pixels.py", "small.py"]


def test_half_written_files_are_the_matter_of_one_file() -> None:
    """``atomic.whole_file``; dreams are written into a zip by a module of their own."""
    beside = re.compile(r"mkstemp\(|with_suffix\(\"\.part\"\)")
    assert {path.name for path in FILES if beside.search(path.read_text(encoding="utf-8"))} - {"class_impressions.py"} == {
        "atomic.py"
    }


def test_the_front_door_is_small() -> None:
    door = ROOT / "app.py"
    if not door.is_file():
        pytest.skip("app.py is not written yet.")
    assert len(door.read_text(encoding="utf-8").splitlines()) < 60
