"""Vendored files are what their package published, byte for byte."""

import hashlib
import json

import pytest

from tests.stack import ROOT

VENDOR = ROOT / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())


def test_the_manifest_names_every_file_and_no_other() -> None:
    files = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert files - {"manifest.json"} == set(MANIFEST)


@pytest.mark.parametrize("name", MANIFEST)
def test_the_file_is_the_published_one(name: str) -> None:
    entry = MANIFEST[name]
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == entry["sha256"]
    assert all(entry[key] for key in ("package", "version", "path", "license"))
