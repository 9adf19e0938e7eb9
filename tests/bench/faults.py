"""Put one fault after another into a copy of the tree, and see whether the tests notice.

    python tests/bench/faults.py                      all of tests/bench/faults/*.toml
    python tests/bench/faults.py --only attacks       those whose area or name contains the word
    python tests/bench/faults.py --check              only whether each text is there exactly once

Each fault names a file, the text that is there now (``old``, exactly once in the file), what a developer might have written
instead (``new``), and the tests that should notice (those of its table where it names none; words with a dash are options).
Nothing is changed in place: the tracked files are copied to a temporary folder, and each fault is a process of its own that
pytest runs in with -x. A fault with ``equivalent`` (the argument why no
behaviour differs) is expected to go unseen. Exit status 1 where a fault that is no equivalent goes unseen.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).parent / "faults"
SEEN, MISSED, EQUIVALENT, BROKEN = "seen", "MISSED", "equivalent", "BROKEN"
LIMIT = 900.0  # seconds of one fault's tests; what takes longer tells nothing, since the machine may be busy


@dataclass(frozen=True)
class Fault:
    """One change of a line, the ``tests`` to run, and why it is none where it is ``equivalent``."""

    area: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    equivalent: str = ""


def _text(file: str) -> str:
    """What a file of the package holds; nothing where it has gone."""
    path = ROOT / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def faults(only: str) -> list[Fault]:
    """All of the tables, or those with ``only`` in area or name."""
    found = []
    for path in sorted(TABLES.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in table["fault"]:
            found.append(Fault(path.stem, **{**row, "tests": tuple(row.get("tests", table.get("tests")))}))
    return [fault for fault in found if any(word in f"{fault.area}: {fault.name}" for word in only.split("|"))]


def copied(folder: Path) -> Path:
    """The tracked and the new files of the tree in ``folder``; the large assets by a link. Compiled once for all faults."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in filter(None, listed):
        if not name.startswith("assets/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "assets").symlink_to(ROOT / "assets")
    # By their content, not by their time: a fault may be as long as what was there, and a second is long.
    compileall.compile_dir(
        folder / "uap_core", quiet=1, invalidation_mode=compileall.py_compile.PycInvalidationMode.CHECKED_HASH
    )
    return folder


def outcome(tree: Path, fault: Fault, log: Path) -> tuple[str, str]:
    """What became of one fault in ``tree``, and the last that pytest said of it."""
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        return BROKEN, f"its text is there {text.count(fault.old)} times"
    tests = [name for name in fault.tests if name.startswith("-") or (tree / name.partition("::")[0]).exists()]
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    try:
        status = _pytest(tree, tests, log)
    finally:
        path.write_text(text, encoding="utf-8")
    said = [
        line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.startswith(("FAILED", "ERROR"))
    ]
    first = said[0].partition(" - ")[0].removeprefix("FAILED ") if said else ""
    if status == 1:
        return SEEN, first
    if status != 0:
        return BROKEN, f"pytest ended with {status}: {first}"
    return (EQUIVALENT, fault.equivalent) if fault.equivalent else (MISSED, "")


def _pytest(tree: Path, tests: list[str], log: Path) -> int | None:
    """Its exit status in a child that has the libraries loaded already; None when the time is up."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        with log.open("wb") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        import pytest

        options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", f"--basetemp={tree.parent / 'work'}"]
        os._exit(int(pytest.main([*options, *tests])))
    since = time.monotonic()
    while time.monotonic() - since < LIMIT:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def tried(found: list[Fault]) -> Iterator[tuple[Fault, str, str, float]]:
    """Each fault with what became of it, what was said, and the seconds that it took."""
    for name in ("torch", "pytest", "matplotlib.figure", "scipy.optimize", "hypothesis"):
        import_module(name)  # once, here, so that no child waits for them
    os.environ.setdefault("UAP_SHARED", str(ROOT.parent / "shared"))
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        tree = copied(Path(folder) / "tree")
        for fault in found:
            since = time.monotonic()
            state, said = outcome(tree, fault, Path(folder) / "log")
            yield fault, state, said, time.monotonic() - since


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="words, with | between them, of areas or names")
    parser.add_argument("--check", action="store_true", help="only look whether each fault fits the files")
    asked = parser.parse_args()
    found = faults(asked.only)
    if asked.check:
        wrong = [fault for fault in found if _text(fault.file).count(fault.old) != 1]
        for fault in wrong:
            print(f"{fault.area}: {fault.name}: {fault.file} does not hold its text exactly once")
        print(f"{len(found)} faults, {len(wrong)} of them do not fit")
        return bool(wrong)
    count = dict.fromkeys((SEEN, MISSED, EQUIVALENT, BROKEN), 0)
    for fault, state, said, seconds in tried(found):
        count[state] += 1
        print(f"{state:10} {seconds:5.0f} s  {fault.area}: {fault.name}  [{said}]", flush=True)
    print(", ".join(f"{number} {state}" for state, number in count.items()))
    return bool(count[MISSED] or count[BROKEN])


if __name__ == "__main__":
    sys.exit(main())
