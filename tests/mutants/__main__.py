"""Apply each fault to a scratch copy of the project, and run the tests that must notice it.

`make mutants ARGS="receipts access"` tries the faults of these subjects only. Ends with 1 if a
fault turned no test red. Takes some ten seconds a fault.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.faults import Fault, read_faults
from tests.stack import ROOT

SECONDS = 300
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "var", "__pycache__", ".*_cache", "screenshots"
)


def run_tests(copy: Path, tests: list[str], seconds: float | None = SECONDS) -> tuple[int, str]:
    """Return pytest's exit code (0 all passed, 1 some failed or took too long) and its output."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, ""
    return done.returncode, done.stdout


def is_noticed(copy: Path, fault: Fault) -> bool:
    """Return True if the tests pass on the sound code and fail on the faulty one."""
    path = copy / fault.path
    sound = path.read_text()
    path.write_text(fault.apply_to(sound))
    try:
        return run_tests(copy, fault.tests)[0] == 1
    finally:
        path.write_text(sound)


def main() -> int:
    subjects = sys.argv[1:]
    chosen = [fault for fault in read_faults() if not subjects or fault.subject in subjects]
    missed = []
    with tempfile.TemporaryDirectory(prefix="partyline-mutants-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
        all_tests = sorted({test for fault in chosen for test in fault.tests})
        code, output = run_tests(copy, all_tests, seconds=None)
        if code != 0:
            print(output, "The tests do not pass on the sound code.", sep="\n")
            return 1
        for fault in chosen:
            begun = time.monotonic()
            noticed = is_noticed(copy, fault)
            word = "red" if noticed else "NOT NOTICED"
            print(
                f"{time.monotonic() - begun:5.0f} s  {word:12}{fault.subject}: {fault.name}",
                flush=True,
            )
            if not noticed:
                missed.append(fault)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} faults turned a test red.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
