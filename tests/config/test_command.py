"""The `partyline` command: what it prints, and what it does not take."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from django.core.management import call_command
from honcho.environ import parse_procfile
from pytest_django import Settings

from config import version
from config.command import COMMANDS, main, run_management
from config.data_folder import find_data_folder
from config.management.commands.web import OPTIONS
from config.management.plain import NO_TABLES
from config.version import VERSION
from tests.databases import own_database
from tests.stack import ROOT, environment_for


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its status, what it printed, and its complaints."""
    try:
        main([*arguments])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run(capsys, "--version") == (0, f"partyline {declared}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_its_help_has_a_line_for_each_command(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, printed, _ = run(capsys, *arguments)
    assert status == 0
    lines = [line.strip() for line in printed.splitlines()]
    for name, (_, what) in COMMANDS.items():
        assert any(line.startswith(f"{name} ") and line.endswith(what) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["srve"], "There is no command “srve”. Did you mean “serve”?"),
        (["qqq"], "There is no command “qqq”.\n"),
        (["--bogus", "serve"], "There is no option --bogus."),
        (["--env-file"], "--env-file takes a file."),
        (["--env-file", "/nowhere/x", "serve"], "/nowhere/x cannot be read: No such file"),
        (["serve", "--bogus"], "partyline serve: error: unrecognized arguments: --bogus"),
        (["manage", "migrat"], "There is no command “migrat”. Did you mean “migrate”?"),
    ],
)
def test_what_it_does_not_know_is_an_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    status, printed, complaints = run(capsys, *arguments)
    assert (status, printed) == (2, "")
    assert complaint in complaints


@pytest.mark.parametrize("name", ["serve", "web", "worker"])
def test_the_help_of_a_command_leaves_out_what_all_have(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    status, printed, _ = run(capsys, name, "--help")
    assert status == 0
    assert printed.startswith(f"usage: partyline {name} [-h]")
    assert "--pythonpath" not in printed
    assert "--verbosity" not in printed


def test_manage_runs_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "manage", "check")[0] == 0
    assert "makemigrations" in run(capsys, "manage")[1]


def test_a_file_of_settings_fills_in_what_the_environment_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {"PORT": "9000", "DJANGO_SETTINGS_MODULE": "x"})
    settings = tmp_path / "partyline.env"
    settings.write_text("# ours\nPORT=1\nSECRET_KEY=a$b#c\n#HOST=\nPUBLIC_URL=https://a.example\n")
    run(capsys, "--env-file", str(settings), "--version")
    assert os.environ == {
        "PORT": "9000",
        "DJANGO_SETTINGS_MODULE": "x",
        "SECRET_KEY": "a$b#c",
        "PUBLIC_URL": "https://a.example",
    }


def test_manage_py_knows_the_same_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run_management(["manage.py", "srve"])
    assert end.value.code == 2
    assert "manage.py: There is no command “srve”." in capsys.readouterr().err


def test_a_checkout_keeps_its_data_in_var() -> None:
    assert find_data_folder(ROOT, "") == ROOT / "var"
    assert find_data_folder(ROOT, "elsewhere") == ROOT / "elsewhere"
    assert find_data_folder(ROOT, "/srv/x") == Path("/srv/x")


def test_an_installed_one_keeps_its_data_where_the_system_has_such_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "_PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_data_folder(ROOT, "") == Path("/var/lib/partyline")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ana")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert find_data_folder(ROOT, "") == Path("/home/ana/.local/share/partyline")
    monkeypatch.setenv("XDG_DATA_HOME", "/home/ana/data")
    assert find_data_folder(ROOT, "") == Path("/home/ana/data/partyline")
    assert find_data_folder(ROOT, "x") == tmp_path / "x"


def test_web_runs_as_the_units_do() -> None:
    procfile = parse_procfile((ROOT / "deploy/cluster/Procfile").read_text()).processes
    assert " ".join(OPTIONS[:2]) in procfile["web"]
    pairs = dict(re.findall(r"(--[\w-]+) ?(\d*)", procfile["web"]))
    assert dict(re.findall(r"(--[\w-]+) ?(\d*)", " ".join(OPTIONS))) == pairs


@pytest.mark.parametrize("command", [["setup-link"], ["restore", "{file}"]])
def test_a_database_that_is_away_is_said_in_a_sentence(tmp_path: Path, command: list[str]) -> None:
    """Run each in a process of its own, as people do."""
    environment = environment_for("postgresql://x@127.0.0.1:1/x", tmp_path / "data")
    file = tmp_path / "backup"
    with tarfile.open(file, "w") as archive:
        archive.add(write(tmp_path / "about.json", '{"partyline": "0.1"}'), "about.json")
    words = [word.format(file=file) for word in command]
    words += ["--without-keys"] if command[0] == "restore" else []
    done = subprocess.run(
        [sys.executable, "-c", "from config.command import main; main()", *words],
        cwd=ROOT,
        env=environment | {"PARTYLINE_DEMO": "0", "DB_POOL_SIZE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("CommandError: Can't use the database: "), done.stderr
    assert "Traceback" not in done.stderr


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_database_without_tables_is_said_in_a_sentence(tmp_path: Path) -> None:
    with own_database("command_empty") as database:
        done = subprocess.run(
            [sys.executable, "manage.py", "setup_link"],
            cwd=ROOT,
            env=environment_for(database, tmp_path / "data", PARTYLINE_DEMO="0"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (4, f"CommandError: {NO_TABLES}\n")


@pytest.mark.django_db
def test_upgrade_says_what_it_found(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path
    call_command("upgrade")
    assert capsys.readouterr().out.splitlines() == [
        f"Partyline {VERSION}, data in {tmp_path}",
        "Database: was up to date",
        "Static files: were up to date",
        "Search: 0 rows had other words",
        "Failed texts: 0 threads and inboxes had other counts",
    ]
