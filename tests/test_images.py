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

from uap_core.errors import ImageError
from uap_core.images import reading as images
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import from_array, open_image, png_bytes, preprocess, square, to_array
from uap_core.models.libraries import import_torchvision

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


WIDE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))  # Adobe RGB (1998), in D50
WIDE_GAMMA = 563 / 256


def wide_profile() -> bytes:
    """An ICC profile (version 2, a matrix and a curve) of WIDE."""

    def fixed(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, 563, 0)
    white = (0.9642, 1.0, 0.8249)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78 + 1)
    tags = {b"desc": text, b"wtpt": fixed(white), b"rXYZ": fixed(WIDE[0]), b"gXYZ": fixed(WIDE[1]), b"bXYZ": fixed(WIDE[2])}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I", start + len(body)) + bytes(4) + struct.pack(">I", 0x02100000) + b"mntrRGB XYZ " + bytes(12)
    head = (head + b"acsp" + bytes(28) + fixed(white)[8:]).ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_wide_colours_become_srgb(mode: str) -> None:
    """By the matrices: linear light, to XYZ, to linear sRGB (D50, Bradford), to its curve."""
    pixels = np.random.default_rng(0).integers(80, 176, (16, 16, 3), dtype=np.uint8)  # grey enough for sRGB to hold them
    xyz = (pixels / 255) ** WIDE_GAMMA @ np.array(WIDE)
    srgb = np.array(((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)))
    light = (xyz @ np.linalg.inv(srgb)).clip(0, 1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    opened = open_image(encoded(Image.fromarray(pixels).convert(mode), icc_profile=wide_profile()))
    assert np.abs(np.asarray(opened) - expected).mean() < 0.6
    assert np.abs(pixels - expected).mean() > 3  # the bare numbers would not do


def test_a_damaged_profile_is_passed_over() -> None:
    assert np.array_equal(np.asarray(open_image(encoded(picture(), icc_profile=b"nonsense" * 20))), np.asarray(picture()))


@pytest.mark.parametrize(("gamma", "expected"), [(1.0, 188), (1 / 2.2, 128), (0.0, 128)])
def test_the_gamma_of_a_png(gamma: float, expected: int) -> None:
    """188 is the sRGB level of half the light."""
    data = encoded(Image.new("RGB", (8, 8), (128, 128, 128)))
    body = b"gAMA" + struct.pack(">I", round(gamma * 100_000))
    data = data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]
    assert open_image(data).getpixel((0, 0)) == (expected,) * 3


def test_an_animated_png_gives_its_first_frame() -> None:
    blue, *frames = (Image.new("RGB", (8, 8), colour) for colour in ("blue", "red", "lime"))
    for default, expected in ((True, (255, 0, 0)), (False, (0, 0, 255))):
        data = encoded(blue, save_all=True, append_images=frames, default_image=default, duration=100)
        assert open_image(data).getpixel((4, 4)) == expected


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_end_mark_alone_opens(progressive: bool) -> None:
    data = encoded(picture(64, 64), "JPEG", quality=95, progressive=progressive)
    assert data[-2:] == b"\xff\xd9"
    assert np.array_equal(np.asarray(open_image(data[:-2])), np.asarray(open_image(data)))
    with pytest.raises(ImageError, match="damaged"):
        open_image(data[:-40])


@pytest.mark.parametrize("highest", [1.02, 1.5, 2.0])
def test_floats_a_little_above_one_are_no_darker(highest: float) -> None:
    values = np.linspace(0, highest, 64, dtype=np.float32).reshape(8, 8)
    assert np.asarray(open_image(encoded(Image.fromarray(values), "TIFF"))).mean() == pytest.approx(128, abs=3)


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"), (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"), (b"\xff\x0a\xfa", "JPEG XL")],
)
def test_formats_of_phones_are_named(head: bytes, name: str) -> None:
    with pytest.raises(ImageError, match=f"format {name}, .* as JPEG or PNG"):
        open_image(head + bytes(400))


def test_a_limit_is_told_truthfully(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match=r"has 50\.34 megapixels; up to 50 can"):
        open_image(giant_png(8192, 6144))
    with pytest.raises(ImageError, match=r"has 30\.01 MB; pictures of up to 30 MB"):
        open_image(bytes(30_000_001))
