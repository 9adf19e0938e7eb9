"""What every test may ask for. Shared data that is absent skips a test on a desk and fails it where ``CI`` is set."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from absences import absent
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # plain `pytest` finds uap_core as `python -m pytest` does

from uap_core import load_model  # noqa: E402 - after the path is set
from uap_core.datasets.image_sets import ImageSet, open_held_out  # noqa: E402
from uap_core.io.paths import dreams_path  # noqa: E402
from uap_core.models.card import Card  # noqa: E402
from uap_core.models.classifier import Classifier  # noqa: E402
from uap_core.models.zoo import Zoo  # noqa: E402

if "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)

LinearFactory = Callable[..., Classifier]


# Folders and files whose tests take longest: they go first, so that two processes end at about the same time.
LONGEST = ("browser", "hostile", "test_shipped.py", "test_published.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not set(LONGEST) & set(item.path.relative_to(ROOT).parts))
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):  # asked for directly or by another fixture
            item.add_marker("shared_data")


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """One Chromium for all tests of a process that look at a page: Playwright starts but once in each."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("There is no Chromium on this machine (apt install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(autouse=True, scope="session")
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody's downloads change a test, and no test leaves anything in somebody's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("TORCH_HOME", raising=False)
        yield


@pytest.fixture(autouse=True)
def denormals() -> Iterator[None]:
    """Crafting and training switch denormal numbers off for their thread; the next test wants them back."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real networks, images and published perturbations: beside the repository, or named by UAP_SHARED.

    A machine that cannot have it says UAP_SHARED=none, and no test fails for that.
    """
    if os.environ.get("UAP_SHARED") == "none":
        pytest.skip("UAP_SHARED=none: this run does without the shared folder.")
    folder = Path(os.environ.get("UAP_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        absent("The shared folder is not there: put it at ../shared or name it in UAP_SHARED.")
    return folder


@pytest.fixture(scope="session")
def real_zoo(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """The cards of the tests, their paths turned to where the shared folder really is."""
    folder = tmp_path_factory.mktemp("cards")
    for path in (ROOT / "tests" / "cards").glob("*.json"):
        text = path.read_text(encoding="utf-8").replace("../../../shared", shared.resolve().as_posix())
        (folder / path.name).write_text(text, encoding="utf-8")
    return Zoo([folder])


@pytest.fixture(scope="session")
def small_photographs(shared: Path) -> ImageSet:
    """The 2 500 validation images of 64 pixels, opened once for all tests."""
    return open_held_out(shared / "data" / "tiny-imagenet-100.zip", 64, 64)


@pytest.fixture(scope="session")
def large_photographs(shared: Path) -> Callable[[Card], ImageSet]:
    """The 300 held-out ImageNet photographs as a network takes them, opened once for each way of taking them."""

    @cache
    def opened(resize: int, crop: int, interpolation: str) -> ImageSet:
        return open_held_out(shared / "data" / "imagenet-sample-800.zip", resize, crop, None, interpolation)

    return lambda card: opened(card.resize_size, card.input_size, card.interpolation)


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The embedded network for 64x64 images."""
    return load_model("resnet64")


@pytest.fixture(scope="session")
def dreams() -> Path:
    """The dreamt images that ship for the embedded network."""
    path = dreams_path("resnet64")
    if not path.is_file():
        absent("assets/dreams/resnet64.zip is not there: make it with `python -m uap_core dream`.")
    return path


@pytest.fixture(scope="session")
def linear() -> LinearFactory:
    """A factory of analytic classifiers: logits = weight (K, 3*S*S) @ x.flatten() + bias (K,), classes "0", "1", ..."""

    def make(weight: Tensor, bias: Tensor | None = None) -> Classifier:
        classes, values = weight.shape
        size = math.isqrt(values // 3)
        assert 3 * size * size == values, "the weight must have 3*S*S columns"
        layer = nn.Linear(values, classes)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(torch.zeros(classes) if bias is None else bias)
        labels = tuple(map(str, range(classes)))
        card = Card("linear", "Linear", "embedded", "", size, size, "none", "made in a test")
        return Classifier(nn.Sequential(nn.Flatten(), layer), card, labels, labels)

    return make
