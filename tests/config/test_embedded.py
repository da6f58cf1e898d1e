"""The embedded PostgreSQL: every trap that was seen, once each, against real clusters."""

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

from config.embedded.cluster import Cluster
from config.embedded.places import SOCKET_PATH_LIMIT, USER, Places
from tests.stack import ROOT

GUEST = """
import sys, time
from pathlib import Path
from config.embedded import ensure_running
ensure_running(Path(sys.argv[1]), is_durable=False)
print("here", flush=True)
sys.stdin.readline()
"""


class Guest:
    """A process that uses the server of a data folder until told to leave."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", GUEST, str(data)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def arrive(self) -> "Guest":
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "here\n"
        return self

    def leave(self) -> None:
        self.process.communicate("\n", timeout=20)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    for found in tmp_path.glob("*/postgres"):
        Cluster(Places(found.parent)).stop()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that was set up and stopped, to copy from: setting one up takes a second."""
    folder = tmp_path_factory.mktemp("made") / "var"
    Guest(folder).arrive().leave()
    return folder


def copied(made: Path, to: Path) -> Path:
    if os.geteuid():
        shutil.copytree(made, to)
    else:
        subprocess.run(["cp", "-a", str(made), str(to)], check=True)
    return to


def is_up(data: Path) -> bool:
    return Cluster(Places(data)).answers("partyline")


def test_the_first_guest_starts_it_and_the_last_one_stops_it(made: Path, data: Path) -> None:
    copied(made, data)
    first, second = Guest(data).arrive(), Guest(data).arrive()
    first.leave()
    assert is_up(data)
    second.leave()
    assert not is_up(data)
    assert Cluster(Places(data)).postmaster() is None


def test_several_commands_at_once_set_up_and_share_one_server(data: Path) -> None:
    guests = [Guest(data) for _ in range(3)]
    for guest in guests:
        guest.arrive()
    assert is_up(data)
    for guest in guests:
        guest.leave()
    assert not is_up(data)


def test_a_path_with_a_space_a_quote_and_a_dollar_works(made: Path, tmp_path: Path) -> None:
    odd = copied(made, tmp_path / "my $HOME 'data', \"here\"")
    guest = Guest(odd).arrive()
    assert is_up(odd)
    guest.leave()


def test_a_path_too_long_for_a_socket_works(made: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * SOCKET_PATH_LIMIT)
    deep.mkdir()
    guest = Guest(copied(made, deep / "var")).arrive()
    assert is_up(deep / "var")
    assert Places(deep / "var").sockets.parent.stat().st_mode & 0o077 in {0o000, 0o011}
    guest.leave()


def test_a_locale_that_was_never_generated_is_no_matter(data: Path) -> None:
    guest = Guest(data, LC_ALL="xx_YY.UTF-8", LANG="zz_ZZ", TZ="Nowhere/Land").arrive()
    assert is_up(data)
    guest.leave()


def test_text_sorts_and_folds_alike_on_every_system(made: Path, data: Path) -> None:
    guest = Guest(copied(made, data)).arrive()
    with psycopg.connect(
        host=str(Places(data).sockets), user=USER, dbname="partyline"
    ) as connection:
        row = connection.execute("SELECT lower('ÄÉ'), 'a' < 'B'").fetchone()
    assert row == ("äé", False)
    guest.leave()


def test_a_pid_file_that_names_another_program_is_seen_through(made: Path, data: Path) -> None:
    copied(made, data)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        places = Places(data)
        sockets = places.sockets
        places.pid_file.write_text(
            f"{bystander.pid}\n{places.cluster}\n1700000000\n5432\n{sockets}\n\n  1 2\nready\n"
        )
        guest = Guest(data).arrive()
        assert is_up(data)
        guest.leave()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_after_kill_9_of_the_program_the_next_one_goes_on_and_stops_it(
    made: Path, data: Path
) -> None:
    Guest(copied(made, data)).arrive().kill()
    assert is_up(data)
    Guest(data).arrive().leave()
    assert not is_up(data)


def test_after_kill_9_of_the_server_the_next_guest_starts_it(made: Path, data: Path) -> None:
    guest = Guest(copied(made, data)).arrive()
    postmaster = Cluster(Places(data)).postmaster()
    assert postmaster is not None
    postmaster.send_signal(signal.SIGKILL)
    postmaster.wait(5)
    second = Guest(data).arrive()
    assert is_up(data)
    second.leave()
    guest.leave()
    assert not is_up(data)


def test_nobody_else_may_look_at_the_data_or_the_socket(made: Path, data: Path) -> None:
    guest = Guest(copied(made, data)).arrive()
    for folder in (Places(data).cluster, Places(data).sockets):
        assert folder.stat().st_mode & 0o077 == 0
    guest.leave()


def python_for(user: pwd.struct_passwd, home: Path) -> dict[str, str]:
    """The environment, with PYTHON, in which that user can run this interpreter: as it is, or a
    copy, when root keeps it below a folder of its own."""
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


def test_it_runs_as_a_plain_user_too_also_after_root_did(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("this run is a plain user already: all other tests showed it")
    nobody = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"partyline-plain-{os.getpid()}"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        environment = python_for(nobody, home)
        done = subprocess.run(
            [environment["PYTHON"], "-c", GUEST, str(home / "var" / ("y" * SOCKET_PATH_LIMIT))],
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


def test_a_command_that_asks_nothing_starts_nothing(tmp_path: Path) -> None:
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


def test_a_server_that_cannot_start_is_named_with_its_log(made: Path, data: Path) -> None:
    copied(made, data)
    (Places(data).cluster / "PG_VERSION").write_text("12\n")
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", GUEST.replace("import sys", "import config.embedded.cluster as c;"
         "c.START_SECONDS = 1.0; import sys", 1), str(data)],
        cwd=ROOT, input="\n", text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert str(Places(data).log) in done.stderr
    assert time.monotonic() - begun < 10
