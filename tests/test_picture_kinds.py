"""Pictures as scanners, microscopes, phones and presses write them: the right colours, or a sentence that names the kind."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin, features
from test_images import wide_profile
from tiff_files import tiff

from uap_core.errors import ImageError
from uap_core.images import reading
from uap_core.images.reading import open_image

SIZE = WIDTH, HEIGHT = 16, 12
DRAW = np.random.default_rng(0)
GREY = DRAW.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
COLOURS = DRAW.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
INK = GREY > 127
DEFLATE = 8
ORDERS = ("<", ">")
AVIF = ["AVIF"] if "avif" in features.get_supported() else []


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=form, **options)
    return stream.getvalue()


def levels(data: bytes) -> np.ndarray:
    """What is read, (H,W,3)."""
    return np.asarray(open_image(data)).astype(int)


def greys(data: bytes) -> np.ndarray:
    """What is read of a picture without colours, (H,W)."""
    found = levels(data)
    assert (found == found[..., :1]).all()
    return found[..., 0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_colours_in_planes_apart(order: str, packed: bool, bits: int) -> None:
    planes = COLOURS.transpose(2, 0, 1).astype(f"{order}u2") * 257 if bits == 16 else COLOURS.transpose(2, 0, 1)
    for halves in (1, 2):  # strips of a plane
        strips = [part.tobytes() for plane in planes for part in np.split(plane, halves)]
        strips = [zlib.compress(strip) for strip in strips] if packed else strips
        data = tiff(strips, SIZE, bits, 2, 3, order, planes=2, compression=DEFLATE if packed else 1)
        assert np.array_equal(levels(data), COLOURS)


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_greys_of_every_depth_from_either_end(white_is_zero: bool) -> None:
    white = 0 if white_is_zero else 1

    def file(numbers: np.ndarray, bits: int, highest: float, dtype: str, **more: int) -> bytes:
        numbers = (highest - numbers if white_is_zero else numbers).astype(dtype)
        strip = _packed(numbers, bits) if bits in (1, 2, 4, 12) else numbers.tobytes()
        strips = [zlib.compress(strip)] if more.get("compression") == DEFLATE else [strip]
        return tiff(strips, SIZE, bits, white, **more)

    assert np.array_equal(greys(file(INK, 1, 1, "u1")), INK * 255)
    for bits in (2, 4):
        assert np.array_equal(
            greys(file(GREY >> (8 - bits), bits, 2**bits - 1, "u1")), (GREY >> (8 - bits)) * (255 // (2**bits - 1))
        )
    assert np.array_equal(greys(file(GREY, 8, 255, "u1")), GREY)
    for more in ({}, {"compression": DEFLATE}):
        assert np.array_equal(greys(file(GREY * 257.0, 16, 65535, "<u2", **more)), GREY)
        assert np.array_equal(greys(file(GREY / 255, 32, 1, "<f4", format=3, **more)), GREY)


def floats(numbers: np.ndarray, spoilt: float | None = None) -> bytes:
    """A TIFF of floats, one of which is ``spoilt``."""
    numbers = numbers.astype("<f4")
    numbers.flat[7] = numbers.flat[7] if spoilt is None else spoilt
    return tiff([numbers.tobytes()], SIZE, 32, 1, format=3)


@pytest.mark.parametrize(("wide", "low"), [(255, 0), (260, 0), (270, -10), (1.04, -0.02)])
def test_floats_may_leave_their_range_by_a_little(wide: float, low: float) -> None:
    white = 255 if wide > 2 else 1
    numbers = GREY / 255 * wide + low
    assert np.abs(greys(floats(numbers)) - 255 * (numbers / white).clip(0, 1)).max() <= 1


def test_a_smaller_copy_that_comes_first_is_not_the_picture() -> None:
    preview, kind = Image.fromarray(COLOURS[::2, ::2]), TiffImagePlugin.ImageFileDirectory_v2()
    kind[254] = 0
    data = encoded(preview, "TIFF", tiffinfo=kind, save_all=True, append_images=[Image.fromarray(COLOURS)])
    whole, reduced = (struct.pack("<HHII", 254, 4, 1, value) for value in (0, 1))
    assert whole in data
    assert np.array_equal(levels(data.replace(whole, reduced, 1)), COLOURS)
    assert np.array_equal(levels(data), COLOURS[::2, ::2])


def _packed(numbers: np.ndarray, bits: int) -> bytes:
    """Rows of numbers of few bits, the highest bit first."""
    return np.packbits(
        np.unpackbits(numbers.astype(">u2")[..., None].view("u1"), axis=-1)[..., 16 - bits :].reshape(HEIGHT, -1)
    ).tobytes()


def test_twelve_bits_reach_white() -> None:
    deep = np.rint(GREY / 255 * 4095).astype(int)
    assert np.array_equal(greys(tiff([_packed(deep, 12)], SIZE, 12, 1)), GREY)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (tiff([GREY.astype("<i2").tobytes()], SIZE, 16, 1, format=2), "signed numbers, of which white is not known"),
        (tiff([(GREY.astype("<u4") << 24).tobytes()], SIZE, 32, 1), "whole numbers of 32 bits, of which white is not known"),
        (tiff([(COLOURS / 255).astype("<f4").tobytes()], SIZE, 32, 2, 3, format=3), "of a kind that cannot be opened here"),
        (tiff([(GREY / 255).astype("<f8").tobytes()], SIZE, 64, 1, format=3), "of a kind that cannot be opened here"),
        (tiff([COLOURS.tobytes()], SIZE, 8, 2, 3, kind=1, preview_of=8), "a camera's raw file"),
        (tiff([COLOURS.tobytes()], SIZE, 8, 2, 3, dng=1), "a camera's raw file"),
        (tiff([COLOURS.tobytes()], SIZE, 8, 2, 3, lead=b"CR\2\0" + bytes(4)), "a camera's raw file"),
        (tiff([b""], (0, 12), 8, 1), "This TIFF is damaged"),
        *((floats(GREY / 255, spoilt), r"not numbers \(NaN or infinite\)") for spoilt in (np.nan, np.inf, -np.inf)),
        *((floats(GREY / 255, spoilt), "black and white are not known") for spoilt in (-9999.0, 1e38)),
        *(
            (floats(GREY * wide + low), "black and white are not known")
            for wide, low in ((2 / 255, -1), (100 / 255, 0), (16.0, 0))
        ),
        (tiff([GREY.astype("<u2").tobytes()], SIZE, 16, 1), "go up to 2.. of 65535: they are 8-bit levels"),
        (tiff([zlib.compress(GREY.tobytes())] * 2, SIZE, 8, 1, 2, planes=2, compression=DEFLATE), "kind that cannot be opened"),
        (tiff([GREY.astype("<u2").tobytes()] * 4, SIZE, 16, 5, 4, planes=2), "kind that cannot be opened here"),
    ],
)
def test_a_tiff_that_nobody_can_know_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        open_image(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth: int, colour: int, rows: list[bytes], *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("turned", [True, False])
def test_inks_that_do_not_say_which_way_round_they_are(turned: bool) -> None:
    data = encoded(Image.fromarray(COLOURS).convert("CMYK"), "JPEG", quality=100)
    place = data.index(b"\xff\xee\x00\x0eAdobe")
    if turned:  # the marker's last byte: lightness and two colours in place of three inks
        inks = Image.fromarray(COLOURS).convert("CMYK")
        *three, black = inks.split()
        lightness = Image.merge("RGB", three).convert("YCbCr").split()
        data = bytearray(
            encoded(Image.merge("CMYK", (*(band.point(lambda v: 255 - v) for band in lightness), black)), "JPEG", quality=100)
        )
        data[place + 15] = 2
        assert np.abs(levels(bytes(data)) - levels(encoded(inks, "TIFF"))).mean() < 3
    else:
        with pytest.raises(ImageError, match="does not say whether 0 or 255 is full ink"):
            open_image(data[:place] + data[place + 16 :])


def test_a_palette_with_transparency_lies_on_white() -> None:
    colours, opaque = DRAW.integers(0, 256, (256, 3)), DRAW.integers(0, 256, (256, 1))
    rows = [row.tobytes() for row in GREY]
    palette = chunk(b"PLTE", colours.astype("u1").tobytes())
    data = png(8, 3, rows, palette, chunk(b"tRNS", opaque.astype("u1").tobytes()))
    expected = (colours * (opaque / 255) + 255 - opaque)[GREY]
    assert np.abs(levels(data) - expected).max() <= 1


@pytest.mark.parametrize(("depth", "dtype", "times"), [(8, "u1", 1), (16, ">u2", 257)])
def test_the_level_that_a_grey_png_calls_transparent_is_white(depth: int, dtype: str, times: int) -> None:
    deep = (GREY.astype(int) * times).astype(dtype)
    data = png(depth, 0, [row.tobytes() for row in deep], chunk(b"tRNS", struct.pack(">H", int(deep[0, 0]))))
    assert np.array_equal(greys(data), np.where(GREY[0, 0] == GREY, 255, GREY))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_level_of_few_bits_that_a_grey_png_calls_transparent_is_white(bits: int) -> None:
    white = 2**bits - 1
    numbers = (GREY >> (8 - bits)).astype(int)
    packed, width = _packed(numbers, bits), WIDTH * bits // 8
    rows = [packed[start : start + width] for start in range(0, len(packed), width)]
    for clear in range(white + 1):
        data = png(bits, 0, rows, chunk(b"tRNS", struct.pack(">H", clear)))
        assert np.array_equal(greys(data), np.where(numbers == clear, 255, numbers * 255 // white))


@pytest.mark.parametrize("depth", [8, 16])
def test_the_colour_that_a_png_calls_transparent_is_white(depth: int) -> None:
    """Of 16 bits the upper 8 count, as in the picture itself."""
    clear, other = COLOURS[0, 0].astype(int), COLOURS[0, 0] // 2
    colours = np.where(GREY[..., None] > 127, clear, other)
    dtype, more = ("u1", 0) if depth == 8 else (">u2", int(other[0]))
    stored = (colours * (1 if depth == 8 else 256) + more).astype(dtype)
    said = struct.pack(">3H", *stored[GREY > 127][0].tolist())
    data = png(depth, 2, [row.tobytes() for row in stored], chunk(b"tRNS", said))
    assert np.array_equal(levels(data), np.where(GREY[..., None] > 127, 255, colours))


def test_inks_of_a_press() -> None:
    """Adobe's JPEGs hold the inks turned round, which the marker says; 255 is full ink once that is undone."""
    for ink, expected in (((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 255), (0, 0, 0)), ((0, 0, 0, 0), (255, 255, 255))):
        data = encoded(Image.new("CMYK", SIZE, ink), "JPEG", quality=100)
        assert b"\xff\xee\x00\x0eAdobe" in data
        assert np.abs(levels(data) - expected).max() <= 1
    apart = [np.full(GREY.shape, ink, np.uint8).tobytes() for ink in (0, 255, 0, 0)]
    for planes, strips in ((2, apart), (1, [bytes((0, 255, 0, 0)) * GREY.size])):
        opened = levels(tiff(strips, SIZE, 8, 5, 4, planes=planes).replace(b"\x52\x01\x03\x00", b"\x51\x01\x03\x00"))
        assert (opened == (255, 0, 255)).all()


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "WEBP", *AVIF])
def test_wide_colours_become_srgb_in_every_container(form: str) -> None:
    """As in a PNG, whose colours test_images.py compares with the matrices."""
    flat = Image.new("RGB", SIZE, (120, 150, 130))
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(form, {})
    expected = levels(encoded(flat, "PNG", icc_profile=wide_profile()))
    assert np.abs(expected - (120, 150, 130)).max() > 5
    assert np.abs(levels(encoded(flat, form, icc_profile=wide_profile(), **options)) - expected).max() <= 2


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_a_profile_of_grey_levels(form: str) -> None:
    """Linear light: 188 is the sRGB level of half of it."""
    head = bytes(4) + b"\0\0\0\0\x02\x10\0\0mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    white = struct.pack(">3i", *(round(65536 * value) for value in (0.9642, 1.0, 0.8249)))
    tags = {b"desc": b"desc\0\0\0\0\0\0\0\5grey\0" + bytes(79), b"wtpt": b"XYZ \0\0\0\0" + white}
    tags[b"kTRC"] = b"curv" + bytes(8)  # no points: the line
    table, body = b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    profile = (head + white).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    profile = struct.pack(">I", len(profile)) + profile[4:]
    opened = greys(encoded(Image.new("L", SIZE, 128), form, icc_profile=profile))
    assert np.abs(opened - 188).max() <= 1


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", *AVIF])
def test_moving_pictures_give_the_first(form: str) -> None:
    red, *others = (Image.new("RGB", SIZE, colour) for colour in ("red", "blue", "lime"))
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(red, form, save_all=True, append_images=others, **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3  # type: ignore[attr-defined]
    assert np.abs(levels(data) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"8BPS\0\1", "in the format PSD"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "in the format SVG"),
        (b"%PDF-1.7\n", "in the format PDF"),
        (bytes(128) + b"DICM", "in the format DICOM"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "a camera's raw file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0", "a video"),
    ],
)
def test_what_people_have_and_cannot_be_opened_is_named(head: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=f"{sentence}.* as JPEG or PNG"):
        open_image(head + bytes(400))


def test_avif_is_named_where_pillow_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "known_formats", lambda: ["JPEG", "PNG"])
    with pytest.raises(ImageError, match=r"format AVIF, .* as JPEG or PNG"):
        open_image(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(400))


@pytest.mark.parametrize(
    ("form", "options"),
    [
        *[("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("GIF", {}), ("BMP", {}), ("PPM", {}), ("JPEG2000", {})],
        *[("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}), ("WEBP", {})],
        *[(form, {}) for form in AVIF],
    ],
)
def test_no_part_of_a_picture_passes_for_the_whole(form: str, options: dict[str, object]) -> None:
    whole = encoded(Image.fromarray(np.kron(COLOURS, np.ones((4, 4, 1), np.uint8))), form, **options)
    assert levels(whole).shape == (4 * HEIGHT, 4 * WIDTH, 3)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(ImageError):
            open_image(whole[: int(share * len(whole))])


NOTHING: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
    "PPM": lambda: b"P6 0 5 255\n",
    "BMP": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 0, 5, 1, 24, 0, 0, 0, 0, 0, 0),
    "GIF": lambda: b"GIF89a" + struct.pack("<HH", 0, 5) + b"\0\0\0," + bytes(4) + struct.pack("<HH", 0, 5) + b"\0\x02\0;",
    "Pillow image": lambda: b"",
}


@pytest.mark.parametrize("form", NOTHING)
def test_pictures_without_pixels(form: str) -> None:
    source = Image.new("RGB", (0, 5)) if form == "Pillow image" else NOTHING[form]()
    with pytest.raises(ImageError):
        open_image(source)
