"""Files as phones send them, made for tests: the parts that tell what they are."""

from __future__ import annotations

import io
import struct
import zipfile


def make_film(brand: bytes, *tracks: bytes) -> bytes:
    """Make the beginning of an MP4 or a relative, with a handler for each track."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    handlers = [box(b"hdlr", b"\0" * 8 + track + b"\0" * 13) for track in tracks]
    kinds = box(b"ftyp", brand + b"\0\0\2\0" + b"isom" + b"mp41")
    return kinds + box(b"moov", b"".join(handlers)) + box(b"mdat", b"\0" * 64)


def make_office_file(*parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in ("[Content_Types].xml", *parts):
            archive.writestr(part, "<part/>")
    return out.getvalue()


def make_old_office_file(stream: str) -> bytes:
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return start + b"\0" * 504 + "Root Entry".encode("utf-16-le") + stream.encode("utf-16-le")


CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mara Lind\r\nEND:VCARD\r\n"
# Two frames of MPEG 1, layer III, with 128 kbit/s and 44.1 kHz; and two of MPEG 2.
MP3 = (b"\xff\xfb\x90\xc4" + b"\0" * 413) * 2
SLOW_MP3 = (b"\xff\xf3\x40\xc4" + b"\0" * 100) * 2
AAC = (b"\xff\xf1\x50\x80\x02\x1f\xfc" + b"\0" * 9) * 2
WAV = (
    b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0"
    + bytes(8)
)

# What a phone or a computer sends: the ending that it must get, the word for it, and its bytes.
FILES: dict[str, tuple[str, str, bytes]] = {
    "a voice memo of an iPhone": ("m4a", "Sound", make_film(b"M4A ", b"soun")),
    "a voice memo of an Android": ("m4a", "Sound", make_film(b"mp42", b"soun")),
    "a sound by 3GPP": ("3gp", "Sound", make_film(b"3gp4", b"soun")),
    "a film of an iPhone": ("mov", "Video", make_film(b"qt  ", b"vide", b"soun")),
    "an old film": ("mov", "Video", b"\0\0\1\0moov" + bytes(64)),
    "a film of an Android": ("mp4", "Video", make_film(b"isom", b"soun", b"vide")),
    "a film by 3GPP": ("3gp", "Video", make_film(b"3gp5", b"vide", b"soun")),
    "a photo in HEIC": ("heic", "Picture", make_film(b"heic")),
    "a photo in HEIF": ("heif", "Picture", make_film(b"mif1")),
    "a photo in AVIF": ("avif", "Picture", make_film(b"avif")),
    "an mp3 without a title": ("mp3", "Sound", MP3),
    "a slow mp3": ("mp3", "Sound", SLOW_MP3),
    "an mp3 with a title": ("mp3", "Sound", b"ID3\4\0\0\0\0\0\0" + MP3),
    "an aac": ("aac", "Sound", AAC),
    "a wav": ("wav", "Sound", WAV),
    "an amr": ("amr", "Sound", b"#!AMR\n" + bytes(32)),
    "a wide amr": ("awb", "Sound", b"#!AMR-WB\n" + bytes(32)),
    "words": ("txt", "Document", "Grüße\r\n\tMara\n".encode()),
    "words of Windows": ("txt", "Document", "Grüße".encode("utf-16")),
    "a card": ("vcf", "Contact card", CARD.encode()),
    "a card in small letters": ("vcf", "Contact card", CARD.lower().encode()),
    "a card with a byte order mark": ("vcf", "Contact card", b"\xef\xbb\xbf" + CARD.encode()),
    "a date": ("ics", "Calendar entry", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"),
    "a letter": ("docx", "Document", make_office_file("word/document.xml")),
    "an old letter": ("doc", "Document", make_old_office_file("WordDocument")),
    "a table": ("xlsx", "Spreadsheet", make_office_file("xl/workbook.xml")),
    "an old table": ("xls", "Spreadsheet", make_old_office_file("Workbook")),
    "slides": ("pptx", "Presentation", make_office_file("ppt/presentation.xml")),
    "an archive": ("zip", "Archive", make_office_file("photos/1.jpg")),
    "a fax": ("pdf", "PDF", b"%PDF-1.7\n"),
}  # fmt: skip
