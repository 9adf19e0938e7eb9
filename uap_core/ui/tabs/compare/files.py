"""What can be downloaded of a comparison: pictures and numbers."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from uap_core.attacks.menu import attack_name
from uap_core.experiments.apply import GAIN, amplified
from uap_core.ui.widgets import png_of

if TYPE_CHECKING:
    from uap_core.experiments.compare import Contender


def csv_of(found: Sequence[Contender]) -> str:
    """All numbers, a line an attack."""
    stream = io.StringIO()
    left_out = ("key", "picture", "share", "done", "trials")
    rows = [
        {"key": row.key, "name": attack_name(row.key)}
        | {name: value for name, value in vars(row).items() if name not in left_out}
        for row in found
    ]
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def pictures_of(before: np.ndarray, contender: Contender) -> dict[str, bytes]:
    """The attacked picture and its change, as files by their names."""
    change = (contender.picture.astype(float) - before) / 255
    return {
        f"{contender.key}.png": png_of(contender.picture),
        f"{contender.key}-change-{GAIN}-times.png": png_of(amplified(change)),
    }


def zip_of(pictures: Mapping[str, bytes], found: Sequence[Contender]) -> bytes:
    """The photograph, each attacked picture with its change, and the numbers."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
        archive.writestr("comparison.csv", csv_of(found))
    return stream.getvalue()
