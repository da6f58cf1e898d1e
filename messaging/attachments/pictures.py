"""Pictures: checked, encoded again without metadata, shrunk.

Only what Pillow decodes to the end counts as a picture; everything else is a file. This runs in a
child process (`isolation.py`): nothing here may import Django.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from messaging.attachments.gifs import frame_sizes, strip_metadata
from messaging.attachments.sniffing import PICTURES, sniff_type

MAX_PIXELS = 50_000_000  # In a JPEG, by its header
# Pixels that are held at once, at four bytes each and twice while a picture is turned: a phone's
# twelve million. A larger JPEG is decoded at half its size, other kinds are refused.
MAX_DECODED = 13_000_000
# Pixels of an animation's frame, of which several are held at once: a screen's 1920 by 1080.
MAX_FRAME_PIXELS = 2_100_000
MAX_ANIMATION_PIXELS = 100_000_000  # In all frames together
MAX_FRAMES = 300
LONGEST_SIDE = 4096
THUMBNAIL_SIDE = 640  # Pixels; shown at half of it, for fine screens

# Named here, because Pillow would import all of its forty readers to find the one for a WebP.
READERS = [
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    GifImagePlugin.GifImageFile,
    WebPImagePlugin.WebPImageFile,
]
FORMATS = [str(reader.format) for reader in READERS]
# What Pillow's readers raise for broken or hostile bytes.
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, KeyError, AttributeError,
    ArithmeticError, MemoryError, struct.error, Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)  # fmt: skip

# Longest side and quality of the versions to try, the best one first.
SHRINK_STEPS = [(2048, 85), (1600, 82), (1280, 80), (1024, 75), (800, 70), (640, 65), (480, 60)]

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class NotAPicture(Exception):
    """Raised for anything that is not safe to decode and show."""


class CannotShrink(Exception):
    """Raised when no version is small enough."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold a picture as we store it; the thumbnail is a still WebP."""

    data: bytes
    content_type: str
    width: int
    height: int
    is_animated: bool
    thumbnail: bytes


def read_picture(data: bytes) -> Picture:
    """Decode a picture, turn it upright, and encode it again: no EXIF, no place, nothing appended.

    A short animation stays one. Raises NotAPicture.
    """
    if sniff_type(data) not in PICTURES:
        raise NotAPicture
    try:
        return _read_checked(data)
    except BROKEN as error:
        raise NotAPicture from error


def _read_checked(data: bytes) -> Picture:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(image)
        kind, size = _kind(image), image.size
        is_animated = kind == "GIF" and _is_playable_animation(image, data)
        still = _decode_upright(image)
    still.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if is_animated:
        kept, content_type, (width, height) = strip_metadata(data), "image/gif", size
    else:
        is_jpeg = kind == "JPEG" or (kind == "WEBP" and still.mode == "RGB")
        kept = _encode(still, "JPEG", quality=90) if is_jpeg else _encode(still, "PNG")
        content_type = "image/jpeg" if is_jpeg else "image/png"
        width, height = still.size
    still.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    thumbnail = _encode(still, "WEBP", quality=80)
    return Picture(kept, content_type, width, height, is_animated, thumbnail)


def shrink_to(data: bytes, limit: int) -> bytes:
    """Return a JPEG of at most `limit` bytes. Raises CannotShrink.

    `data` is a picture as we store it.
    """
    largest = (SHRINK_STEPS[0][0], SHRINK_STEPS[0][0])
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.draft("RGB", largest)
            still = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except BROKEN as error:
        raise CannotShrink from error
    still.thumbnail(largest)
    paper = Image.new("RGB", still.size, "white")
    paper.paste(still, mask=still.getchannel("A") if still.mode == "RGBA" else None)
    for side, quality in SHRINK_STEPS:
        paper.thumbnail((side, side))
        found = _encode(paper, "JPEG", quality=quality)
        if len(found) <= limit:
            return found
    raise CannotShrink


def _kind(image: Image.Image) -> str:
    """Return the format's name. A phone's JPEG with a second picture behind it (Pillow calls it
    MPO) is the JPEG that its first picture is."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _check_size(image: Image.Image) -> None:
    """Check the size in the header before anything is decoded."""
    width, height = image.size
    most = MAX_PIXELS if _kind(image) == "JPEG" else MAX_DECODED
    if not 0 < width * height <= most:
        raise NotAPicture


def _is_playable_animation(image: Image.Image, data: bytes) -> bool:
    """Return True for several frames, not too many and not too large.

    Otherwise only the first frame is kept. Raises NotAPicture for a frame that cannot be decoded.
    """
    number = 0
    for width, height in frame_sizes(data):
        number += 1
        if width * height > MAX_DECODED:
            raise NotAPicture  # a later frame may be larger than the header says
        image_pixels = max(width, image.width) * max(height, image.height)
        if number > MAX_FRAMES or image_pixels > MAX_FRAME_PIXELS:
            return False
        if number * image_pixels > MAX_ANIMATION_PIXELS:
            return False
    if number < 2:
        return False
    for frame in range(1, number):
        image.seek(frame)
        image.load()
    image.seek(0)
    return True


def _decode_upright(image: Image.Image) -> Image.Image:
    """Return the picture as RGB or RGBA, with nothing but its pixels."""
    if _kind(image) == "JPEG":
        _decode_smaller(image)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    profile = image.info.get("icc_profile")
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    plain = image.convert("RGBA" if has_alpha else "RGB")
    if profile and image.mode == "RGB":
        _convert_to_srgb(plain, profile)
    plain.info = {}
    return plain


def _decode_smaller(image: Image.Image) -> None:
    """Have a very large JPEG decoded at a half or a quarter of its sides."""
    width, height = image.size
    while width * height > MAX_DECODED:
        width, height = width // 2, height // 2
    image.draft("RGB", (width, height))


def _convert_to_srgb(image: Image.Image, profile: bytes) -> None:
    """Convert a phone's wide colours to sRGB, since the profile is not kept."""
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        usual = ImageCms.createProfile("sRGB")
        ImageCms.profileToProfile(image, theirs, usual, inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return


def _encode(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
