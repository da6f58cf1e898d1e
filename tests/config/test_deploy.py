"""The files in deploy/ and the settings agree."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from tests.stack import ROOT

READ = re.compile(r'\bsetting\(\s*"([A-Z_]+)"')


def settings_names() -> set[str]:
    folder = ROOT / "config" / "settings"
    return set(READ.findall("".join(path.read_text() for path in folder.glob("*.py"))))


def test_the_example_names_every_setting_and_no_other() -> None:
    text = (ROOT / "deploy" / "partyline.env").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) == settings_names()


def test_the_page_on_deploying_names_every_setting() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    developers = {"DJANGO_DEBUG", "STATIC_HASHED", "SINGLE_PROCESS_LOCK"}
    assert {name for name in settings_names() if f"`{name}`" not in page} == developers


def test_nginx_and_the_settings_agree_on_the_size_of_a_webhook() -> None:
    site = (ROOT / "deploy" / "nginx" / "partyline.conf.template").read_text()
    assert "client_max_body_size 1m;  # WEBHOOK_BODY_LIMIT" in site
    example = (ROOT / "deploy" / "partyline.env").read_text()
    assert f"#WEBHOOK_BODY_LIMIT={2**20}" in example


def test_each_locked_package_has_hashes_for_every_platform_and_no_address() -> None:
    """Expect more than one hash for each: a pure Python package has two files."""
    named = []
    for name in ("runtime", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert "-index" not in text
        blocks = re.split(r"\n(?=\S)", text.strip())
        packages = [block for block in blocks if not block.startswith(("#", "-r "))]
        assert all(re.match(r"[a-z0-9-]+==\S+ ", package) for package in packages)
        assert all("--hash=sha256:" in package for package in packages)
        named += [package.split("==")[0] for package in packages]
        several = {package.split("==")[0]: package.count("--hash") for package in packages}
        if name == "runtime":
            assert min(several[package] for package in ("psycopg-binary", "pillow")) > 20
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    found = {re.split(r"[^A-Za-z0-9_.-]", one)[0].rstrip(".").lower() for one in wanted}
    assert {re.sub(r"[_.]", "-", name) for name in found} <= set(named)
    assert "--require-hashes" in (ROOT / "config" / "prepare.sh").read_text()


def test_each_locked_package_of_typescript_has_a_hash_and_no_address() -> None:
    packages = json.loads((ROOT / "config/typescript/package-lock.json").read_text())["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert "node_modules/typescript" in locked
    assert all("version" in entry and "integrity" in entry for entry in locked.values())
    assert "://" not in json.dumps(packages)


@pytest.fixture(params=["partyline-web@", "partyline-worker@", "partyline"])
def unit_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Write an instance of a systemd unit that runs from this folder."""
    text = (ROOT / "deploy" / "systemd" / f"{request.param}.service").read_text()
    for program in (".venv/bin/python", "bin/partyline"):
        text = text.replace(f"/opt/partyline/{program}", sys.executable)
    # Not by a name that is in deploy/ too, where systemd would take it from.
    instance = tmp_path / f"here-{request.param.replace('@', '@8001')}.service"
    instance.write_text(text.replace("/opt/partyline", str(ROOT)))
    return instance


def test_systemd_understands_the_units_and_finds_them_well_confined(unit_file: Path) -> None:
    """systemd's exposure level goes from 0 to 10; a service without any confinement has 9.6."""
    target = ROOT / "deploy" / "systemd" / "partyline.target"
    commands = [
        ["verify", "--man=no", str(target), str(unit_file)],
        ["security", "--offline=true", "--threshold=20", str(unit_file)],
    ]
    for command in commands:
        done = subprocess.run(
            ["systemd-analyze", *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Unknown" not in done.stderr, done.stderr


def test_the_units_have_a_limit_and_the_same_confinement() -> None:
    folder = ROOT / "deploy" / "systemd"
    texts = [(folder / f"partyline-{name}@.service").read_text() for name in ("web", "worker")]
    confined = [text[text.index("Restart=") : text.index("[Install]")] for text in texts]
    assert confined[0] == confined[1]
    lines = confined[0].splitlines()
    assert {"UMask=0077", "MemoryMax=1G", "MemoryDenyWriteExecute=yes"} <= set(lines)


def test_the_unit_for_one_process_is_confined_like_the_others() -> None:
    folder = ROOT / "deploy" / "systemd"
    texts = [(folder / f"partyline{name}.service").read_text() for name in ("", "-web@")]
    own, common = ({*text[text.index("UMask") :].splitlines()} for text in texts)
    assert own ^ common == {"WantedBy=multi-user.target", "WantedBy=partyline.target"}
    assert "ExecStart=/opt/partyline/bin/partyline serve" in texts[0]


def test_the_cluster_runs_the_commands_of_the_units() -> None:
    procfile = parse_procfile((ROOT / "deploy/cluster/Procfile").read_text()).processes
    for name, instance in (("web", "$PORT"), ("worker", "")):
        unit_file = (ROOT / "deploy" / "systemd" / f"partyline-{name}@.service").read_text()
        (started,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", unit_file, re.MULTILINE)
        words = started.replace("\\\n", " ").replace("%i", instance).split()
        assert words[0] == "/opt/partyline/.venv/bin/python"
        assert procfile[name].split() == ["exec", '"$PYTHON"', *words[1:]]
