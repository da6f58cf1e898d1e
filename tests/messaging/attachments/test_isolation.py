"""Pictures are decoded by a child with little memory, little time and none of our secrets."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from messaging.attachments import drafts, isolation, pictures
from messaging.attachments.drafts import FileRefused
from messaging.attachments.isolation import DecoderBusy
from messaging.attachments.pictures import CannotShrink, NotAPicture
from messaging.models import Attachment
from tests.cast import Cast
from tests.messaging.attachments.picture_bytes import (
    HTML,
    make_animation,
    make_noise,
    make_photo_with_location,
    make_picture,
)
from tests.stack import ROOT


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the child by a script."""
    script = tmp_path / "child"
    script.touch(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    return script


@pytest.mark.parametrize(
    "data", [make_photo_with_location(), make_animation(), make_picture("PNG")]
)
def test_the_child_makes_the_same_picture(data: bytes) -> None:
    assert isolation.read_picture(data) == pictures.read_picture(data)


def test_the_child_shrinks_a_picture_only_if_it_does_not_fit() -> None:
    data, types = make_noise((90, 70)), {"image/png"}
    assert isolation.shrink_picture(data, "image/png", types=types, limit=len(data)) is None
    smaller = isolation.shrink_picture(data, "image/png", types=types, limit=len(data) - 1)
    assert smaller == pictures.shrink_to(data, len(data) - 1)
    for broken, limit in ((data, 100), (HTML, 10_000)):
        with pytest.raises(CannotShrink):
            isolation.shrink_picture(broken, "image/png", types=set(), limit=limit)


def test_a_picture_that_needs_too_much_memory_is_a_file() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (4090, 3100), (9, 9, 9, 9)).save(out, "WEBP", lossless=True, method=0)
    with pytest.raises(NotAPicture):
        isolation.read_picture(out.getvalue())


def test_a_picture_that_takes_too_long_is_a_file(
    child: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "PICTURE_TIMEOUT", 0.2)
    child.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(NotAPicture):
        isolation.read_picture(make_picture())


def test_the_child_knows_no_secrets(child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELD_ENCRYPTION_KEY", "canary")
    child.write_text(f"#!/bin/sh\nenv > {child}.env\nexit 65\n")
    with pytest.raises(NotAPicture):
        isolation.read_picture(make_picture())
    known = Path(f"{child}.env").read_text()
    assert "PATH=" in known
    assert "canary" not in known


def test_the_child_starts_without_django() -> None:
    script = (
        "import sys, messaging.attachments.picture_process, messaging.attachments.pictures\n"
        "print([name for name in sys.modules if name.startswith('django')])"
    )
    said = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT)
    assert said == b"[]\n"


@pytest.mark.parametrize("fault", ["#!/bin/sh\nexit 3\n", "no program"])
def test_a_child_that_fails_to_start_decides_nothing_about_the_picture(
    child: Path, fault: str
) -> None:
    child.write_text(fault)
    with pytest.raises(DecoderBusy):
        isolation.read_picture(make_picture())


def test_one_picture_is_decoded_at_a_time_and_waiting_ends(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "TURN_TIMEOUT", 0.05)
    thread, upload = cast.thread(), SimpleUploadedFile("a.jpg", make_picture())
    with (
        isolation._one_at_a_time(),
        pytest.raises(FileRefused, match="Try again in a moment"),
    ):
        drafts.add_file(thread=thread, agent=cast.ana, upload=upload)
    assert not Attachment.objects.exists()
    upload.seek(0)
    assert drafts.add_file(thread=thread, agent=cast.ana, upload=upload).is_picture


def test_a_queue_that_is_long_is_not_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(isolation.MAX_WAITING):
        isolation._waiting.acquire()
    try:
        with pytest.raises(DecoderBusy):
            isolation.read_picture(make_picture())
    finally:
        isolation._waiting.release(isolation.MAX_WAITING)
    isolation.read_picture(make_picture())
