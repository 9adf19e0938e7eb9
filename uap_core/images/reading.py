"""One image in and out: open anything safely, preprocess as a network asks, export a PNG that still fools.

An image batch is float32 RGB in [0,1], shape (N,3,H,W), everywhere in the package.
"""

from __future__ import annotations

import io
import math
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from uap_core.checks import check_path, check_type, check_whole, shown
from uap_core.errors import ImageError, SettingError
from uap_core.images import clear_levels, closed_formats, stated_colours, tiff
from uap_core.images.batches import check_batch, check_tensor
from uap_core.images.eight_bits import from_bytes
from uap_core.images.srgb import to_rgb
from uap_core.norms import LEVELS
from uap_core.settings import limits

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = limits().megapixels * 1_000_000
MAX_BYTES = limits().upload_megabytes * 1_000_000
MAX_ASPECT = 10
LARGEST_SIDE = 8192  # pixels that a picture may be asked to have
# What cameras and browsers write. Pillow knows more, and for one of them (EPS) would run an interpreter on the visitor's file.
FORMATS = {"AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP"}
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def open_image(source: str | Path | bytes | Image.Image) -> Image.Image:
    """Open an untrusted picture file as 8-bit RGB, upright.

    Colours are brought to sRGB, as a profile or a PNG's gamma asks.
    Animations give their first frame, transparency is laid on white, 16-bit and floating-point pictures are brought to 8
    bits, CMYK, palettes and grey become RGB, EXIF rotation is applied.

    Args:
        source: a path, the bytes of a file, or a Pillow image.

    Raises:
        ImageError: it is no picture, damaged, or larger than the limits allow.

    Example:
        >>> import torch, uap_core
        >>> uap_core.open_image(uap_core.png_bytes(torch.zeros(1, 3, 8, 8))).size
        (8, 8)
    """
    if isinstance(source, Image.Image):
        if not all(source.size):
            raise ImageError("This picture has no pixels. Choose another one.")
        return to_rgb(source)
    stream: io.BytesIO | Path
    if isinstance(source, bytes):
        size, stream = len(source), io.BytesIO(source)
    else:
        check_path(source)
        path = Path(source)
        if not path.is_file():
            raise ImageError(f"There is no picture at {path.name!r}.")
        size, stream = path.stat().st_size, path
    if size > MAX_BYTES:
        raise ImageError(f"This file has {_up(size):g} MB; pictures of up to {MAX_BYTES / 1e6:g} MB can be opened.")
    try:
        return _decoded(stream)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"This picture is far too large; up to {MAX_PIXELS / 1e6:.0f} megapixels can be opened.") from error
    except MemoryError as error:
        raise ImageError("This picture takes more memory than one may here. Try a smaller one.") from error
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        head = stream.getvalue()[: closed_formats.HEAD] if isinstance(stream, io.BytesIO) else _start(stream)
        closed = _with_end_mark(stream) if head.startswith(JPEG_START) else None
        if closed is not None:
            return closed
        if said := closed_formats.sentence(head, known_formats()) or (tiff.UNREADABLE if head.startswith(tiff.STARTS) else ""):
            raise ImageError(said) from error
        if isinstance(error, UnidentifiedImageError):
            raise ImageError("This file is not a picture that can be opened. Try a PNG, JPEG or WebP.") from error
        raise ImageError("This picture is damaged: it could not be read to its end. Try another file.") from error


def _decoded(stream: io.BytesIO | Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own size warning; the limit below is stricter and clearer
        with Image.open(stream, formats=known_formats()) as picture:
            _check_size(picture.size)
            # An animated PNG may begin with a fallback picture that is not a frame.
            picture.seek(1 if getattr(picture, "default_image", False) and getattr(picture, "n_frames", 1) > 1 else 0)
            tiff.prepare(picture)
            _check_size(picture.size)
            _check_inks(picture)
            stated_colours.look(picture)
            clear_levels.prepare(picture)
            picture.load()
            return to_rgb(picture)


def _check_inks(picture: Image.Image) -> None:
    """Raise ImageError for a JPEG of inks without Adobe's marker, which says that they are turned round."""
    if picture.format in ("JPEG", "MPO") and picture.mode == "CMYK" and "adobe" not in picture.info:
        raise ImageError("This JPEG holds inks (CMYK) and does not say whether 0 or 255 is full ink. Save it with RGB colours.")


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(closed_formats.HEAD)


def _with_end_mark(stream: io.BytesIO | Path) -> Image.Image | None:
    """A JPEG that lacks only its end marker, which browsers show; None where data are missing too.

    Missing data show when the file is padded: paddings of ones and of zeros decode differently.
    """
    data = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.read_bytes()
    try:
        closed, filled = (_decoded(io.BytesIO(data + filling + JPEG_END)) for filling in (b"", b"\x5a" * 64))
    except Exception:  # damaged in another way
        return None
    return closed if closed.tobytes() == filled.tobytes() else None


def _up(number: int) -> float:
    """In millions, rounded up to hundredths, so that a number above a limit is printed as above it."""
    return math.ceil(number / 1e4) / 100


@lru_cache(maxsize=1)
def known_formats() -> list[str]:
    """``FORMATS`` as far as the installed Pillow has them: its other readers never open an untrusted file."""
    Image.init()
    return [name for name in Image.ID if name in FORMATS]


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(f"This picture has {_up(width * height):g} megapixels; up to {MAX_PIXELS / 1e6:g} can be opened.")
    if max(size) > MAX_ASPECT * min(size):
        raise ImageError(f"This picture is {width} x {height} pixels, too narrow to cut a square from it.")


def preprocess(picture: Image.Image, resize: int, crop: int, interpolation: str = "bilinear") -> Tensor:
    """Resize the short side (antialiased) and cut the centre square.

    The documented preprocessing of torchvision's classifiers without its normalisation, which is each network's first layer.
    Nothing is resized after this point.

    Args:
        picture: 8-bit RGB, as ``open_image`` gives it.
        resize: pixels of the short side.
        crop: pixels of the square's side.
        interpolation: "bilinear" or "bicubic".

    Returns:
        (1,3,crop,crop) in [0,1], on the 8-bit grid.

    Example:
        >>> import uap_core
        >>> uap_core.preprocess(uap_core.sample_photos()[0].open(), 64, 64).shape
        torch.Size([1, 3, 64, 64])
    """
    import torch

    check_type("a picture", picture, Image.Image, "a Pillow image, as open_image gives it")
    check_whole("resize", resize, least=1, most=LARGEST_SIDE)
    check_whole("crop", crop, least=1, most=LARGEST_SIDE)
    check_interpolation(interpolation)
    pixels = np.asarray(square(picture, resize, crop, interpolation), dtype=np.uint8)
    return from_bytes(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None])


def check_interpolation(interpolation: str) -> None:
    """Raise SettingError for one that Pillow does not have."""
    check_type("interpolation", interpolation, str, "'bilinear' or 'bicubic'")
    if interpolation.upper() not in Image.Resampling.__members__:
        raise SettingError(f"The interpolation is 'bilinear' or 'bicubic', not {shown(interpolation)}.")


def square(picture: Image.Image, resize: int, crop: int, interpolation: str = "bilinear") -> Image.Image:
    """The ``crop`` x ``crop`` RGB picture that ``preprocess`` turns into a tensor; with torchvision's roundings.

    ``interpolation`` is "bilinear" or "bicubic".
    """
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    width, height = picture.size
    short = min(width, height)
    if short != resize:
        size = (resize * width // short, resize * height // short)
        picture = picture.resize(size, Image.Resampling[interpolation.upper()])
        width, height = size
    left, top = round((width - crop) / 2), round((height - crop) / 2)
    return picture.crop((left, top, left + crop, top + crop))


def to_array(image: Tensor) -> np.ndarray:
    """One image (3,H,W) or (1,3,H,W) in [0,1] as uint8 (H,W,3), each value rounded to the nearest level."""
    if image.ndim == 4:
        image = image[0]
    return (image.detach() * LEVELS).round().clamp(0, LEVELS).byte().permute(1, 2, 0).contiguous().cpu().numpy()


def from_array(pixels: np.ndarray) -> Tensor:
    """uint8 (H,W,3) to an image batch (1,3,H,W) in [0,1]; the inverse of ``to_array``."""
    import torch

    return from_bytes(torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None])


def png_bytes(image: Tensor) -> bytes:
    """Make a PNG of one image, lossless: read back it is exactly ``to_array(image)``.

    Args:
        image: (1,3,H,W) or (3,H,W) in [0,1]; rounded to 256 levels.

    Example:
        >>> import torch, uap_core
        >>> uap_core.png_bytes(torch.zeros(1, 3, 8, 8))[:4]
        b'\\x89PNG'
    """
    check_tensor(image)
    one = image if image.ndim == 4 else image[None]
    check_batch(one)
    if len(one) != 1:
        raise SettingError(f"A PNG holds one picture, not {len(one)}.")
    stream = io.BytesIO()
    Image.fromarray(to_array(one)).save(stream, format="PNG")
    return stream.getvalue()
