"""The page's own texts can be translated: in a language made up here, names, numbers and what the core says stay English."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pytest

from uap_core import errors
from uap_core.i18n import catalogue
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.imagenet import imagenet_classes
from uap_core.models.zoo import Zoo
from uap_core.perturbations.library import library
from uap_core.perturbations.remote import CATALOGUE
from uap_core.ui.html.words import pattern_parts

babel = pytest.importorskip("babel.messages.frontend")
from babel.messages.catalog import Catalog, Message  # noqa: E402 - Babel comes with tests/requirements.txt
from babel.messages.mofile import write_mo  # noqa: E402
from babel.messages.pofile import read_po  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "uap_core" / "locale" / "uap_core.pot"
PLACE = re.compile(r"\{[a-z_0-9]+(?:![rs])?(?::[^{}]*)?\}")
TRANSLATED = re.compile("⟦[^⟦⟧]*⟧")
# Beside the names of ``names``: of metrics, norms, formats, units, attacks, methods, authors and makers.
STAY = re.compile(
    r"\b(l_inf|linf|l2|l_0|PSNR|SSIM|dB|px|MB|s|ms|PNG|JPEG|of|to|et al|FGSM|PGD|MI-FGSM|Square|DeepFool|L-BFGS|Carlini|Wagner"
    r"|Hinge|by SGD-UAP|MobileNet|SPGD|DF-UAP|Cos-UAP|SGA|SV-UAP|ImageNet|log|JS|KL|Goodfellow|Gradio|API)\b"
)
TRANSLATING = ("ui", "plots")  # what lies below them is English
# Whose sentences people read.
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.UapError)}


def messages() -> list[Message]:
    with TEMPLATE.open("rb") as stream:
        return [message for message in read_po(stream) if message.id]


def ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def pseudo(text: str) -> str:
    """``text`` in brackets but for its places, so that an English word put into one shows; formulas have no places."""
    ends = [0, *(end for place in PLACE.finditer(text) if "$" not in text for end in place.span()), len(text)]
    parts = [text[start:end] for start, end in pairwise(ends)]
    return "".join(f"⟦{part}⟧" if part.strip() and i % 2 == 0 else part for i, part in enumerate(parts))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """What the page says in the language "pseudo"."""
    found = Catalog()
    for message in messages():
        found.add(message.id, tuple(map(pseudo, message.id)) if isinstance(message.id, tuple) else pseudo(message.id))
    folder = tmp_path_factory.mktemp("locale")
    (folder / "pseudo" / "LC_MESSAGES").mkdir(parents=True)
    with (folder / "pseudo" / "LC_MESSAGES" / "uap_core.mo").open("wb") as stream:
        write_mo(stream, found)
    command = [sys.executable, str(Path(__file__).with_name("spoken_page.py")), str(folder)]
    environment = {**os.environ, "UAP_LANGUAGE": "pseudo", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert run.returncode == 0, run.stderr
    said: dict[str, list[tuple[str, str]]] = json.loads(run.stdout.splitlines()[-1])
    return said


def names() -> list[str]:
    """What comes from files and stays as it is there, long ones first."""
    cards = list(Zoo().cards().values())
    found = [text for entry in library() for text in (entry.name, entry.name.partition(",")[0], entry.key)]
    found += [pattern_parts(entry.name, entry.ball)[0] for entry in library()]
    found += [entry.name for entry in CATALOGUE] + ["tiny-imagenet-100"]
    found += [text for photo in SAMPLE_PHOTOS for text in (photo.title, photo.credit)]
    found += imagenet_classes()[0]
    for card in cards:
        found += [card.name, card.key, card.note, str(card.measured.get("set", ""))]
        found += [entry["name"] for entry in card.classes] if isinstance(card.classes, list) else []
    for entry in library():
        stated = entry.provenance.get("held_out", {})
        found += [str(entry.provenance.get("craft_set", "")), str(stated.get("set", ""))]
    return sorted({name for name in [*found, *said_by_the_core()] if name}, key=len, reverse=True)


def said_by_the_core() -> Iterator[str]:
    """Names and sentences below the page, which are English: their words between the places that are filled in."""
    for path in (ROOT / "uap_core").rglob("*.py"):
        if path.relative_to(ROOT / "uap_core").parts[0] in TRANSLATING:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 3:
                parts = [part.strip() for part in PLACE.split(node.value) if len(part.strip()) > 3]
                yield from (*parts, *(part[:1].upper() + part[1:] for part in parts))


def english(text: str, known: list[str]) -> str:
    """The words of ``text`` that are neither translated nor to stay."""
    text = TRANSLATED.sub(" ", re.sub(r"<pre>.*?</pre>", " ", text, flags=re.DOTALL))  # an algorithm is no language's
    text = re.sub(r'\b(?:alt|title)="([^"]*)"[^>]*>', r"> \1 ", text)
    text = unescape(re.sub(r"<[^>]*>", " ", text))
    for name in known:
        text = text.replace(name, " ")
    return " ".join(re.findall(r"[^\W\d_]{2,}", STAY.sub(" ", text)))


@pytest.mark.parametrize("part", ["laid_out", "computed"])
def test_all_of_the_page_is_translated(spoken: dict[str, list[tuple[str, str]]], part: str) -> None:
    known = names()
    assert len(spoken[part]) > (100 if part == "laid_out" else 10)
    assert sum("⟦" in text for _, text in spoken[part]) > (100 if part == "laid_out" else 8)
    assert {place: left for place, text in spoken[part] if (left := english(text, known))} == {}


def test_the_template_is_up_to_date(tmp_path: Path) -> None:
    """By the command that docs/translating.md names."""
    told = (ROOT / "docs" / "translating.md").read_text(encoding="utf-8")
    line = next(line for line in told.splitlines() if "pybabel extract" in line)
    _, *words = shlex.split(line, comments=True)
    place = words.index("-o") + 1
    words[place] = str(tmp_path / "new.pot")
    run = subprocess.run([sys.executable, "-m", "babel.messages.frontend", *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    new, old = ((path.read_text(encoding="utf-8")) for path in (tmp_path / "new.pot", TEMPLATE))
    assert new == old, f"Texts have changed. Run: {line}"


def calls() -> Iterator[tuple[str, set[str] | None]]:
    """Every message in the code that is formatted where it stands, with the names that it gets."""
    for path in sorted((ROOT / "uap_core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "format"
                and isinstance(node.func.value, ast.Call)
                and ast.unparse(node.func.value.func) in ("_", "ngettext")
            ):
                given = {keyword.arg for keyword in node.keywords if keyword.arg}
                for text in node.func.value.args:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value, given


def test_each_place_of_a_message_is_filled() -> None:
    """With names alone, and with all that it asks for."""
    found = list(calls())
    assert len(found) > 100
    for text, given in found:
        assert {name for _, name, _, _ in Formatter().parse(text) if name is not None} == given, text


def test_messages_with_places_are_formatted_somewhere() -> None:
    """Those that are not formatted where they stand are so a line later."""
    here = {text for text, _ in calls()}
    later = {text for message in messages() for text in ids(message) if PLACE.search(text) and "$" not in text} - here
    source = {path: path.read_text(encoding="utf-8") for path in (ROOT / "uap_core").rglob("*.py")}
    for text in later:
        places = [path for path, code in source.items() if text[:40].replace('"', '\\"') in code or text[:40] in code]
        # Scripts fill those of said.py and duel.py, run_row those of its callers.
        filled = any(
            ".format(" in source[path] or path.name in ("said.py", "duel.py") or "run_row(" in source[path] for path in places
        )
        assert filled, text


def test_no_scope_has_another_underscore() -> None:
    """A throw-away ``_`` in a function or module that translates would hide gettext's."""
    for path in (ROOT / "uap_core").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for scope in (tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda))):
            loads = [name for name in scoped(scope) if isinstance(name.ctx, ast.Load)]
            stores = [name for name in scoped(scope) if isinstance(name.ctx, ast.Store)]
            assert not (loads and stores), f"{path.name}, line {stores[0].lineno}"


def scoped(scope: ast.AST) -> Iterator[ast.Name]:
    """Every ``_`` of a scope itself; functions and comprehensions within it have scopes of their own."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.Name) and node.id == "_":
            yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from scoped(node)


def test_no_message_stands_within_an_f_string() -> None:
    """Where Babel would find it from Python 3.12 on alone."""
    for path in (ROOT / "uap_core").rglob("*.py"):
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for node in ast.walk(outer) if isinstance(outer, ast.JoinedStr) else ():
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "N_", "ngettext"):
                    assert not isinstance(node.args[0], ast.Constant), f"{path.name}, line {node.lineno}"


def test_errors_are_translated() -> None:
    """Those of the page; the core's are English."""
    found = 0
    for path in (path for room in TRANSLATING for path in (ROOT / "uap_core" / room).rglob("*.py")):
        if path.parent.name == "serving":  # said on the terminal, or by the core in another process
            continue
        for node in ast.walk(tree := ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ERRORS:
                found += 1
                words = [word for part in (node, *made_before(tree, node.args[0])) for word in untranslated(part)]
                assert words == [], f"{path.name}, line {node.lineno}"
    assert found > 10


def test_nothing_below_the_page_is_marked() -> None:
    for path in (ROOT / "uap_core").rglob("*.py"):
        if path.relative_to(ROOT / "uap_core").parts[0] not in (*TRANSLATING, "i18n.py"):
            assert "uap_core.i18n" not in path.read_text(encoding="utf-8"), path.name


def untranslated(node: ast.AST) -> Iterator[str]:
    """Strings with letters that do not go through gettext, or that do as part of an f-string, which no catalogue knows."""
    found = isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "ngettext")
    if isinstance(node, ast.Compare) or (found and not any(isinstance(inner, ast.JoinedStr) for inner in ast.walk(node))):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[^\W\d_]", node.value):
        yield node.value
    for inner in ast.iter_child_nodes(node):
        yield from untranslated(inner)


def made_before(tree: ast.AST, sentence: ast.expr) -> list[ast.expr]:
    """What ``sentence`` may be where it is a name, or a name's format: all that its file ever gives that name."""
    if isinstance(sentence, ast.Call) and isinstance(sentence.func, ast.Attribute) and sentence.func.attr == "format":
        sentence = sentence.func.value
    if not isinstance(sentence, ast.Name):
        return []
    given = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    found = [node.value for node in given if ast.unparse(node.targets[0]) == sentence.id]
    assert found, f"line {sentence.lineno}: nothing says where {sentence.id} comes from"
    return found


@pytest.mark.parametrize("language", ["en", "de", "xx_YY", "../..", ""])
def test_without_a_catalogue_texts_are_english(language: str) -> None:
    assert catalogue(language).gettext("Craft") == "Craft"
    assert catalogue(language).ngettext("{count} step", "{count} steps", 2) == "{count} steps"
