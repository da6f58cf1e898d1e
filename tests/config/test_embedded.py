"""Embedded PostgreSQL: each known trap once, with real servers."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded.paths import SOCKET_PATH_LIMIT, USER, ServerPaths
from config.embedded.server import EmbeddedServer
from tests.stack import ROOT

USE_SERVER = """
import sys, time
from pathlib import Path
from config.embedded import ensure_running
ensure_running(Path(sys.argv[1]), is_durable=False)
print("here", flush=True)
sys.stdin.readline()
"""


class UserProcess:
    """Use the server of a data folder from a process that runs until it is told to end."""

    def __init__(self, data_folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE_SERVER, str(data_folder)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_connected(self) -> "UserProcess":
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "here\n"
        return self

    def end(self) -> None:
        self.process.communicate("\n", timeout=20)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def data_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    for found in tmp_path.glob("*/postgres"):
        EmbeddedServer(ServerPaths(found.parent)).stop()


@pytest.fixture(scope="module")
def template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set up a data folder, which takes a second, and stop it; tests copy it."""
    folder = tmp_path_factory.mktemp("template") / "var"
    UserProcess(folder).wait_until_connected().end()
    return folder


def copy_template(template_folder: Path, to: Path) -> Path:
    if os.geteuid():
        shutil.copytree(template_folder, to)
    else:
        subprocess.run(["cp", "-a", str(template_folder), str(to)], check=True)
    return to


def is_up(data_folder: Path) -> bool:
    return EmbeddedServer(ServerPaths(data_folder)).is_answering("partyline")


def test_the_first_process_starts_the_server_and_the_last_one_stops_it(
    template_folder: Path, data_folder: Path
) -> None:
    copy_template(template_folder, data_folder)
    first, second = (
        UserProcess(data_folder).wait_until_connected(),
        UserProcess(data_folder).wait_until_connected(),
    )
    first.end()
    assert is_up(data_folder)
    second.end()
    assert not is_up(data_folder)
    assert EmbeddedServer(ServerPaths(data_folder)).find_postmaster() is None


def test_several_commands_at_once_set_up_and_share_one_server(data_folder: Path) -> None:
    processes = [UserProcess(data_folder) for _ in range(3)]
    for process in processes:
        process.wait_until_connected()
    assert is_up(data_folder)
    for process in processes:
        process.end()
    assert not is_up(data_folder)


def test_a_path_with_a_space_a_quote_and_a_dollar_works(
    template_folder: Path, tmp_path: Path
) -> None:
    odd = copy_template(template_folder, tmp_path / "my $HOME 'data', \"here\"")
    process = UserProcess(odd).wait_until_connected()
    assert is_up(odd)
    process.end()


def test_a_path_too_long_for_a_socket_works(template_folder: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * SOCKET_PATH_LIMIT)
    deep.mkdir()
    process = UserProcess(copy_template(template_folder, deep / "var")).wait_until_connected()
    assert is_up(deep / "var")
    assert ServerPaths(deep / "var").socket_folder.parent.stat().st_mode & 0o077 in {0o000, 0o011}
    process.end()


def test_a_locale_that_was_never_generated_does_no_harm(data_folder: Path) -> None:
    process = UserProcess(
        data_folder, LC_ALL="xx_YY.UTF-8", LANG="zz_ZZ", TZ="Nowhere/Land"
    ).wait_until_connected()
    assert is_up(data_folder)
    process.end()


def test_text_sorts_and_folds_alike_on_every_system(
    template_folder: Path, data_folder: Path
) -> None:
    process = UserProcess(copy_template(template_folder, data_folder)).wait_until_connected()
    with psycopg.connect(
        host=str(ServerPaths(data_folder).socket_folder), user=USER, dbname="partyline"
    ) as connection:
        row = connection.execute("SELECT lower('ÄÉ'), 'a' < 'B'").fetchone()
    assert row == ("äé", False)
    process.end()


def test_a_pid_file_that_names_another_program_is_ignored(
    template_folder: Path, data_folder: Path
) -> None:
    copy_template(template_folder, data_folder)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        paths = ServerPaths(data_folder)
        sockets = paths.socket_folder
        paths.pid_file.write_text(
            f"{bystander.pid}\n{paths.pgdata}\n1700000000\n5432\n{sockets}\n\n  1 2\nready\n"
        )
        process = UserProcess(data_folder).wait_until_connected()
        assert is_up(data_folder)
        process.end()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_after_kill_9_of_a_process_the_next_one_uses_the_server_and_stops_it(
    template_folder: Path, data_folder: Path
) -> None:
    UserProcess(copy_template(template_folder, data_folder)).wait_until_connected().kill()
    assert is_up(data_folder)
    UserProcess(data_folder).wait_until_connected().end()
    assert not is_up(data_folder)


def test_after_kill_9_of_the_server_the_next_process_starts_it(
    template_folder: Path, data_folder: Path
) -> None:
    process = UserProcess(copy_template(template_folder, data_folder)).wait_until_connected()
    postmaster = EmbeddedServer(ServerPaths(data_folder)).find_postmaster()
    assert postmaster is not None
    postmaster.send_signal(signal.SIGKILL)
    postmaster.wait(5)
    second = UserProcess(data_folder).wait_until_connected()
    assert is_up(data_folder)
    second.end()
    process.end()
    assert not is_up(data_folder)


def test_no_other_user_may_read_the_data_or_the_socket(
    template_folder: Path, data_folder: Path
) -> None:
    process = UserProcess(copy_template(template_folder, data_folder)).wait_until_connected()
    for folder in (ServerPaths(data_folder).pgdata, ServerPaths(data_folder).socket_folder):
        assert folder.stat().st_mode & 0o077 == 0
    process.end()


def python_environment(user: pwd.struct_passwd, home: Path) -> dict[str, str]:
    """Return an environment in which that user can run this interpreter as PYTHON.

    It is copied to `home` if it lies below a folder that only root may enter.
    """
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)}
    trial = ["env", sys.executable, "-c", ""]
    if not subprocess.run(trial, user=user.pw_uid, cwd="/", stderr=subprocess.DEVNULL).returncode:
        return {**environment, "PYTHON": sys.executable}
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base, copy = Path(sys.base_prefix), home / "python"
    (copy / "bin").mkdir(parents=True)
    shutil.copy2((base / "bin" / name).resolve(), copy / "bin" / name)
    (copy / "lib").mkdir()
    for library in (base / "lib").glob("libpython*"):
        shutil.copy2(library, copy / "lib" / library.name)
    shutil.copytree(
        base / "lib" / name,
        copy / "lib" / name,
        ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__"),
    )
    return {
        **environment,
        "PYTHON": str(copy / "bin" / name),
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "LD_LIBRARY_PATH": str(copy / "lib"),
    }


def test_it_runs_as_a_plain_user_even_after_root_ran_it(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("this run is a plain user already: all other tests showed it")
    nobody = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"partyline-plain-{os.getpid()}"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        environment = python_environment(nobody, home)
        done = subprocess.run(
            [
                environment["PYTHON"],
                "-c",
                USE_SERVER,
                str(home / "var" / ("y" * SOCKET_PATH_LIMIT)),
            ],
            cwd=ROOT,
            input="\n",
            text=True,
            capture_output=True,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            env=environment,
            timeout=60,
            check=False,
        )
        assert done.stdout == "here\n", done.stderr
    finally:
        shutil.rmtree(home)
        shutil.rmtree(f"/tmp/partyline-{nobody.pw_uid}", ignore_errors=True)


def test_a_command_that_needs_no_database_starts_no_server(tmp_path: Path) -> None:
    environment = {**os.environ, "PARTYLINE_DATA": str(tmp_path / "var"), "DATABASE_URL": ""}
    for command in (["--help"], ["check"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    assert not (tmp_path / "var" / "postgres").exists()


def test_the_error_for_a_server_that_cannot_start_names_its_log(
    template_folder: Path, data_folder: Path
) -> None:
    copy_template(template_folder, data_folder)
    (ServerPaths(data_folder).pgdata / "PG_VERSION").write_text("12\n")
    impatient = (
        f"import config.embedded.server as server; server.START_SECONDS = 1.0\n{USE_SERVER}"
    )
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", impatient, str(data_folder)],
        cwd=ROOT,
        input="\n",
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert str(ServerPaths(data_folder).log) in done.stderr
    assert time.monotonic() - begun < 10
