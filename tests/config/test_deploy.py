"""The files in deploy/ and the settings say the same."""

import re

from tests.stack import ROOT

READ = re.compile(r'\bsetting\(\s*"([A-Z_]+)"')


def settings() -> set[str]:
    folder = ROOT / "config" / "settings"
    return set(READ.findall("".join(path.read_text() for path in folder.glob("*.py"))))


def test_the_example_names_every_setting_and_no_other() -> None:
    text = (ROOT / "deploy" / "partyline.env").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) == settings()


def test_the_page_on_deploying_names_every_setting() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    developers = {"DJANGO_DEBUG", "STATIC_HASHED", "SINGLE_PROCESS_LOCK"}
    assert {name for name in settings() if f"`{name}`" not in page} == developers


def test_a_webhook_may_be_as_large_for_nginx_as_for_us() -> None:
    site = (ROOT / "deploy" / "nginx" / "partyline.conf").read_text()
    assert "client_max_body_size 1m;  # WEBHOOK_BODY_LIMIT" in site
    example = (ROOT / "deploy" / "partyline.env").read_text()
    assert f"#WEBHOOK_BODY_LIMIT={2**20}" in example
