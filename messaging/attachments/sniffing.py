"""Tell types by the first bytes alone (after the WHATWG's MIME Sniffing Standard)."""

from __future__ import annotations

GENERIC = "application/octet-stream"
# The types that Pillow is asked to read; only Pillow decides whether a file is one of them.
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

_SIGNATURES = [
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"BEGIN:VCARD", "text/vcard"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
]
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "text/vcard": "vcf",
    "audio/amr": "amr",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
}


def sniff_type(data: bytes) -> str:
    """Return a media type of the list above, or the generic one."""
    for beginning, content_type in _SIGNATURES:
        if data.startswith(beginning):
            return content_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        brand = data[8:11]
        if brand == b"3gp":
            return "video/3gpp"
        if brand in {b"mp4", b"iso", b"avc", b"M4V"}:
            return "video/mp4"
    return GENERIC


def file_extension(content_type: str) -> str:
    """Return an extension for a file that came without a name."""
    return EXTENSIONS.get(content_type, "bin")
