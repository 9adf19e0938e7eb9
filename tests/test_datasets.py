from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from uap_core.datasets.halves import BothHalvesWarning
from uap_core.datasets.image_sets import ImageSet, open_held_out, open_image_set, open_splits
from uap_core.errors import DatasetError, SettingError

SIZE = 8
Layout = dict[str, bytes]


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def layout(*names: str) -> Layout:
    """A different picture for every name."""
    return {name: png(seed) for seed, name in enumerate(names)}


def folder(root: Path, files: Layout) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def zipped(path: Path, files: Layout) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def read(source: Path, split: str | None = None, **options: int) -> ImageSet:
    return open_image_set(source, split, SIZE, SIZE, **options)


SPLIT = layout(*(f"{split}/{name}/{i}.png" for split in ("train", "val") for name in ("cat", "dog") for i in range(3)))


@pytest.fixture(params=[folder, zipped], ids=["folder", "zip"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Layout], Path]:
    """Writes a layout as a folder or as a zip and says where."""
    return lambda files: request.param(tmp_path / "set.zip", files)


def test_folder_and_zip_hold_the_same(tmp_path: Path) -> None:
    one, other = read(folder(tmp_path / "set", SPLIT)), read(zipped(tmp_path / "set.zip", SPLIT))
    assert torch.equal(one.pixels, other.pixels)
    assert (one.classes, one.files, one.name) == (other.classes, other.files, other.name)
    assert one.pixels.dtype == torch.uint8
    assert one.pixels.shape == (12, 3, SIZE, SIZE)
    assert len(one.pixels.flatten(1).unique(dim=0)) == 12


def test_splits_of_the_source(store: Callable[[Layout], Path]) -> None:
    source = store(SPLIT)
    craft, held_out = open_splits(source, SIZE, SIZE)
    assert all(name.startswith("train/") for name in craft.files)
    assert all(name.startswith("val/") for name in held_out.files)
    assert len(craft) == len(held_out) == 6
    assert craft.classes == ("cat",) * 3 + ("dog",) * 3
    assert open_held_out(source, SIZE, SIZE).files == held_out.files


def test_splits_below_a_common_folder(store: Callable[[Layout], Path]) -> None:
    craft, held_out = open_splits(store({f"my set/{name}": data for name, data in SPLIT.items()}), SIZE, SIZE)
    assert {name.split("/")[1] for name in craft.files} == {"train"}
    assert {name.split("/")[1] for name in held_out.files} == {"val"}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_set_without_splits_is_halved(store: Callable[[Layout], Path], count: int) -> None:
    source = store(layout(*(f"cat/{i}.png" for i in range(count))))
    craft, held_out = open_splits(source, SIZE, SIZE)
    assert not set(craft.files) & set(held_out.files)
    assert len(craft) + len(held_out) == count
    assert abs(len(craft) - len(held_out)) <= 1
    assert craft.name != held_out.name
    mine = f"2 images of {craft.name}"
    assert open_held_out(source, SIZE, SIZE, crafted_on=mine).files == held_out.files
    assert len(open_held_out(source, SIZE, SIZE)) == count, "nothing was crafted on it: all of it is measured on"


def test_one_picture_cannot_be_split(store: Callable[[Layout], Path]) -> None:
    with pytest.raises(DatasetError, match="at least two"):
        open_splits(store(layout("cat/1.png")), SIZE, SIZE)


def test_a_class_may_be_called_like_a_split(store: Callable[[Layout], Path]) -> None:
    names = [f"{split}/{name}/{i}.png" for split in ("craft", "eval") for name in ("train", "val") for i in range(2)]
    craft, held_out = open_splits(store(layout(*names)), SIZE, SIZE)
    assert craft.classes == held_out.classes == ("train", "train", "val", "val")
    assert {name.split("/")[0] for name in craft.files} == {"craft"}


def test_a_file_that_a_zip_lists_twice_is_in_one_half_only(tmp_path: Path) -> None:
    path = zipped(tmp_path / "twice.zip", layout("a/1.png", "a/2.png"))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a/1.png", png(9))
    craft, held_out = open_splits(path, SIZE, SIZE)
    assert (craft.files, held_out.files) == (("a/1.png",), ("a/2.png",))


def test_loose_pictures(store: Callable[[Layout], Path]) -> None:
    loose = read(store(layout("b.png", "a.PNG", "c.jpeg") | {"notes.txt": b"no picture"}))
    assert loose.files == ("a.PNG", "b.png", "c.jpeg")
    assert loose.truth(("cat",)) is None


def test_an_interpolation_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="interpolation is 'bilinear' or 'bicubic', not 'foo'"):
        open_image_set(tmp_path, None, SIZE, SIZE, interpolation="foo")


def test_pictures_that_cannot_be_opened_are_passed_over(store: Callable[[Layout], Path]) -> None:
    damaged = {"cat/0.png": b"", "cat/2.png": png(3)[:150], "__MACOSX/cat/._1.png": b"\x00\x05\x16\x07"}
    assert read(store(layout("cat/1.png", "cat/3.png") | damaged)).files == ("cat/1.png", "cat/3.png")


def test_a_damaged_zip_member_is_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", layout("cat/1.png", "cat/2.png"))
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF  # within the first picture: its checksum no longer holds
    path.write_bytes(data)
    assert read(path).files == ("cat/2.png",)


def test_an_encrypted_zip_gives_a_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "secret.zip", layout("cat/1.png"))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="No picture was found"):
        read(path)


@pytest.mark.parametrize("cut", [30, 60])
def test_a_truncated_zip_gives_a_sentence(tmp_path: Path, cut: int) -> None:
    path = zipped(tmp_path / "cut.zip", layout("cat/1.png"))
    data = path.read_bytes()
    path.write_bytes(data[:100] + data[100 + cut :])  # the table of contents is not where the end record says
    with pytest.raises(DatasetError):
        read(path)
    path.write_bytes(data[:-cut])
    with pytest.raises(DatasetError, match="no folder or zip"):
        read(path)


def test_paths_out_of_the_zip_touch_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    files = layout("../outside.png", "../../etc/x.png", str(outside), "cat/../../up.png", "cat\\..\\y.png", "cat/1.png")
    before = sorted(tmp_path.rglob("*"))
    path = zipped(tmp_path / "tricks.zip", files)
    assert len(read(path)) == len(files)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])
    outside.write_bytes(b"not what the zip holds")
    assert len(read(path)) == len(files)  # the content comes from the zip, never from the place its name points at


def test_huge_members_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uap_core.datasets.listing.MAX_BYTES", 5000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/bomb.png", png(0) + bytes(5000))
        archive.writestr("cat/1.png", png(1))
    assert read(path).files == ("cat/1.png",)


@pytest.mark.parametrize("files", [{}, {"cat/notes.txt": b"words"}, {"cat/1.png": b"words"}], ids=["empty", "text", "damaged"])
def test_no_picture_gives_a_sentence(tmp_path: Path, files: Layout) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DatasetError, match=r"No picture was found in 'mine'\. Put pictures there"):
        read(folder(tmp_path / "mine", files))


def test_an_absent_source_or_split_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder or zip of pictures at 'nowhere'"):
        read(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="under 'held_out' in 'mine'"):
        read(folder(tmp_path / "mine", layout("craft/cat/1.png")), "held_out")


def test_limits_keep_the_first_and_spread_over_classes(store: Callable[[Layout], Path]) -> None:
    source = store(layout(*(f"{name}/{i}.png" for name in "abc" for i in range(4))))
    assert read(source, limit=5).files == ("a/0.png", "a/1.png", "b/0.png", "b/1.png", "c/0.png")
    assert len(read(source, limit=99)) == 12


def test_a_few_classes_are_taken_from_all_over_their_order(store: Callable[[Layout], Path]) -> None:
    source = store(layout(*(f"{split}/{name}/{i}.png" for split in ("train", "val") for name in "abcdefg" for i in range(2))))
    craft, held_out = open_splits(source, SIZE, SIZE, classes=3)
    assert craft.classes == held_out.classes == tuple("aaccee")
    assert read(source, "craft", classes=7).classes == read(source, "craft", classes=99).classes == tuple("aabbccddeeffgg")
    assert read(source, "craft", classes=3).classes == tuple("aaccee")
    assert read(source, "craft", classes=5).classes == tuple("aabbcceeff"), "from all over their order"


def test_prefixes_are_nested(store: Callable[[Layout], Path]) -> None:
    shuffled = read(store(SPLIT)).shuffled(torch.Generator().manual_seed(1))
    for smaller, larger in ((1, 2), (2, 5), (5, 12), (12, 40)):
        inner, outer = shuffled.prefix(smaller), shuffled.prefix(larger)
        assert inner.files == outer.files[:smaller]
        assert inner.classes == outer.classes[:smaller]
        assert torch.equal(inner.pixels, outer.pixels[:smaller])


def test_shuffling_keeps_pictures_with_their_names(store: Callable[[Layout], Path]) -> None:
    ordered = read(store(SPLIT))
    shuffled = ordered.shuffled(torch.Generator().manual_seed(0))
    assert shuffled.files != ordered.files
    assert shuffled.files == ordered.shuffled(torch.Generator().manual_seed(0)).files
    for i, name in enumerate(shuffled.files):
        j = ordered.files.index(name)
        assert shuffled.classes[i] == ordered.classes[j]
        assert torch.equal(shuffled.pixels[i], ordered.pixels[j])


def test_batches_are_all_images_in_order(store: Callable[[Layout], Path]) -> None:
    pictures = read(store(SPLIT))
    batches = list(pictures.batches(5))
    assert [len(batch) for batch in batches] == [5, 5, 2]
    joined = torch.cat(batches)
    assert joined.dtype == torch.float32
    assert torch.equal(joined, pictures.pixels.float() / 255)


def test_truth(store: Callable[[Layout], Path]) -> None:
    pictures = read(store(SPLIT), "craft")
    truth = pictures.truth(("dog", "bird", "cat"))
    assert truth is not None
    assert truth.tolist() == [2, 2, 2, 0, 0, 0]
    assert pictures.truth(("dog", "bird")) is None
    assert ImageSet.of(torch.rand(3, 3, 8, 8)).truth(("", "", "")) is None, "no name on either side tells nothing"


def test_shared_sets_are_disjoint(shared: Path) -> None:
    craft, held_out = open_splits(shared / "data" / "imagenet-sample-800.zip", 64, 64)
    assert (len(craft), len(held_out)) == (500, 300)
    assert not {Path(name).name for name in craft.files} & {Path(name).name for name in held_out.files}
    everything = torch.cat([craft.pixels, held_out.pixels]).flatten(1)
    assert len(everything.unique(dim=0)) == 800


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Test"),
        ("training", "validation"),
        ("TRAIN", "valid"),
        ("craft", "testing"),
        ("train", "dev"),
        ("train", "Holdout"),
        ("training_set", "test_set"),
        ("train2017", "val2017"),
        ("Trainset", "test-images"),
        ("imagenet_train", "imagenet-val"),
    ],
)
def test_names_of_splits_in_any_case(names: tuple[str, str], store: Callable[[Layout], Path]) -> None:
    source = store(layout(*(f"{split}/{word}/{i}.png" for split in names for word in ("cat", "dog") for i in range(2))))
    for part, found in zip(names, open_splits(source, SIZE, SIZE), strict=True):
        assert [file.split("/")[0] for file in found.files] == [part] * 4


def test_words_that_only_begin_like_a_split_are_none(store: Callable[[Layout], Path]) -> None:
    source = store(
        layout("train stations/big/1.png", "train stations/small/1.png", "test tubes/big/1.png", "testament/old/1.png")
    )
    assert len(open_held_out(source, SIZE, SIZE)) == 4


def test_a_zip_with_backslashes_has_its_classes(tmp_path: Path) -> None:
    source = zipped(tmp_path / "set.zip", {name.replace("/", "\\"): data for name, data in SPLIT.items()})
    craft, held_out = open_splits(source, SIZE, SIZE)
    assert set(craft.classes) == set(held_out.classes) == {"cat", "dog"}
    assert (len(craft), len(held_out)) == (6, 6)
    assert torch.equal(craft.pixels, open_splits(zipped(tmp_path / "plain.zip", SPLIT), SIZE, SIZE)[0].pixels)


def test_a_held_out_split_alone_is_measured_whole(store: Callable[[Layout], Path]) -> None:
    assert len(open_held_out(store(layout(*(f"eval/cat/{i}.png" for i in range(4)))), SIZE, SIZE)) == 4


def test_folders_of_other_programs_are_passed_over(store: Callable[[Layout], Path]) -> None:
    copies = ("cat/.ipynb_checkpoints/1-checkpoint.png", "__MACOSX/cat/1.png", "cat/._1.png", ".git/1.png")
    assert open_image_set(store(layout("cat/1.png", "cat/2.png", *copies)), None, SIZE, SIZE).files == (
        "cat/1.png",
        "cat/2.png",
    )


def test_the_same_picture_is_in_one_half_only(store: Callable[[Layout], Path]) -> None:
    files = layout("train/cat/1.png", "train/cat/2.png", "val/cat/3.png")
    source = store(files | {"val/cat/4.png": files["train/cat/2.png"]})
    with pytest.warns(BothHalvesWarning, match=rf"^1 picture is in both halves of {source.stem}: left out of the craft set\.$"):
        craft, held_out = open_splits(source, SIZE, SIZE)
    assert (craft.files, len(held_out)) == (("train/cat/1.png",), 2)
    assert craft.left_out == 1
    with pytest.warns(BothHalvesWarning):  # of a pattern that was crafted there
        assert open_held_out(source, SIZE, SIZE, crafted_on=f"2 images of {source.stem} (craft)").files == held_out.files
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_held_out(source, SIZE, SIZE).files == held_out.files


@pytest.mark.parametrize("ending", ["jfif", "jpe", "avif", "jp2", "mpo", "ppm"])
def test_endings_of_phones_cameras_and_browsers(ending: str, store: Callable[[Layout], Path]) -> None:
    assert len(open_image_set(store(layout(f"cat/1.{ending}", f"cat/2.{ending.upper()}")), None, SIZE, SIZE)) == 2


def test_a_limit_counts_pictures_alone(store: Callable[[Layout], Path]) -> None:
    files = layout(*(f"cat/{i}.png" for i in range(4))) | {"cat/0.png": b"no picture"}
    assert open_image_set(store(files), None, SIZE, SIZE, limit=2).files == ("cat/1.png", "cat/2.png")


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    source = folder(tmp_path / "set", layout("cat/1.png", "cat/2.png"))
    (source / "cat" / "again").symlink_to(source)
    (source / "dangling.png").symlink_to("nowhere.png")
    (source / "self").symlink_to("self")
    assert read(source).files == ("cat/1.png", "cat/2.png")
    flat = folder(tmp_path / "flat", layout("1.png", "2.png"))
    (flat / "loop").symlink_to(flat)
    assert read(flat).files == ("1.png", "2.png")


def test_a_mask_takes_pictures_with_their_classes() -> None:
    held = ImageSet("two", torch.zeros(2, 3, 4, 4, dtype=torch.uint8), ("cat", "dog"), ("a", "b"))
    assert held.subset(torch.tensor([False, True])).classes == ("dog",)
    assert held.subset(torch.tensor([True, True])).files == ("a", "b")


def test_floats_become_the_same_set() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert torch.equal(ImageSet("floats", pixels.float() / 255, ("", ""), ("a", "b")).pixels, pixels)
    assert torch.equal(ImageSet.of(pixels.double() / 255).images(), pixels.float() / 255)
