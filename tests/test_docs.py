"""README and docs: each command that they show is one that the command line takes, and each link leads to a file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from uap_core.__main__ import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
PROGRAM = re.compile(r"(?:python -m uap_core|uap) (?=[a-z])")
SHORT = re.compile(r"(?:publish|publish-geometric) (?=[a-z-])")  # in tables, whose text has said what the program is
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def commands(page: Path) -> list[str]:
    """Whole commands: in code, without what comments say of them."""
    text = page.read_text()
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL).replace("\n", " "))
    shown = [part.strip() for line in lines for part in re.split(r" && | \| ", line.split("  #")[0])]
    found = [line[match.end() :] for line in shown for match in [PROGRAM.search(line)] if match]
    return found + [line for line in shown if SHORT.match(line)]


SHOWN = [(page.name, command) for page in PAGES for command in commands(page)]


def test_the_pages_show_commands_and_links() -> None:
    assert len(SHOWN) > 60
    assert sum(len(LINK.findall(page.read_text())) for page in PAGES) > 20


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_a_command_is_one_that_the_command_line_takes(page: str, command: str) -> None:
    name, *rest = shlex.split(re.sub(r"\[[^\]]*\]", "", command))
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # of a group
    assert name in known, f"{page}: there is no command {name!r}"
    if not rest:  # named alone, in a sentence
        return
    try:
        known[name].make_context(name, rest)
    except Exception as error:
        said = getattr(error, "format_message", None)  # Typer's own Click has it
        if said is None:
            raise
        pytest.fail(f"{page}: {command}: {said()}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not missing
