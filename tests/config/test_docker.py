"""The files in deploy/docker/, as far as they can be checked without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.command import COMMANDS
from tests.image import read_instructions
from tests.stack import ROOT

DOCKER = ROOT / "deploy" / "docker"
SECRETS = re.compile(r"SECRET|PASSWORD|TOKEN|KEYS?\b")


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    return read_instructions(DOCKER / "Dockerfile")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(DOCKER / "compose.yaml")["services"]
    return found


def run_tool(name: str, *arguments: str | Path) -> None:
    program = Path(sys.executable).parent / name
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    run_tool("hadolint", "--failure-threshold", "info", DOCKER / "Dockerfile")


def test_compose_yaml_follows_the_published_schema() -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]
    run_tool("check-jsonschema", *schema, DOCKER / "compose.yaml")


def test_the_image_has_no_secret_and_no_root(instructions: list[tuple[str, str]]) -> None:
    by_name: dict[str, list[str]] = {}
    for name, words in instructions:
        by_name.setdefault(name, []).append(words)
    assert not [words for words in by_name["ENV"] if SECRETS.search(words)]
    assert not {"COPY", "ADD", "ARG"} & set(by_name)
    assert by_name["USER"] == ["10001:10001"]
    names = [name for name, _ in instructions]
    assert names.index("USER") < names.index("CMD")
    assert "--require-hashes" in " ".join(by_name["RUN"])
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().split("\n")
    assert [line for line in ignored if line and not line.startswith("#")] == ["*", "!dist"]


def test_each_service_has_a_command_of_ours_and_is_confined(services: dict[str, Any]) -> None:
    ours = {name: service for name, service in services.items() if service["image"] == "partyline"}
    assert set(ours) == {"upgrade", "web", "worker"}
    for service in ours.values():
        program, command = service["command"]
        assert program == "partyline"
        assert command in COMMANDS
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["data:/data"]
    assert all(
        "no-new-privileges:true" in service["security_opt"] for service in services.values()
    )
    published = {
        name: service["ports"] for name, service in services.items() if "ports" in service
    }
    assert published == {"web": ["127.0.0.1:${PARTYLINE_PORT:-8000}:8000"]}


def test_secrets_come_from_outside_and_health_is_asked_of_what_answers(
    services: dict[str, Any],
) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if SECRETS.search(name) or "://" in value:
                assert "${" in value or name in {"REDIS_URL", "SIMULATOR_API_URL"}
    assert "/readyz" in services["web"]["healthcheck"]["test"][-1]
    assert services["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert services["redis"]["healthcheck"]["test"][1:] == ["redis-cli", "ping"]
    assert (
        services["web"]["depends_on"]["upgrade"]["condition"] == "service_completed_successfully"
    )


def test_the_simulator_is_called_where_the_web_process_listens(services: dict[str, Any]) -> None:
    port = services["web"]["ports"][0].rpartition(":")[2]
    for name in ("web", "worker"):
        assert services[name]["environment"]["SIMULATOR_API_URL"] == f"http://web:{port}"


def test_postgresql_and_redis_are_set_as_on_a_server(services: dict[str, Any]) -> None:
    texts = {
        name: (ROOT / "deploy" / name / "partyline.conf").read_text()
        for name in ("postgresql", "redis")
    }
    logs = re.findall(r"^(log_\w+) = (\S+)", texts["postgresql"], re.MULTILINE)
    assert services["postgres"]["command"][2::2] == [f"{name}={value}" for name, value in logs]
    pairs = re.findall(r"^(save|append\w+|maxmem\S+) (\S+)", texts["redis"], re.MULTILINE)
    given = services["redis"]["command"][1:]
    options = dict(zip(given[::2], given[1::2], strict=True))
    assert options == {f"--{name}": value.strip('"') for name, value in pairs}
