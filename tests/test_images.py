from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from uap_core import images
from uap_core.errors import ImageError
from uap_core.images import from_array, open_image, png_bytes, preprocess, square, to_array
from uap_core.models.libraries import import_torchvision
from uap_core.photographs import sample_photos

MODERN = [form.upper() for form in ("webp", "avif") if form in features.get_supported()]


def picture(width: int = 12, height: int = 9, seed: int = 0) -> Image.Image:
    """Random RGB pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(source: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    source.save(stream, format=form, **options)
    return stream.getvalue()


def giant_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + chunk + encoded(picture())[33:]


def test_lossless_round_trip(tmp_path: Path) -> None:
    original = picture()
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(original))
    for source in (path, str(path), path.read_bytes(), original):
        opened = open_image(source)
        assert opened.mode == "RGB"
        assert np.array_equal(np.asarray(opened), np.asarray(original))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a picture"),
        (b"Dear all, please find attached...\n" * 20, "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture|damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "not a picture|damaged"),
        (encoded(picture(60, 60))[:-600], "damaged"),
        (encoded(picture(60, 60), "JPEG")[:-900], "damaged"),
    ],
    ids=["empty", "text", "signature only", "corrupt", "truncated png", "truncated jpeg"],
)
def test_refuses_what_is_no_whole_picture(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "visitor.png"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(ImageError, match=sentence):
            open_image(source)


def test_refuses_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no picture at 'nothing\.png'") as caught:
        open_image(tmp_path / "nothing.png")
    assert str(tmp_path) not in str(caught.value)  # a visitor does not learn the server's folders
    with pytest.raises(ImageError, match="no picture"):
        open_image(tmp_path)


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (30000, 30000)], ids=["above our limit", "above Pillow's"])
def test_refuses_too_many_pixels_by_the_header_alone(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="megapixels"):
        open_image(giant_png(width, height))


def test_refuses_too_many_bytes_before_reading_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = encoded(picture())
    path = tmp_path / "big.png"
    path.write_bytes(data)
    monkeypatch.setattr(images, "MAX_BYTES", len(data) - 1)
    for source in (path, data):
        with pytest.raises(ImageError, match="MB"):
            open_image(source)
    monkeypatch.setattr(images, "MAX_BYTES", len(data))
    assert open_image(path).size == (12, 9)


def test_refuses_extreme_aspect() -> None:
    with pytest.raises(ImageError, match="too narrow"):
        open_image(encoded(picture(101, 10)))
    assert open_image(encoded(picture(100, 10))).size == (100, 10)


def test_postscript_never_reaches_an_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow would run the program `gs` of the path on it."""
    ran = tmp_path / "ran"
    gs = tmp_path / "gs"
    gs.write_text(f"#!/bin/sh\n: > '{ran}'\n")
    gs.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match="not a picture"):
        open_image(encoded(picture(), "EPS"))
    assert not ran.exists()


def test_one_pixel() -> None:
    one = open_image(encoded(Image.new("RGB", (1, 1), (10, 20, 30))))
    batch = preprocess(one, 64, 64)
    assert batch.shape == (1, 3, 64, 64)
    assert to_array(batch).reshape(-1, 3).tolist() == [[10, 20, 30]] * 64 * 64


def test_animation_gives_its_first_frame() -> None:
    red, blue = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    data = encoded(red, "GIF", save_all=True, append_images=[blue], duration=100)
    assert Image.open(io.BytesIO(data)).n_frames == 2  # type: ignore[attr-defined]
    assert open_image(data).getpixel((4, 4)) == (255, 0, 0)


def test_transparency_is_laid_on_white() -> None:
    half = Image.new("RGBA", (4, 4), (200, 0, 100, 128))
    red, green, blue = open_image(encoded(half)).getpixel((0, 0))  # type: ignore[misc]
    assert (red, green, blue) == pytest.approx((227, 127, 177), abs=1)
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert open_image(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)
    grey = Image.new("LA", (4, 4), (0, 0))
    assert open_image(encoded(grey)).getpixel((0, 0)) == (255, 255, 255)


def test_transparent_palette_entry_is_white() -> None:
    indexed = Image.new("P", (4, 4), 1)
    indexed.putpalette([0, 0, 0, 250, 0, 0])
    indexed.putpixel((0, 0), 0)
    opened = open_image(encoded(indexed, "PNG", transparency=0))
    assert opened.getpixel((0, 0)) == (255, 255, 255)
    assert opened.getpixel((1, 1)) == (250, 0, 0)


def test_exif_rotation_is_applied() -> None:
    lying = Image.new("RGB", (16, 8), (0, 0, 0))
    lying.paste((255, 255, 255), (0, 0, 8, 8))  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a quarter turn clockwise: the left becomes the top
    upright = open_image(encoded(lying, "PNG", exif=exif))
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 2)) == (255, 255, 255)
    assert upright.getpixel((4, 13)) == (0, 0, 0)


def test_grey_keeps_its_values() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    opened = np.asarray(open_image(encoded(Image.fromarray(ramp))))
    assert np.array_equal(opened, np.repeat(ramp[..., None], 3, axis=2))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(form: str) -> None:
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    opened = np.asarray(open_image(encoded(Image.fromarray(deep), form)))[..., 0]
    assert np.array_equal(opened, np.arange(256).reshape(16, 16))


@pytest.mark.parametrize("scale", [1.0, 255.0, 65535.0])
def test_floating_point_tiff(scale: float) -> None:
    values = np.linspace(0, scale, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0] = np.nan
    opened = np.asarray(open_image(encoded(Image.fromarray(values), "TIFF")))[..., 0]
    assert opened[-1, -1] == 255
    assert opened[0, 0] == 0
    assert (np.diff(opened.ravel().astype(int)) >= 0).all()
    assert opened[4, 0] == pytest.approx(255 * 32 / 63, abs=1)


def test_cmyk_becomes_rgb() -> None:
    opened = open_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))
    assert opened.mode == "RGB"
    assert opened.getpixel((0, 0)) == (255, 0, 0)


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", *MODERN]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.floats(0.1, 1),
)
def test_damage_gives_a_picture_or_our_own_error(form: str, changes: list[tuple[float, int]], keep: float) -> None:
    data = bytearray(encoded(picture(), form))
    for place, value in changes:
        data[int(place * len(data))] = value
    try:
        opened = open_image(bytes(data[: int(keep * len(data))]))
    except ImageError:
        return
    assert opened.mode == "RGB"


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(5, 90),
    height=st.integers(5, 90),
    crop=st.integers(4, 40),
    more=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_preprocess_is_torchvisions(width: int, height: int, crop: int, more: int, seed: int) -> None:
    import_torchvision()
    from torchvision.transforms import v2

    original = picture(width, height, seed)
    theirs = v2.Compose([v2.Resize(crop + more), v2.CenterCrop(crop), v2.PILToTensor()])(original)
    ours = preprocess(original, crop + more, crop)
    assert ours.dtype == torch.float32
    assert torch.equal((ours[0] * 255).round().byte(), theirs)


def test_square_of_a_square_is_itself() -> None:
    original = picture(64, 64)
    assert np.array_equal(np.asarray(square(original, 64, 64)), np.asarray(original))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), height=st.integers(1, 20), width=st.integers(1, 20))
def test_png_bytes_read_back_exactly(seed: int, height: int, width: int) -> None:
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    with Image.open(io.BytesIO(png_bytes(image))) as stored:
        back = np.array(stored)
    assert np.array_equal(back, to_array(image))
    assert (from_array(back) - image).abs().max() <= 0.5 / 255 + 1e-6  # rounded to the nearest level, not truncated
    assert torch.equal(from_array(to_array(from_array(back))), from_array(back))


def test_sample_photographs_open_and_name_their_holder() -> None:
    photos = sample_photos()
    assert photos, "no sample photograph was found in the installed packages"
    for photo in photos:
        assert preprocess(photo.open(), 64, 64).shape == (1, 3, 64, 64)
        assert photo.credit
    gone = replace(photos[0], title="Gone", location="no/such.jpg")
    with pytest.raises(ImageError, match="Gone"):
        gone.open()
