"""Pictures, and files that only look like one, made for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational

HTML = b"<html><script>document.title = 'ran'; alert(1)</script></html>"
SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">'
    b"<script>document.title = 'ran'</script></svg>"
)


def make_picture(
    kind: str = "JPEG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **more: Any
) -> bytes:
    """Draw a picture with a red rectangle in its upper left corner."""
    image = Image.new(mode, size, (20, 90, 160, 255)[: len(mode)] if mode != "L" else 90)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="red")
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def make_photo_with_location(orientation: int = 6) -> bytes:
    """Make a photo as a phone does: rotated, and with its location."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Canary Phones"
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (IFDRational(48), IFDRational(8), IFDRational(0)), 3: "E", 4: (11, 34, 0)}
    )
    return make_picture(exif=exif, comment=b"canary comment")


def make_double_photo(size: tuple[int, int] = (900, 600)) -> bytes:
    """Make a photo with a smaller picture behind it and its EXIF, as phones do (CIPA DC-007)."""
    front = Image.open(io.BytesIO(make_noise(size, "JPEG")))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    depth = Image.new("RGB", (size[0] // 2, size[1] // 2))
    front.save(out, "MPO", save_all=True, append_images=[depth], exif=exif, quality=90)
    return out.getvalue()


def make_noise(size: tuple[int, int], kind: str = "PNG", seed: int = 1) -> bytes:
    """Make a picture that hardly compresses."""
    width, height = size
    data = bytearray()
    state = seed
    for _ in range(width * height * 3 // 4 + 1):
        state = (state * 1103515245 + 12345) & 0xFFFFFFFF
        data += struct.pack("<I", state)
    out = io.BytesIO()
    Image.frombytes("RGB", size, bytes(data[: width * height * 3])).save(out, kind)
    return out.getvalue()


def make_animation(frames: int = 3, size: tuple[int, int] = (60, 40), **more: Any) -> bytes:
    """Make an animated GIF."""
    images = [Image.new("P", size, number * 40) for number in range(frames)]
    for number, image in enumerate(images):
        image.putpalette([number, 100, 200] * 256)
        ImageDraw.Draw(image).rectangle((number, 0, number + 5, 9), fill=number + 1)
    out = io.BytesIO()
    images[0].save(
        out, "GIF", save_all=True, append_images=images[1:], duration=80, loop=0, **more
    )
    return out.getvalue()


def make_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Make a PNG of some kilobytes that claims 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width // 8 + 1) * 200, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def open_picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
