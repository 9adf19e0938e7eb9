"""Registrations in a package, read from the decorators in its files without importing them.

A file of ``attacks`` or ``crafting`` imports torch, and a page or a command line that only lists names must not wait for that.
So the decorator's arguments are plain values, which Python's parser (``ast``) reads from the source: each registration is
written in one place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A decorator's positional and keyword arguments; the latter include ``module`` and ``class_name`` of its class."""

    values: list[Any]
    words: dict[str, Any]


def entries(package: ModuleType, decorator: str) -> list[Entry]:
    """All uses of ``@decorator(...)`` over classes in the modules of ``package``, none of which is imported.

    Raises:
        TypeError: a value in the decorator that is no plain one, and no ``lambda`` either, which is left out.
    """
    found: list[Entry] = []
    # From the first decorator to the name of the class: to parse whole files would take ten times as long.
    heads = re.compile(rf"^@{decorator}\(.*?^class \w+", re.MULTILINE | re.DOTALL)
    for finder, name, _is_package in iter_modules(package.__path__):
        file = Path(getattr(finder, "path", "")) / f"{name}.py"
        for head in heads.findall(file.read_text(encoding="utf-8") if file.is_file() else ""):
            found += _entries(ast.parse(f"{head}: ...").body[0], f"{package.__name__}.{name}", decorator)
    return found


def _entries(kind: ast.stmt, module: str, decorator: str) -> Iterator[Entry]:
    assert isinstance(kind, ast.ClassDef)
    for call in kind.decorator_list:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == decorator:
            values = [_value(node, module) for node in call.args]
            said = {word.arg: word.value for word in call.keywords if word.arg and not isinstance(word.value, ast.Lambda)}
            words = {word: _value(node, module) for word, node in said.items()}
            yield Entry(values, words | {"module": module, "class_name": kind.name})


def _value(node: ast.expr, module: str) -> Any:
    """A plain value."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise TypeError(f"{module}: what its decorator says must be plain values, since it is read and not run.") from None
