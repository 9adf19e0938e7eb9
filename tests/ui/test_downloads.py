from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uap_core.ui.runtime.downloads import PREFIX, UNUSED, sweep

ROOT = Path(__file__).resolve().parents[2]


def folder(among: Path, name: str, age: float) -> Path:
    """A folder with a file, written so many seconds ago."""
    made = among / name
    (made / "abc").mkdir(parents=True)
    (made / "abc" / "rows.csv").write_text("1")
    os.utime(made, (time.time() - age,) * 2)
    return made


def test_what_was_left_a_day_ago_goes_and_nothing_else(tmp_path: Path) -> None:
    old, new = folder(tmp_path, f"{PREFIX}old", UNUSED + 60), folder(tmp_path, f"{PREFIX}new", UNUSED - 60)
    foreign = folder(tmp_path, "somebody-else", UNUSED + 60)
    sweep(tmp_path)
    assert not old.exists()
    assert (new / "abc" / "rows.csv").exists()
    assert (foreign / "abc" / "rows.csv").exists()


def test_a_process_takes_its_folder_with_it(tmp_path: Path) -> None:
    code = "from uap_core.ui.runtime.downloads import own_folder; f = own_folder(); (f / 'rows.csv').write_text('1'); print(f)"
    names = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | names, capture_output=True, text=True)
    assert Path(made.stdout.strip()).parent == tmp_path, made.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill like this one")
def test_a_killed_process_leaves_its_folder_to_the_next_one_alone(tmp_path: Path) -> None:
    code = (
        "import os, time; from uap_core.ui.runtime.downloads import own_folder; print(own_folder(), flush=True); time.sleep(60)"
    )
    names = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | names, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        made = Path(run.stdout.readline().strip())
        assert made.stat().st_mode & 0o077 == 0
        sweep(tmp_path)
        assert made.exists(), "it is in use"
        run.kill()
    sweep(tmp_path)
    assert not made.exists()
