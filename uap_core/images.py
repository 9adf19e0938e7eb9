"""One image in and out: open anything safely, preprocess as a network asks, export a PNG that still fools.

An image batch is float32 RGB in [0,1], shape (N,3,H,W), everywhere in the package.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from uap_core.errors import ImageError
from uap_core.limits import limits
from uap_core.texts import _

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = limits().megapixels * 1_000_000
MAX_BYTES = limits().upload_megabytes * 1_000_000
MAX_ASPECT = 10
# What cameras and browsers write. Pillow knows more, and for one of them (EPS) would run an interpreter on the visitor's file.
FORMATS = {"AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP"}
LEVELS = 255
ROWS = 256  # a large picture is worked on in strips of so many rows, so that its numbers never lie in memory all at once
ORIENTATION = 0x0112  # EXIF's tag, and what its values ask for
TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_image(source: str | Path | bytes | Image.Image) -> Image.Image:
    """Open a picture from a stranger as 8-bit RGB, upright.

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
        return _to_rgb(source)
    stream: io.BytesIO | Path
    if isinstance(source, bytes):
        size, stream = len(source), io.BytesIO(source)
    else:
        path = Path(source)
        if not path.is_file():
            raise ImageError(_("There is no picture at {file!r}.").format(file=path.name))
        size, stream = path.stat().st_size, path
    if size > MAX_BYTES:
        raise ImageError(
            _("This file has {size:.0f} MB; pictures of up to {most:.0f} MB can be opened.").format(
                size=size / 1e6, most=MAX_BYTES / 1e6
            )
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size warning; the limit below is stricter and clearer
            with Image.open(stream, formats=_known_formats()) as picture:
                _check_size(picture.size)
                picture.seek(0)
                picture.load()
                return _to_rgb(picture)
    except UnidentifiedImageError as error:
        raise ImageError(_("This file is not a picture that can be opened. Try a PNG, JPEG or WebP.")) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            _("This picture is far too large; up to {most:.0f} megapixels can be opened.").format(most=MAX_PIXELS / 1e6)
        ) from error
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        raise ImageError(_("This picture is damaged: it could not be read to its end. Try another file.")) from error


@lru_cache(maxsize=1)
def _known_formats() -> list[str]:
    """``FORMATS`` as far as the installed Pillow has them: no other of its readers ever looks at a stranger's file."""
    Image.init()
    return [name for name in Image.ID if name in FORMATS]


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            _("This picture has {size:.0f} megapixels; up to {most:.0f} can be opened.").format(
                size=width * height / 1e6, most=MAX_PIXELS / 1e6
            )
        )
    if max(size) > MAX_ASPECT * min(size):
        raise ImageError(
            _("This picture is {width} x {height} pixels, too narrow to cut a square from it.").format(
                width=width, height=height
            )
        )


def _to_rgb(picture: Image.Image) -> Image.Image:
    picture = _upright(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(picture)
    if picture.mode == "LAB":
        raise ImageError(_("This picture has LAB colours, which cannot be opened. Save it with RGB colours."))
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    """As EXIF says that it is to be turned. Pillow's own way copies every picture, and fails where any other tag is damaged."""
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION))
    except Exception:  # EXIF that cannot be read says nothing about the picture
        return picture
    return picture if turn is None else picture.transpose(turn)


def _by_strips(picture: Image.Image, mode: str, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """A new picture of ``mode``, made of what ``change`` makes of each strip of ``picture``."""
    changed = Image.new(mode, picture.size)
    for top, strip in _strips(picture):
        changed.paste(change(strip), (0, top))
    return changed


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """(first row, those rows) of the whole picture."""
    for top in range(0, picture.height, ROWS):
        yield top, picture.crop((0, top, picture.width, min(top + ROWS, picture.height)))


def _on_white(picture: Image.Image) -> Image.Image:
    def lay(strip: Image.Image) -> Image.Image:
        strip = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB")

    return _by_strips(picture, "RGB", lay)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit and floating-point grey to 8 bits. Pillow's own convert would clip everything above 255 to white."""
    highest = max(float(_numbers(strip).max(initial=0.0)) for _, strip in _strips(picture))
    full_scale = 1.0 if highest <= 1.0 else 255.0 if highest <= 255.0 else max(65535.0, highest)
    if picture.mode.startswith("I"):
        full_scale = max(65535.0, highest)

    def scale(strip: Image.Image) -> Image.Image:
        return Image.fromarray(np.rint(_numbers(strip).clip(0, None) / full_scale * 255).astype(np.uint8))

    return _by_strips(picture, "L", scale)


def _numbers(strip: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(strip, dtype=np.float64))


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

    pixels = np.asarray(square(picture, resize, crop, interpolation), dtype=np.uint8)
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / LEVELS


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

    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / LEVELS


def png_bytes(image: Tensor) -> bytes:
    """Make a PNG of one image, lossless: read back it is exactly ``to_array(image)``.

    Args:
        image: (1,3,H,W) or (3,H,W) in [0,1]; rounded to 256 levels.

    Example:
        >>> import torch, uap_core
        >>> uap_core.png_bytes(torch.zeros(1, 3, 8, 8))[:4]
        b'\\x89PNG'
    """
    stream = io.BytesIO()
    Image.fromarray(to_array(image)).save(stream, format="PNG")
    return stream.getvalue()
