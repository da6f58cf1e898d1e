"""Tell types by their content alone, never by what a sender or a carrier claims.

The signatures are those of the WHATWG's MIME Sniffing Standard and of the formats' own documents:
ISO/IEC 14496-12 (brands of MP4 and its relatives), ISO/IEC 11172-3 and 13818-7 (headers of MP3 and
AAC frames), ECMA-376 (parts of Office files) and RFC 6350 (vCard).
"""

from __future__ import annotations

import re

GENERIC = "application/octet-stream"
# The types that Pillow is asked to read; only Pillow decides whether a file is one of them.
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SIGNATURES = [
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"#!AMR-WB", "audio/amr-wb"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"caff\0\1", "audio/x-caf"),
]
# By the four bytes behind RIFF and a length.
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
}
_FAMILIES = {
    b"3g2": "video/3gpp2",
    b"3gp": "video/3gpp",
    b"mp4": "video/mp4",
    b"iso": "video/mp4",
    b"avc": "video/mp4",
    b"M4V": "video/mp4",
    b"MSN": "video/mp4",
    b"das": "video/mp4",
}
_SOUND_ALONE = {"video/mp4": "audio/mp4", "video/3gpp": "audio/3gpp", "video/3gpp2": "audio/3gpp2"}
# Atoms with which a QuickTime film begins that is older than brands.
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"pnot"}
_TRACK = re.compile(rb"hdlr.{8}(soun|vide)", re.DOTALL)
_ZIPPED = [
    (b"word/document.xml", f"{_OFFICE}.wordprocessingml.document"),
    (b"xl/workbook.xml", f"{_OFFICE}.spreadsheetml.sheet"),
    (b"ppt/presentation.xml", f"{_OFFICE}.presentationml.presentation"),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.text",
    ),
]
# Names of the streams in an Office file older than 2007.
_COMPOUND = [
    ("WordDocument".encode("utf-16-le"), "application/msword"),
    ("Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
    ("PowerPoint Document".encode("utf-16-le"), "application/vnd.ms-powerpoint"),
]
_CARDS = {b"BEGIN:VCARD": "text/vcard", b"BEGIN:VCALENDAR": "text/calendar"}
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # What no text has

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/avif": "avif",
    "image/tiff": "tiff",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/zip": "zip",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.text": "odt",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}.presentationml.presentation": "pptx",
    "text/vcard": "vcf",
    "text/calendar": "ics",
    "text/plain": "txt",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/amr-wb": "awb",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-caf": "caf",
    "audio/3gpp": "3gp",
    "audio/3gpp2": "3g2",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-msvideo": "avi",
    "video/x-matroska": "mkv",
    "video/webm": "webm",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
}


def sniff_type(data: bytes) -> str:
    """Return a media type of the list above, or the generic one.

    Markup, which a browser could run, has no type here.
    """
    for beginning, content_type in _SIGNATURES:
        if data.startswith(beginning):
            return content_type
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12], GENERIC)
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in data[:64] else "video/x-matroska"
    if data.startswith(b"PK\x03\x04"):
        return next((kind for part, kind in _ZIPPED if part in data), "application/zip")
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return next((kind for name, kind in _COMPOUND if name in data), GENERIC)
    return _sniff_film(data) or _sniff_frames(data) or _sniff_text(data) or GENERIC


def is_layout(data: bytes) -> bool:
    """Return True for SMIL, by which a phone only says how it lays out a text's pictures."""
    head = data[:1024].removeprefix(_UTF_8_MARK).lstrip().lower()
    return head.startswith((b"<smil", b"<?xml", b"<!doctype smil")) and b"<smil" in head


def file_extension(content_type: str) -> str:
    """Return an extension for a file that came without a name."""
    return EXTENSIONS.get(content_type, "bin")


def _sniff_film(data: bytes) -> str:
    """Recognise MP4 and its relatives; those that have sound alone are sound."""
    if data[4:8] in _OLD_QUICKTIME:
        return "video/quicktime"
    if data[4:8] != b"ftyp":
        return ""
    brand = data[8:12]
    content_type = _BRANDS.get(brand) or _FAMILIES.get(brand[:3], "")
    if content_type == "image/heif" and b"heic" in data[16:64]:
        return "image/heic"
    if content_type in _SOUND_ALONE and set(_TRACK.findall(data)) == {b"soun"}:
        return _SOUND_ALONE[content_type]
    return content_type


def _sniff_frames(data: bytes) -> str:
    """Recognise MP3 and AAC by two frames, the second one where the first one ends."""
    for content_type, length in (("audio/mpeg", _mp3_length), ("audio/aac", _aac_length)):
        first = length(data[:8])
        if first and length(data[first : first + 8]):
            return content_type
    return ""


_MP3_RATES = {  # In kbit/s, for MPEG 1 and for its halved sampling rates
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_SAMPLING = (44100, 48000, 32000)


def _mp3_length(head: bytes) -> int:
    """Return the length of the frame that begins here; 0 if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sampling = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < rate < 15 or sampling == 3:
        return 0
    kind = 1 if version == 3 else 2
    hertz = _MP3_SAMPLING[sampling] // {3: 1, 2: 2, 0: 4}[version]
    samples = 144 if kind == 1 else 72
    return samples * _MP3_RATES[kind][rate - 1] * 1000 // hertz + (head[2] >> 1 & 1)


def _aac_length(head: bytes) -> int:
    """Return the length of the ADTS frame that begins here; 0 if none does."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _sniff_text(data: bytes) -> str:
    """Recognise what has letters and white space only, in UTF-8 or with a mark of UTF-16."""
    head = data.removeprefix(_UTF_8_MARK)
    for beginning, content_type in _CARDS.items():
        if head[:64].lstrip()[: len(beginning)].upper() == beginning:
            return content_type
    encoding = "utf-16" if data.startswith(_UTF_16_MARKS) else "utf-8"
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError:
        return ""
    seen = text.lstrip()
    is_plain = seen and seen[0] != "<" and not _CONTROL.search(text)
    return "text/plain" if is_plain else ""
