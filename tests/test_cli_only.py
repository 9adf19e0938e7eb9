"""uap craft --only: a pattern for some classes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageOps

from uap_core import __main__ as cli
from uap_core import load_perturbation
from uap_core.crafting.class_alone import ClassAlone
from uap_core.errors import SettingError
from uap_core.images.photographs import sample_photos


def test_craft_for_a_group_alone(tmp_path: Path, dreams: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dogs.safetensors"
    words = ["craft", "--out", str(path), "--only", "dogs", "--only", "lion", "--budget", "16"]
    cli.app(words, standalone_mode=False)
    said = capsys.readouterr().out
    assert "of these classes" in said
    assert "of all others" in said
    stated = load_perturbation(path).provenance
    assert stated["method"] == "class_alone"
    assert len(stated["settings"]["classes"]) == 6
    with pytest.raises(SettingError, match="leave --method out"):
        cli.app([*words, "--method", "spgd"], standalone_mode=False)


def test_on_large_pictures_half_a_batch_is_still_four_of_the_classes(tmp_path: Path) -> None:
    """Elsewhere the method takes four pictures a step there; for some classes alone half of a batch is of others."""
    for photo in sample_photos():
        if photo.key in ("espresso", "running"):
            picture = photo.open().resize((224, 224))
            for half, seen in (("craft", ImageOps.mirror(picture)), ("held_out", picture)):
                folder = tmp_path / half / photo.key
                folder.mkdir(parents=True)
                seen.save(folder / "1.png")
    words = ["craft", "--model", "efficientnet_lite0", "--data", str(tmp_path), "--only", "espresso", "--budget", "8"]
    for more, wanted in (((), 8), (("--batch-size", "2"), 2)):
        path = tmp_path / f"{wanted}.safetensors"
        cli.app([*words, *more, "--out", str(path)], standalone_mode=False)
        stated = load_perturbation(path).provenance
        assert stated["settings"].get("batch_size", ClassAlone.batch_size) == wanted
        assert stated["image_gradients"] == 8
