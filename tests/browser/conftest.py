"""One server and one page for all browser tests of a process; the page may ask no host but the server's.

Loading the page costs more than most tests do: those marked ``goes_on`` take it as the test before left it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest
import torch
from hub_stand_in import TIMM, hub
from quick_page import open_on_the_quick_network
from safetensors.torch import save
from servers import serving

from uap_core.io.paths import MODELS
from uap_core.models.libraries import import_timm

ROOT = Path(__file__).resolve().parents[2]
LIVE_IMAGES = 32  # an eighth of the shipped dreams: live runs show the same, sooner
FEW_LOOKS = 32  # of the runs in Craft's folds
APP = f"""import runpy, sys
from uap_core.ui.tabs.craft import alone, several
alone.LOOKS = several.LOOKS = ({FEW_LOOKS}, {FEW_LOOKS})
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the card of a network whose weights a slow server of this machine offers: the embedded one's."""
    folder = tmp_path_factory.mktemp("models")
    card = json.loads((MODELS / "resnet64.json").read_text(encoding="utf-8"))
    weights = (MODELS / card["weights"]).read_bytes()
    with serving({"twin.safetensors": weights}) as address:
        changes = {"key": "twin", "name": "Twin", "weights": "twin.safetensors", "url": f"{address}/slow/twin.safetensors"}
        text = json.dumps({**card, **changes, "download_megabytes": len(weights) / 1e6})
        (folder / "twin.json").write_text(text, encoding="utf-8")
        yield folder


@pytest.fixture(scope="session")
def hub_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a Hub on this machine that has, slowly, a small network of timm with random weights."""
    torch.manual_seed(0)
    tensors = import_timm().create_model(TIMM, pretrained=False).state_dict()
    with hub({f"timm/{TIMM}": save(tensors)}, "slow") as address:
        yield {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path_factory.mktemp("hf"))}


@pytest.fixture(scope="session")
def server_process(
    browser, models_folder: Path, hub_home: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, str]]:
    """The app on a free port, started from another folder than its own; yields its process number and its address.

    It has no way out: whatever it asks of another host goes to a proxy that is not there.
    """
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", APP, str(ROOT / "app.py"), "--models", str(models_folder)],
        env={**os.environ, **nowhere, **hub_home, "UAP_IMAGES": str(LIVE_IMAGES), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path_factory.mktemp("elsewhere"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process.pid, _address(process)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def server(server_process: tuple[int, str]) -> str:
    """The address of the running app."""
    return server_process[1]


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        raise RuntimeError("the app ended before it answered")
    for _ in range(100):
        try:
            urlopen(found[0], timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return found[0]
    raise RuntimeError("the app does not answer")


@dataclass
class Visit:
    """A page, what it did wrong in this test, and who had it last: the file of the test, and how many had failed by then."""

    page: Any
    wrong: list[str]
    last: tuple[Path, int] | None = None


@pytest.fixture(scope="session")
def visit(browser) -> Iterator[Visit]:
    """The one page of this process."""
    context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    visit = Visit(context.new_page(), [])
    visit.page.set_default_timeout(30_000)

    def note(request) -> None:
        if request.url.startswith("http") and urlparse(request.url).hostname != "127.0.0.1":
            visit.wrong.append(request.url)

    visit.page.on("request", note)
    visit.page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    yield visit
    context.close()


@pytest.fixture
def watched(visit: Visit) -> Iterator:
    """The page, wherever it is. Fails at the end if anything but the server was asked, or a script failed."""
    visit.wrong.clear()
    yield visit.page
    assert not visit.wrong


@pytest.fixture
def unopened(watched, visit: Visit) -> Any:
    """The page for a test that opens an address of its own."""
    visit.last = None
    return watched


@pytest.fixture
def page(watched, visit: Visit, server: str, request: pytest.FixtureRequest) -> Any:
    """The page, loaded anew and filled: a new visitor's. For tests marked ``goes_on`` it is as the test before left it, unless
    that was another file's or a test failed meanwhile."""
    now = (request.path, request.session.testsfailed)
    if visit.last != now or not request.node.get_closest_marker("goes_on"):
        open_on_the_quick_network(watched, server)
    visit.last = now
    return watched


@pytest.fixture(scope="session")
def phone(browser, server: str) -> Iterator:
    """The one page of this process on a phone, its width 390 pixels; on whichever tab the test before left it."""
    context = browser.new_context(locale="en-US", viewport={"width": 390, "height": 844})
    page = context.new_page()
    open_on_the_quick_network(page, server)
    yield page
    context.close()
