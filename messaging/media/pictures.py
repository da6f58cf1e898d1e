"""Pictures: read with suspicion, written anew without what they tell of their maker, made small.

Only what Pillow decoded to the end counts as a picture; everything else is a file.
"""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from messaging.media.gifs import without_words
from messaging.media.sniffing import PICTURES, sniff

MOST_PIXELS = 50_000_000
"""Of a JPEG, which is decoded at a smaller size right away."""
MOST_PLAIN_PIXELS = 25_000_000
"""Of any other kind, which has to be held whole: four bytes each, and more while it is turned."""
MOST_MOVING_PIXELS = 150_000_000
"""Of all frames together."""
MOST_FRAMES = 400
LONGEST_SIDE = 4096
THUMBNAIL_SIDE = 640
"""Pixels; shown at half of it, for fine screens."""

FORMATS = ["JPEG", "PNG", "GIF", "WEBP"]
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, KeyError, AttributeError,
    ArithmeticError, MemoryError, struct.error, Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow's readers raise for broken or hostile bytes."""

SMALLER = [(2048, 85), (1600, 82), (1280, 80), (1024, 75), (800, 70), (640, 65), (480, 60)]
"""Longest side and quality of the versions that are tried, the best one first."""

AT_ONCE = threading.BoundedSemaphore(2)
"""Pictures that a process decodes at the same time, whoever sends how many."""

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


class NoPicture(Exception):
    """Not one that is safe to decode and show."""


class CannotShrink(Exception):
    """No version of it is small enough."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as we keep it; the thumbnail is a still WebP."""

    data: bytes
    content_type: str
    width: int
    height: int
    is_animated: bool
    thumbnail: bytes


def read_picture(data: bytes) -> Picture:
    """Decode it, turn it upright, and write it anew: no EXIF, no place, nothing hidden behind it.

    An animation stays one while it is not too long. Raises NoPicture.
    """
    if sniff(data) not in PICTURES:
        raise NoPicture
    with AT_ONCE:
        try:
            return _read(data)
        except BROKEN as error:
            raise NoPicture from error


def _read(data: bytes) -> Picture:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(image)
        is_animated = image.format == "GIF" and _moves(image)
        kind = image.format
        still = _upright(image)
    still.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    small = still.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    thumbnail = _encoded(small, "WEBP", quality=80)
    if is_animated:
        kept = without_words(data)
        with Image.open(io.BytesIO(kept), formats=["GIF"]) as checked:
            width, height = checked.size
        return Picture(kept, "image/gif", width, height, True, thumbnail)
    is_jpeg = kind == "JPEG" or (kind == "WEBP" and still.mode == "RGB")
    kept = _encoded(still, "JPEG", quality=90) if is_jpeg else _encoded(still, "PNG")
    content_type = "image/jpeg" if is_jpeg else "image/png"
    return Picture(kept, content_type, still.width, still.height, False, thumbnail)


def shrunk(data: bytes, content_type: str, *, types: Collection[str], limit: int) -> bytes | None:
    """A JPEG of at most `limit` bytes; None where what we have will do. Raises CannotShrink.

    `data` is a picture as we keep it.
    """
    if content_type in types and len(data) <= limit:
        return None
    with AT_ONCE:
        return _made_small(data, limit)


def _made_small(data: bytes, limit: int) -> bytes:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        still = image.convert("RGBA")
    paper = Image.new("RGB", still.size, "white")
    paper.paste(still, mask=still.getchannel("A"))
    for side, quality in SMALLER:
        paper.thumbnail((side, side))
        found = _encoded(paper, "JPEG", quality=quality)
        if len(found) <= limit:
            return found
    raise CannotShrink


def _check_size(image: Image.Image) -> None:
    """By its header, before anything is decoded."""
    width, height = image.size
    most = MOST_PIXELS if image.format == "JPEG" else MOST_PLAIN_PIXELS
    if not 0 < width * height <= most:
        raise NoPicture


def _moves(image: Image.Image) -> bool:
    """Whether it has several frames, and not too many: then the first one stands for all."""
    pixels = number = 0
    while number < MOST_FRAMES and pixels <= MOST_MOVING_PIXELS:
        _check_size(image)  # a later frame may be larger than the header says
        pixels += image.width * image.height
        number += 1
        try:
            image.seek(number)
        except EOFError:
            image.seek(0)
            return number > 1 and pixels <= MOST_MOVING_PIXELS
    image.seek(0)
    return False


def _upright(image: Image.Image) -> Image.Image:
    """Decoded, as RGB or RGBA, and free of everything but its pixels."""
    if image.format == "JPEG":
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    profile = image.info.get("icc_profile")
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    plain = image.convert("RGBA" if has_alpha else "RGB")
    plain.info = {}
    return _usual_colours(plain, profile) if profile and image.mode == "RGB" else plain


def _usual_colours(image: Image.Image, profile: bytes) -> Image.Image:
    """Phones' wide colours as sRGB, since the profile is not kept."""
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        usual = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if usual is None:
        return image
    usual.info = {}
    return usual


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
