"""The wheel: what is in it, and that an installed Partyline is a whole one."""

from __future__ import annotations

import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.databases import migrated_database, own_database
from tests.installation import Installed, build_wheel, install_beside, try_it
from tests.stack import ROOT

# Names of ours that somebody else's package could have.
COMMON = ("config", "threads", "messaging", "inboxes")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


def test_all_that_runs_is_in_it_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0].split("-")[0] for name in names} == {"partyline"}
    for folder in (*COMMON, "templates", "static"):
        found = {
            f"partyline/{path.relative_to(ROOT)}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        missing = {name for name in found - names if "/config/" not in name}
        assert not missing
    needed = {
        "config/demo/history.txt",
        "config/formats/en_GB/formats.py",
        "config/management/commands/serve.py",
        "deploy/nginx/partyline.conf.template",
        "deploy/partyline.env",
    }
    assert {f"partyline/{name}" for name in needed} <= names
    assert not [name for name in names if "/tests/" in name or "typescript" in name]


def test_an_installed_one_serves_and_is_backed_up_beside_packages_of_the_same_names(
    wheel: Path, tmp_path: Path
) -> None:
    environment = install_beside(wheel, tmp_path / "environment")
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    folder = tmp_path / "empty"
    folder.mkdir()
    for name in COMMON:
        (packages / f"{name}.py").write_text("raise ImportError('somebody else’s')")
        (folder / f"{name}.py").write_text("raise ImportError('of the current folder')")
    (tmp_path / "kept").mkdir()
    # Its own database takes too long here; `make test-wheel` starts with that.
    template = migrated_database()
    with own_database("wheel", template) as database, own_database("wheel_restored") as restored:
        settings = {"PARTYLINE_DATA": "data", "DATABASE_URL": database}
        installed = Installed(environment, folder, settings)
        try_it(installed, tmp_path / "kept", DATABASE_URL=restored)
    assert (folder / "data/field_keys").stat().st_mode & 0o777 == 0o600
