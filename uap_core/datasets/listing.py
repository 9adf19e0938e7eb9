"""Which pictures a folder or zip holds, by name, and which of its folders are splits."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePosixPath

from uap_core.errors import DatasetError, ImageError
from uap_core.images.reading import MAX_BYTES

PICTURE_ENDINGS = {".png", ".apng", ".gif", ".webp", ".avif", ".bmp", ".dib", ".tif", ".tiff"} | {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm"),
}
Reader = Callable[[str], "bytes | Path"]
SPLITS = {
    "craft": ("craft", "train", "training"),
    "held_out": (
        *("held_out", "held-out", "heldout", "holdout", "hold_out", "hold-out", "eval", "evaluation"),
        *("val", "valid", "validation", "test", "testing", "dev"),
    ),
}
# Words beside the name of a split, in those of well-known data sets.
BESIDE = frozenset({"data", "image", "images", "img", "imgs", "pictures", "photos", "split", "imagenet", "seg"})
# Folders in which other programs keep copies and previews; those whose names begin with a dot are left out as well.
NOT_OURS = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__"})


def listing(source: Path) -> tuple[list[str], Reader]:
    """Names of the pictures in a folder or zip, and what reads one of them. Raises DatasetError."""
    if source.is_dir():
        return _folder(source)
    if source.is_file() and zipfile.is_zipfile(source):
        return _zip(source)
    raise DatasetError(f"There is no folder or zip of pictures at {source.name!r}.")


def of_split(names: list[str], split: str | None) -> list[str]:
    """The names in ``split``: "craft", "held_out", the name of a folder, or None for all."""
    if split is None:
        return names
    wanted = SPLITS.get(split, (split,))
    return [name for name in names if any(_split_name(part) in wanted or part == split for part in _above_class(name))]


@lru_cache(maxsize=4096)
def _split_name(folder: str) -> str:
    """What a folder calls a split: "Test" is test, and so are "test_set", "testset", "test1" and "imagenet-test"."""
    lower = folder.strip().lower()
    if any(lower in names for names in SPLITS.values()):
        return lower
    words = [word.removesuffix("set") for word in re.split(r"[^a-z]+", lower)]
    return " ".join(word for word in words if word and word not in BESIDE)


def _above_class(name: str) -> tuple[str, ...]:
    """The folders that may name a split: all but the class folder, which may well be called "train"."""
    folders = PurePosixPath(name).parts[:-1]
    return folders[:-1] if len(folders) > 1 else folders


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    return all(map(_is_ours, path.parts)) and path.suffix.lower() in PICTURE_ENDINGS


def _is_ours(part: str) -> bool:
    """Whether a folder or file is not one that another program keeps for itself."""
    return not (part.startswith(".") and part not in ("..", ".")) and part not in NOT_OURS


def _folder(root: Path) -> tuple[list[str], Reader]:
    names: list[str] = []
    seen: set[tuple[int, int]] = set()
    _new(root, seen)  # a link may lead back to it
    for above, folders, files in os.walk(root, followlinks=True):
        inner = PurePosixPath(Path(above).relative_to(root).as_posix())
        folders[:] = [folder for folder in sorted(folders) if _new(Path(above) / folder, seen) and _is_ours(folder)]
        names += [(inner / file).as_posix() for file in sorted(files) if _is_picture((inner / file).as_posix())]
    return [name for name in names if (root / name).is_file()], lambda name: root / name


def _new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether ``folder`` is looked at for the first time: links may lead to where one came from."""
    try:
        found = folder.stat()
    except OSError:
        return False
    place = (found.st_dev, found.st_ino)
    known = place in seen
    seen.add(place)
    return not known


def _zip(path: Path) -> tuple[list[str], Reader]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DatasetError(f"The zip {path.name!r} is damaged: its table of contents could not be read.") from error
    entries = archive.infolist()
    # Some programs of Windows write backslashes, against the format's rules.
    slash = "/" if any("/" in entry.filename for entry in entries) else "\\"
    names = {entry.filename.replace(slash, "/"): entry for entry in entries if entry.file_size <= MAX_BYTES}

    def read(name: str) -> bytes:
        try:
            return archive.read(names[name])
        except Exception as error:  # damaged, encrypted or packed in a way that Python lacks: zipfile raises many kinds
            raise ImageError("This picture could not be unpacked.") from error

    return [name for name in names if _is_picture(name)], read


def of_classes(names: list[str], count: int) -> list[str]:
    """Those of ``count`` class folders, evenly from all over their order."""
    folders = sorted({PurePosixPath(name).parent.name for name in names})
    count = min(count, len(folders))
    kept = {folders[place * len(folders) // count] for place in range(count)}
    return [name for name in names if PurePosixPath(name).parent.name in kept]


def ranked(names: list[str]) -> list[tuple[int, str]]:
    """Each name with its place among the names of its folder."""
    seen: dict[str, int] = {}
    ranked = []
    for name in names:
        folder = str(PurePosixPath(name).parent)
        ranked.append((seen.get(folder, 0), name))
        seen[folder] = seen.get(folder, 0) + 1
    return ranked
