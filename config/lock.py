"""Write requirements/*.txt: every package that pyproject.toml asks for and what those need, with
exact versions and no addresses. Run by `make lock`."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Written by `make lock` from pyproject.toml.\n"


def resolved(wanted: list[str]) -> list[str]:
    """The `name==version` lines that pip would install into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", *wanted]
    report = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  pip
    found = [package["metadata"] for package in json.loads(report.stdout)["install"]]
    return sorted((f"{item['name']}=={item['version']}" for item in found), key=str.lower)


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = resolved(project["project"]["dependencies"])
    everything = resolved([*runtime, *project["dependency-groups"]["dev"]])
    dev = [line for line in everything if line not in runtime]
    (ROOT / "requirements/runtime.txt").write_text(HEAD + "\n".join(runtime) + "\n")
    (ROOT / "requirements/dev.txt").write_text(HEAD + "-r runtime.txt\n" + "\n".join(dev) + "\n")


if __name__ == "__main__":
    main()
