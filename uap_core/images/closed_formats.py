"""Formats that people have and that are not opened here, told by their first bytes."""

from __future__ import annotations

HEAD = 512  # bytes that tell
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_FILMS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"3gp4", b"3gp5", b"MSNV")
_BRANDS = {
    **dict.fromkeys(_HEIC, "HEIC"),
    **dict.fromkeys(_FILMS, "video"),
    b"avif": "AVIF",  # which older Pillows do not read
    b"avis": "AVIF",
    b"crx ": "raw",
}
_STARTS = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"8BPS": "PSD",
    b"gimp xcf": "XCF",
    b"%PDF": "PDF",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"\x00\x00\x01\x00": "ICO",
    b"II\xbc\x01": "JPEG XR",
    b"FUJIFILMCCD-RAW": "raw",
    b"IIU\x00": "raw",
    b"IIRO": "raw",
    b"MMOR": "raw",
    b"\x1a\x45\xdf\xa3": "video",
}


def sentence(head: bytes, known: list[str]) -> str:
    """What to say of a file that begins with ``head``: empty where no such format is recognised, or where it is ``known``."""
    name = _name(head)
    if not name or name in known:
        return ""
    if name == "video":
        return "This is a video, which cannot be opened here. Save one of its pictures as JPEG or PNG."
    if name == "raw":
        return "This is a camera's raw file, which cannot be opened here. Save it as JPEG or PNG."
    return f"This is a picture in the format {name}, which cannot be opened here. Save or share it as JPEG or PNG."


def _name(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "")
    if head[128:132] == b"DICM":
        return "DICOM"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"<svg", b"<?xml", b"<!DOCTYPE svg")) and b"<svg" in text:
        return "SVG"
    return next((name for start, name in _STARTS.items() if head.startswith(start)), "")
