"""The web app manifest: served to everybody, with icons that exist in the sizes it gives."""

from __future__ import annotations

import struct

from django.contrib.staticfiles import finders
from django.test import Client


def size_of(path: str) -> str:
    """Return the size of a PNG from its header."""
    found = finders.find(path.removeprefix("/static/"))
    assert isinstance(found, str), path
    with open(found, "rb") as file:
        head = file.read(24)
    assert head.startswith(b"\x89PNG"), path
    width, height = struct.unpack(">II", head[16:24])
    return f"{width}x{height}"


def test_the_manifest_is_served_to_everybody_with_its_own_type(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert answer.headers["Cache-Control"] == "no-cache"
    found = answer.json()
    assert (found["start_url"], found["scope"], found["display"]) == ("/", "/", "standalone")


def test_its_icons_exist_in_the_sizes_it_gives(client: Client) -> None:
    icons = client.get("/manifest.webmanifest").json()["icons"]
    assert {(icon["purpose"], icon["sizes"]) for icon in icons} == {
        (purpose, size) for purpose in ("any", "maskable") for size in ("192x192", "512x512")
    }
    for icon in icons:
        assert size_of(icon["src"]) == icon["sizes"]
    assert size_of("/static/img/apple-touch-icon.png") == "180x180"


def test_a_post_is_refused(client: Client) -> None:
    assert client.post("/manifest.webmanifest").status_code == 405
