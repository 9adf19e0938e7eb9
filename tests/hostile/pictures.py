"""Files that a page is sent sooner or later: damaged, disguised, gigantic, odd; each with what must come of it."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageOps

from uap_core.images.reading import FORMATS

WIDTH, HEIGHT = 24, 18
MODES = (
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"),
    *("I", "F", "I;16", "I;16B", "I;16L", "I;16N"),
)
LOSSLESS = ("PNG", "TIFF", "BMP", "PPM")
DAMAGED_EACH = 28


@dataclass(frozen=True)
class Upload:
    """A file called ``name``: gives ``pixels`` (uint8 (H,W,3)), or is ``refused``, or, where neither is said, one of both."""

    name: str
    data: bytes
    pixels: np.ndarray | None = None
    refused: bool = False


def noise(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Random RGB pixels."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """The bytes of a file of format ``form``."""
    stream = io.BytesIO()
    picture.save(stream, format=form, **options)
    return stream.getvalue()


def uploads() -> Iterator[Upload]:
    """All of them but the gigantic ones."""
    yield from every_format_and_mode()
    yield from damaged()
    yield from disguised()
    yield from turned()
    yield from thin()
    yield from strangely_named()


def every_format_and_mode() -> Iterator[Upload]:
    """Whatever Pillow can write, in every mode that it writes so."""
    Image.init()
    for form in sorted(Image.SAVE):
        for mode in MODES:
            try:
                data = encoded(_in_mode(mode), form)
            except Exception:  # this format cannot hold this mode: Pillow raises nearly anything
                continue
            plain = form in LOSSLESS and mode in ("1", "L", "RGB")
            pixels = np.asarray(_in_mode(mode).convert("RGB")) if plain else None
            yield Upload(f"{form}-{mode.replace(';', '-')}.png", data, pixels, refused=form not in FORMATS)


def _in_mode(mode: str) -> Image.Image:
    if mode.startswith("I;"):
        ramp = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 151
        return Image.frombytes(mode, (WIDTH, HEIGHT), ramp.astype(">u2" if mode == "I;16B" else "<u2").tobytes())
    if mode in ("La", "RGBa"):
        return noise().convert({"La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    if mode == "PA":
        return noise().convert("P").convert("PA")
    if mode == "LAB":
        return Image.frombytes("LAB", (WIDTH, HEIGHT), noise().tobytes())
    return noise().convert("L").convert(mode) if mode in ("I", "F", "LA") else noise().convert(mode)


def damaged() -> Iterator[Upload]:
    """Cut off, or with bits turned over, in the headers as often as in the rest."""
    whole = {form: encoded(noise(), form) for form in sorted(FORMATS & set(Image.SAVE) - {"MPO"})}
    whole["animation"] = encoded(noise(), "GIF", save_all=True, append_images=[noise(1), noise(2)])
    whole["palette"] = encoded(noise().convert("P"), "PNG", transparency=3)
    whole["turned"] = encoded(noise(), "JPEG", exif=_exif(6))
    draw = random.Random(0)
    for form, data in whole.items():
        for number in range(DAMAGED_EACH):
            broken = bytearray(data)
            reach = min(len(data), 80) if number % 2 else len(data)
            for _ in range(draw.randint(0, 4) if number % 4 == 0 else draw.randint(1, 6)):
                broken[draw.randrange(reach)] ^= 1 << draw.randrange(8)
            keep = draw.randint(1, len(data)) if number % 4 == 0 else len(data)
            yield Upload(f"{form}-{number}.{form.lower()}", bytes(broken[:keep]))


def disguised() -> Iterator[Upload]:
    """What says that it is one thing and is another, or two at once."""
    picture, pixels = noise(), np.asarray(noise())
    png, gif = encoded(picture), encoded(picture, "GIF")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("run.py", "raise SystemExit")
    script = b"<html><script>window.pwned = 1</script></html>"
    yield Upload("zip behind a picture.png", png + archive.getvalue(), pixels)
    yield Upload("page behind a picture.gif", gif + script)
    yield Upload("page within a picture.gif", gif[:13] + script)
    yield Upload("a picture.html", png, pixels)
    yield Upload("a picture without an ending", png, pixels)
    for ending in ("jpg", "gif", "webp", "svg", "pdf", "exe", "tiff"):
        yield Upload(f"in truth a PNG.{ending}", png, pixels)
    for name, data in {
        "empty.png": b"",
        "one byte.png": b"\x89",
        "text.jpg": b"Dear all, please find attached\n" * 40,
        "page.png": script,
        "vector.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"><rect width="9" height="9"/></svg>',
        "vector.png": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "paper.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(/tmp/x) (w) file\n%%EOF\n",
        "windows.wmf": b"\xd7\xcd\xc6\x9a\x00\x00" + b"\x00" * 80,
        "zeros.png": bytes(4000),
        "archive.png": archive.getvalue(),
        "a pickle.png": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n(Vtrue\ntR.",
    }.items():
        yield Upload(name, data, refused=True)


def turned() -> Iterator[Upload]:
    """Every EXIF orientation there is, some that there are not, and far too much EXIF."""
    picture = noise()
    for form in ("PNG", "TIFF", "JPEG", "WEBP"):
        lossless = form in LOSSLESS
        for orientation in (*range(10), 255, 65535):
            data = encoded(picture, form, exif=_exif(orientation))
            upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))  # Pillow's own way
            yield Upload(f"{orientation}.{form.lower()}", data, np.asarray(upright) if lossless else None)
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00"  # orientation: one whole number, the upright one
    for name, directory in {
        "empty": b"",
        "beyond the end": b"\xff\xff",
        "endless": b"\xff\xff" + entry * 9,
        "of no such type": b"\x01\x00" + entry[:2] + b"\xff\xff" + entry[4:],
        "a ratio by zero": b"\x01\x00" + entry[:2] + b"\x05\x00\x01\x00\x00\x00\x1a\x00\x00\x00" + bytes(12),
        "as text": b"\x01\x00" + entry[:2] + b"\x02\x00\x04\x00\x00\x00six\x00" + bytes(4),
        "many": b"\x01\x00" + entry[:4] + b"\x04\x00\x00\x00\x1a\x00\x00\x00" + bytes(20),
        "megabytes": bytes(3_000_000),
    }.items():
        exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + directory
        yield Upload(f"{name}.png", encoded(picture, "PNG", exif=exif), np.asarray(picture))
        if len(exif) < 65_000:
            yield Upload(f"{name}.jpg", encoded(picture, "JPEG", exif=exif), _decoded(picture, "JPEG"))


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def _decoded(picture: Image.Image, form: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded(picture, form))).convert("RGB"))


def thin() -> Iterator[Upload]:
    """One pixel, and strips of which no square can be cut."""
    for form in ("PNG", "GIF", "BMP", "JPEG", "WEBP", "TIFF"):
        one = Image.new("RGB", (1, 1), (10, 20, 30))
        yield Upload(f"one.{form.lower()}", encoded(one, form), np.asarray(one) if form in LOSSLESS else None)
    for width, height in ((20_000, 1), (1, 20_000), (20_000, 7), (16_000, 1599)):
        yield Upload(f"{width}x{height}.png", encoded(Image.new("L", (width, height))), refused=True)


def strangely_named() -> Iterator[Upload]:
    """A good picture under names that have broken other programs."""
    data, pixels = encoded(noise()), np.asarray(noise())
    for name in (
        *("<img src=x onerror=window.pwned=1>.png", "<svg onload=alert(1)>.png", '"quoted".png', "'single'.png", "a&amp;b.png"),
        *(".png", "..png", "...", ".hidden", "a.png.exe", "name.", "name ", " name", "%2e%2e%2fetc.png", "..%2f..%2fx.png"),
        *("\u202egnp.exe", "\u200b.png", "\u2066x\u2069.png", "pic\u0301ture.png", "рисунок.png", "画像.png", "🦁.png"),
        *("CON", "CON.png", "NUL.png", "aux.png", "COM1.png", "LPT9.png", "~", "-rf", "--help.png", "$(id).png", "`id`.png"),
        *(
            "x" * 240 + ".png",
            "line\nbreak.png",
            "tab\t.png",
            "semi;colon.png",
            "pipe|.png",
            "star*.png",
            "a:b.png",
            "\\\\x\\y.png",
        ),
    ):
        yield Upload(name, data, pixels)


def gigantic() -> Iterator[Upload]:
    """A few kilobytes that would fill the memory."""
    for depth, colour in ((16, 0), (8, 6)):
        yield Upload(f"7000-{depth}-{colour}.png", _png(7000, depth, colour, 7000))
    for side in (9000, 30_000, 2**31 - 1):
        for depth, colour in ((1, 0), (16, 2), (8, 3), (16, 4), (16, 6)):
            yield Upload(f"{side}-{depth}-{colour}.png", _png(side, depth, colour, 1), refused=True)
    yield Upload("frames.gif", _frames(4000))
    yield Upload("text.png", _png_with(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(80_000_000), 9)))
    yield Upload("profile.png", _png_with(b"iCCP", b"k\x00\x00" + zlib.compress(bytes(80_000_000), 9)))
    yield Upload("many texts.png", _png_with(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(900_000), 9), times=200))
    yield Upload("claims.webp", _webp_claiming(16_383), refused=True)
    screen = struct.pack("<HH", 30_000, 30_000)
    gif = b"GIF89a" + screen + b"\x00\x00\x00," + bytes(4) + screen + b"\x00\x08\x01\x00;"
    yield Upload("claims.gif", gif, refused=True)
    bmp = struct.pack("<IIIIiiHHIIiiII", 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield Upload("claims.bmp", b"BM" + bmp, refused=True)
    yield Upload("claims.ppm", b"P6 7000 7000 255\n" + bytes(64), refused=True)
    yield Upload("claims more.ppm", b"P6 70000 70000 255\n" + bytes(64), refused=True)
    plain = Image.new("RGB", (7000, 7000))
    yield Upload("7000.webp", encoded(plain, "WEBP", quality=1, method=0))
    yield Upload("7000 turned.jpg", encoded(plain, "JPEG", exif=_exif(6), quality=20))
    yield Upload("7000 numbers.tiff", encoded(Image.new("F", (7000, 7000)), "TIFF", compression="tiff_adobe_deflate"))


def _webp_claiming(side: int) -> bytes:
    """A lossless WebP, which begins with 14 bits each for width and height less one (RFC 9649)."""
    data = bytearray(encoded(noise(), "WEBP", lossless=True))
    place = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[place : place + 4], "little") >> 28 << 28
    data[place : place + 4] = (bits | (side - 1) << 14 | (side - 1)).to_bytes(4, "little")
    return bytes(data)


def _png(side: int, depth: int, colour: int, rows: int) -> bytes:
    """A square PNG as its header claims, of which there are ``rows`` rows of zeros, or a single byte."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    line = bytes(1 + (side * depth * channels + 7) // 8) if rows > 1 else b"\x00"
    packing = zlib.compressobj(1)
    packed = b"".join(packing.compress(line) for _ in range(rows)) + packing.flush()
    palette = _chunk(b"PLTE", bytes(range(3))) if colour == 3 else b""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + palette + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _png_with(kind: bytes, data: bytes, times: int = 1) -> bytes:
    plain = encoded(noise())
    return plain[:33] + _chunk(kind, data) * times + plain[33:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _frames(count: int) -> bytes:
    first = encoded(Image.new("P", (60, 60)), "GIF")
    body = first[first.index(b",") : -1]
    return first[: first.index(b",")] + body * count + b";"
