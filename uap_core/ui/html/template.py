"""Longer pieces of HTML stand in files of ``templates``: what is put into them is escaped, unless it is HTML of ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _template(name: str) -> Template:
    places = FileSystemLoader(TEMPLATES)
    made = Environment(loader=places, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template(f"{name}.html")


def rendered(name: str, **values: Any) -> str:
    """The template ``name`` with ``values`` in it. Raises UndefinedError when one that it needs is missing."""
    return _template(name).render(**values)
