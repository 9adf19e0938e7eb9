from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uap_core.errors import SettingError
from uap_core.settings import Limits

ROOT = Path(__file__).resolve().parents[1]


def test_what_the_environment_names_counts_and_the_rest_stays() -> None:
    found = Limits.named({"UAP_SECONDS": "7", "UAP_WAITING": "", "OTHER": "x"})
    assert (found.seconds, found.waiting) == (7, Limits().waiting)


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5", "٣", "1e3", "nan"])
def test_nonsense_is_a_sentence(value: str) -> None:
    with pytest.raises(SettingError, match="UAP_SECONDS must be a whole number above 0"):
        Limits.named({"UAP_SECONDS": value})


@pytest.mark.parametrize(
    ("variable", "sentence"), [("UAP_MEGAPIXELS", "2 megapixels; up to 1"), ("UAP_UPLOAD_MB", "up to 1 MB")]
)
def test_pictures_keep_to_the_limits(variable: str, sentence: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 2000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")  # 2 megapixels, 6 megabytes
    code = "import sys; from uap_core.images.reading import open_image; open_image(sys.argv[1])"
    command, environment = [sys.executable, "-c", code, str(tmp_path / "large.png")], {**os.environ, variable: "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert sentence in done.stderr.splitlines()[-1]


def test_the_front_door_says_it_all_and_refuses_nonsense() -> None:
    def door(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "app.py", *options]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    said = door("--help", UAP_SECONDS="7").stdout
    for word in ("--host", "--port", "--images", "--models", "--share", "UAP_SECONDS=7", "UAP_WAITING=20", "UAP_DEVICE"):
        assert word in said
    refused = door("--help", UAP_SECONDS="soon")
    assert refused.returncode
    assert refused.stderr.startswith("error: UAP_SECONDS must be a whole number")


def test_threads_that_wait_sleep_and_this_is_settled_before_torch_is_there() -> None:
    code = "import os, sys, app; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["PASSIVE", "False"]


def test_uap_serve_settles_it_too_before_the_page_is_imported() -> None:
    code = """import os, sys, types
page = types.ModuleType("uap_core.ui.page")
page.serve = lambda *asked: print(
    asked, os.environ["OMP_WAIT_POLICY"], os.environ["GRADIO_ANALYTICS_ENABLED"], "torch" in sys.modules
)
sys.modules["uap_core.ui.page"] = page
sys.argv = ["uap", "serve", "--port", "7000", "--share"]
from uap_core.__main__ import main
main()"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, timeout=60)
    assert done.stdout.split(") ") == ["(None, None, None, 7000, True", "PASSIVE False False\n"], done.stderr


def test_gradio_keeps_no_statistics() -> None:
    """It would keep ten thousand events and sum all of them up after each."""
    code = """import app, gradio
with gradio.Blocks() as page:
    gradio.Button()
page.queue()
print(page._queue.ANALYTICS_MAX_EVENTS, page._queue.ANAYLTICS_CACHE_FREQUENCY)"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    kept, often = map(int, run.stdout.split())
    assert kept == 1
    assert often > 10**6
