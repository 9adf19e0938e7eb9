"""A process that opens strangers' pictures, one after another, with limits that the system holds it to.

`python -m uap_core.images.opener [--patient]` reads a line of JSON for each: "path" and "size" (resize, crop, interpolation of
``square``). It answers a line of JSON, "said" (empty, a sentence, or "slow" for what is left to a patient process), "shape" and
"bytes", and then so many bytes: the pixels as uint8. Nothing heavier than Pillow and NumPy is imported.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from uap_core.errors import ImageError
from uap_core.images.reading import known_formats, open_image, square

SECONDS = 20  # of the processor's time, for the one picture that a patient process opens
MEMORY = 1_500_000_000  # bytes of addresses, of which the interpreter, NumPy and Pillow have some 300 million
# Pixels that a quick process opens: a second's work at most. JPEG and PNG are quick at any size that is taken at all.
QUICK_PIXELS = {"JPEG": 50_000_000, "MPO": 50_000_000, "PNG": 25_000_000, "JPEG2000": 2_000_000}
OTHER_PIXELS = 12_000_000
PLAIN = (b"P1", b"P2", b"P3")  # numbers as words: a hundred times slower than bytes
PLAIN_BYTES = 2_000_000


def main(patient: bool) -> None:
    """Answer until nobody asks any more."""
    _keep_to_limits(patient)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    known_formats()  # imports the readers
    warnings.simplefilter("ignore")  # Pillow's own of large pictures; ours are errors
    answers.write(b"ready\n")
    answers.flush()
    for line in questions:
        asked = json.loads(line)
        head, pixels = answered(Path(asked["path"]), asked["size"], patient)
        answers.write(json.dumps({**head, "bytes": len(pixels)}).encode() + b"\n" + pixels)
        answers.flush()


def answered(path: Path, size: Any, patient: bool) -> tuple[dict[str, Any], bytes]:
    """What is said of a picture, and its pixels."""
    try:
        if not patient and is_slow(path):
            return {"said": "slow"}, b""
        found = np.asarray(square(open_image(path), *size), dtype=np.uint8)
    except ImageError as error:
        return {"said": str(error)}, b""
    return {"said": "", "shape": found.shape}, found.tobytes()


def is_slow(path: Path) -> bool:
    """Whether a picture may take more than a second, by what its first bytes claim."""
    try:
        with path.open("rb") as file:
            if file.read(2) in PLAIN and path.stat().st_size > PLAIN_BYTES:
                return True
        with Image.open(path, formats=known_formats()) as picture:
            width, height = picture.size
            return width * height > QUICK_PIXELS.get(picture.format or "", OTHER_PIXELS)
    except Exception:  # whatever is wrong with it, ``open_image`` says it in a sentence
        return False


def _keep_to_limits(patient: bool) -> None:
    """Little memory, and no more of the processor's time than a picture may take; whoever starts it ranks it behind clicks."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):  # macOS knows this limit and does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if patient:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


if __name__ == "__main__":
    main("--patient" in sys.argv[1:])
