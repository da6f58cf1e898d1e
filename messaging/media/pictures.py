"""Pictures: read with suspicion, written anew without what they tell of their maker, made small.

Only what Pillow decoded to the end counts as a picture; everything else is a file.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from messaging.media.gifs import without_words
from messaging.media.sniffing import PICTURES, sniff

MOST_PIXELS = 50_000_000
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
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image)
            is_animated = image.format == "GIF" and _moves(image)
            kind = image.format
            still = _upright(image)
        small = still.copy()
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        thumbnail = _encoded(small, "WEBP", quality=80)
        if is_animated:
            kept = without_words(data)
            with Image.open(io.BytesIO(kept), formats=["GIF"]) as checked:
                width, height = checked.size
            return Picture(kept, "image/gif", width, height, True, thumbnail)
        still.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        is_jpeg = kind == "JPEG" or (kind == "WEBP" and still.mode == "RGB")
        kept = _encoded(still, "JPEG", quality=90) if is_jpeg else _encoded(still, "PNG")
    except BROKEN as error:
        raise NoPicture from error
    content_type = "image/jpeg" if is_jpeg else "image/png"
    return Picture(kept, content_type, still.width, still.height, False, thumbnail)


def shrunk(data: bytes, content_type: str, *, types: Collection[str], limit: int) -> bytes | None:
    """A JPEG of at most `limit` bytes; None where what we have will do. Raises CannotShrink.

    `data` is a picture as we keep it.
    """
    if content_type in types and len(data) <= limit:
        return None
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
    if width * height > MOST_PIXELS or not width * height:
        raise NoPicture


def _moves(image: Image.Image) -> bool:
    """Whether it has several frames, and not too many: then the first one stands for all."""
    pixels = image.width * image.height
    for number in range(1, MOST_FRAMES + 1):
        try:
            image.seek(number)
        except EOFError:
            image.seek(0)
            return number > 1 and pixels * number <= MOST_MOVING_PIXELS
        if pixels * number > MOST_MOVING_PIXELS:
            break
    image.seek(0)
    return False


def _upright(image: Image.Image) -> Image.Image:
    """Decoded, as RGB or RGBA, and free of everything but its pixels."""
    if image.format == "JPEG":
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    image.load()
    turned = ImageOps.exif_transpose(image)
    profile = turned.info.get("icc_profile")
    has_alpha = turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info
    plain = turned.convert("RGBA" if has_alpha else "RGB")
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
