"""Pictures are encoded again without metadata; anything else stays a mere file."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image, ImageFile

from messaging.attachments import pictures
from messaging.attachments.gifs import strip_metadata
from messaging.attachments.naming import clean_name
from messaging.attachments.pictures import CannotShrink, NotAPicture, read_picture, shrink_to
from messaging.attachments.sniffing import EXTENSIONS, GENERIC, file_extension, sniff_type
from messaging.models import Attachment
from tests.messaging.attachments.file_bytes import FILES
from tests.messaging.attachments.picture_bytes import (
    HTML,
    SVG,
    make_animation,
    make_bomb,
    make_double_photo,
    make_noise,
    make_photo_with_location,
    make_picture,
    open_picture,
)


def test_a_photo_is_turned_upright_and_loses_its_location() -> None:
    before = make_photo_with_location()
    assert b"Canary" in before
    found = read_picture(before)
    assert (found.width, found.height, found.content_type) == (200, 300, "image/jpeg")
    for kept in (found.data, found.thumbnail):
        image = open_picture(kept)
        assert not image.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)
        assert b"anary" not in kept
        # The mark of the upper left corner has come to the upper right.
        red, _, blue = image.convert("RGB").getpixel((image.width - 10, 10))  # type: ignore[misc]
        assert red > 200 > 60 > blue


def test_a_phones_photo_with_a_second_picture_behind_it_is_the_jpeg_in_front() -> None:
    """Samsung and iPhones put a portrait's depth or a gain map behind the photo (CIPA DC-007)."""
    photo = make_double_photo()
    assert open_picture(photo).format == "MPO"
    found = read_picture(photo)
    assert (found.content_type, found.width, found.height) == ("image/jpeg", 600, 900)
    assert len(found.data) < 2 * len(photo)
    assert open_picture(found.data).format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "mode", "becomes"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("WEBP", "RGB", "image/jpeg"),
        ("WEBP", "RGBA", "image/png"),
        ("GIF", "RGB", "image/png"),
    ],
)
def test_every_usual_kind_becomes_one_that_every_browser_shows(
    kind: str, mode: str, becomes: str
) -> None:
    image = Image.new(mode, (50, 30))
    out = io.BytesIO()
    image.save(out, kind)
    found = read_picture(out.getvalue())
    assert (found.content_type, found.width, found.height) == (becomes, 50, 30)
    assert sniff_type(found.data) == becomes
    assert sniff_type(found.thumbnail) == "image/webp"
    assert not found.is_animated


def test_data_behind_a_picture_is_dropped() -> None:
    for kind in ("JPEG", "PNG", "GIF"):
        kept = read_picture(make_picture(kind) + HTML).data
        assert b"<script" not in kept
        assert b"<html" not in kept
    assert b"<script" not in read_picture(make_picture("JPEG", comment=HTML)).data
    assert b"<script" not in read_picture(make_animation(comment=HTML) + HTML).data


FALSE = {
    "html behind a jpeg's beginning": b"\xff\xd8\xff\xe0" + HTML,
    "html behind a png's beginning": b"\x89PNG\r\n\x1a\n" + HTML,
    "html behind a gif's beginning": b"GIF89a" + HTML,
    "html as a webp": b"RIFF\x24\0\0\0WEBP" + HTML,
    "svg": SVG,
    "html": HTML,
    "nothing": b"",
    "half a jpeg": make_picture()[:200],
    "half a moving gif": make_animation()[:80],
    "tiff": b"",
}


@pytest.mark.parametrize("name", FALSE)
def test_a_file_that_does_not_decode_to_the_end_is_not_a_picture(name: str) -> None:
    data = FALSE[name] if name != "tiff" else _as_tiff()
    with pytest.raises(NotAPicture):
        read_picture(data)


def _as_tiff() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "TIFF")
    return out.getvalue()


def test_a_decompression_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_bomb()
    assert len(data) < 100_000
    decoded: list[object] = []
    load = ImageFile.ImageFile.load

    def noted(image: ImageFile.ImageFile) -> object:
        decoded.append(image)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    for one in (data, make_bomb(6_000, 5_000), make_bomb(9_000, 8_000), make_bomb(60_000, 60_000)):
        with pytest.raises(NotAPicture):
            read_picture(one)
    assert decoded == []
    read_picture(make_picture())
    assert decoded != []


def test_an_animation_keeps_its_frames_without_comments() -> None:
    before = make_animation(comment=b"canary words")
    found = read_picture(before + HTML)
    assert (found.is_animated, found.content_type) == (True, "image/gif")
    with Image.open(io.BytesIO(found.data)) as image, Image.open(io.BytesIO(before)) as old:
        assert (image.n_frames, image.size) == (old.n_frames, old.size)  # type: ignore[attr-defined]
        assert image.info.get("loop") == 0
        assert image.info["duration"] == 80
        for number in range(3):
            image.seek(number)
            old.seek(number)
            assert image.convert("RGB").tobytes() == old.convert("RGB").tobytes()
    assert b"canary" not in found.data


def test_too_long_an_animation_becomes_its_first_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "MAX_FRAMES", 4)
    assert read_picture(make_animation(4)).is_animated
    found = read_picture(make_animation(5))
    assert (found.is_animated, found.content_type) == (False, "image/png")
    monkeypatch.setattr(pictures, "MAX_ANIMATION_PIXELS", 60 * 40 * 3)
    assert not read_picture(make_animation(4)).is_animated
    assert read_picture(make_animation(3)).is_animated
    monkeypatch.setattr(pictures, "MAX_FRAME_PIXELS", 60 * 40 - 1)
    assert not read_picture(make_animation(3)).is_animated


def test_a_frame_larger_than_the_animation_is_refused() -> None:
    data = bytearray(make_animation(3))
    at = data.rindex(b"\x2c\0\0\0\0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(NotAPicture):
        read_picture(bytes(data))


def test_a_gif_of_unknown_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="no known kind"):
        strip_metadata(b"GIF89a" + b"\1\0\1\0\0\0\0" + b"\x99\0\0")
    with pytest.raises(ValueError, match="breaks off"):
        strip_metadata(make_animation()[:-30])


def test_a_very_large_picture_is_kept_at_a_size_that_screens_have() -> None:
    found = read_picture(make_picture(size=(6000, 1500)))
    assert (found.width, found.height) == (4096, 1024)
    assert max(open_picture(found.thumbnail).size) == 640


def test_a_photo_of_more_pixels_than_are_held_is_decoded_at_half_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "MAX_DECODED", 300 * 200 - 1)
    found = read_picture(make_photo_with_location())
    assert (found.width, found.height) == (100, 150)
    out = io.BytesIO()
    two = [Image.new("RGB", (300, 200))] * 2
    two[0].save(out, "MPO", save_all=True, append_images=two[1:])
    assert read_picture(out.getvalue()).width == 150
    with pytest.raises(NotAPicture):
        read_picture(make_picture("PNG"))


def test_a_picture_is_made_to_fit_the_carriers_limit() -> None:
    large = read_picture(make_noise((900, 700)))
    assert len(large.data) > 1_000_000
    found = shrink_to(large.data, 300_000)
    assert len(found) <= 300_000
    assert sniff_type(found) == "image/jpeg"
    assert sniff_type(shrink_to(read_picture(make_animation()).data, 10_000)) == "image/jpeg"
    for data, limit in ((large.data, 500), (HTML, 10_000)):
        with pytest.raises(CannotShrink):
            shrink_to(data, limit)


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    white = shrink_to(out.getvalue(), 100_000)
    assert open_picture(white).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("name", FILES)
def test_what_phones_send_gets_an_ending_and_a_word(name: str) -> None:
    ending, word, data = FILES[name]
    content_type = sniff_type(data)
    assert file_extension(content_type) == ending
    assert Attachment(content_type=content_type).what == word


def test_every_type_has_a_word_and_fits_its_column() -> None:
    longest = Attachment._meta.get_field("content_type").max_length or 0
    for content_type in EXTENSIONS:
        assert Attachment(content_type=content_type).what != "File"
        assert len(content_type) <= longest


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
        (b"BEGIN:VCARD\r\n", "text/vcard"),
        (b"#!AMR\n", "audio/amr"),
        (HTML, GENERIC),
        (SVG, GENERIC),
        (b"\xef\xbb\xbf  " + SVG, GENERIC),
        (b"MZ\x90", GENERIC),
        (b"words\0and more", GENERIC),
        (b"\xff\xfe\0", GENERIC),
        (b"\xff\xfb\x90\xc4" + bytes(600), GENERIC),
        (b"RIFF\0\0\0\0ACON", GENERIC),
        (b"", GENERIC),
    ],
)
def test_types_are_told_by_the_first_bytes(data: bytes, content_type: str) -> None:
    assert sniff_type(data) == content_type


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\a b.pdf", "a b.pdf"),
        ("in\u202egpj.exe", "ingpj.exe"),
        ("a\x00b\n\tc.txt", "abc.txt"),
        ("\u200b\u2066", ""),
        (". .", ""),
        ("x" * 200 + ".html", "x" * 94 + "….html"),
        ("é" * 200, "é" * 99 + "…"),
        ("<b>.svg", "<b>.svg"),
    ],
)
def test_a_name_keeps_only_visible_characters(raw: str, shown: str) -> None:
    assert clean_name(raw) == shown
    assert len(shown) <= 100
    assert not re.search(r"[/\\\x00-\x1f]", shown)
