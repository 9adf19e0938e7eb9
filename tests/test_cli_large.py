"""What the command crafts on large pictures: four a step and one tile repeated, as on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageOps

from uap_core import __main__ as cli
from uap_core import load_perturbation
from uap_core.crafting.class_alone import ClassAlone
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.images.photographs import sample_photos
from uap_core.io.results import read_table


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder of two classes, a picture of each in either half."""
    for photo in sample_photos():
        if photo.key in ("espresso", "running"):
            picture = photo.open().resize((224, 224))
            for half, seen in (("craft", ImageOps.mirror(picture)), ("held_out", picture)):
                folder = tmp_path / "pictures" / half / photo.key
                folder.mkdir(parents=True)
                seen.save(folder / "1.png")
    return tmp_path / "pictures"


def test_half_a_batch_is_still_four_of_the_classes(large: Path, tmp_path: Path) -> None:
    """Elsewhere the method takes four pictures a step there; for some classes alone half of a batch is of others."""
    words = ["craft", "--model", "efficientnet_lite0", "--data", str(large), "--only", "espresso", "--budget", "8"]
    for more, wanted in (((), 8), (("--batch-size", "2"), 2)):
        path = tmp_path / f"{wanted}.safetensors"
        cli.app([*words, *more, "--out", str(path)], standalone_mode=False)
        stated = load_perturbation(path).provenance
        assert stated["settings"].get("batch_size", ClassAlone.batch_size) == wanted
        assert stated["image_gradients"] == 8


@pytest.mark.parametrize(("command", "more", "kind"), [("curve", ("--most", "1"), SampleRow), ("defend", (), DefenceRow)])
def test_curves_and_defences_craft_as_the_page_does(
    command: str, more: tuple[str, ...], kind: type[SampleRow | DefenceRow], large: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rows.json"
    words = [command, "--model", "efficientnet_lite0", "--data", str(large), "--budget", "4", *more]
    cli.app([*words, "--out", str(path)], standalone_mode=False)
    settings = read_table(path, kind).provenance["settings"]
    assert (settings["tiles"], settings["batch_size"]) == (4, 4)
