"""Settings from the environment: wrong values are refused in a sentence, secrets are made once."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from config.environment import BadSetting
from tests.stack import ROOT

SHOW = """
import json, sys
from django.conf import settings
print(json.dumps({name: str(getattr(settings, name)) for name in sys.argv[1:]}))
"""
CLEARED = ("SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "ALLOWED_HOSTS", "DB_POOL_SIZE")


def make_environment(data: Path, **changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in CLEARED}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PARTYLINE_DATA": str(data),
        "PARTYLINE_DEMO": "0",
        **changes,
    }


def read_settings(data: Path, *names: str, **changes: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        cwd=ROOT,
        env=make_environment(data, **changes),
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PARKED_RECEIPT_DAYS", "0"),
        ("TEXT_EXPIRY_HOURS", "never"),
        ("TEXT_EXPIRY_HOURS", "0"),
        ("PORT", "70000"),
        ("PUBLIC_URL", "texts.example.com"),
        ("PUBLIC_URL", "https://texts.example.com/inbox"),
        ("SIMULATOR_API_URL", "web:8000"),
        ("SIMULATOR_API_URL", "http://web:8000/simulator/"),
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("REDIS_URL", "localhost:6379"),
        ("OIDC_ISSUER", "http://id.example.com"),
        ("OIDC_ISSUER", "id.example.com"),
        ("MEDIA_ENDPOINT", "s3.example.com"),
        ("SECRET_KEY", "short-and-secret"),
        ("FIELD_KEYS", "not-a-key-but-secret"),
        ("ALLOWED_HOSTS", "https://texts.example.com"),
        ("PARTYLINE_DEMO", "perhaps"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("DEFAULT_REGION", "Atlantis"),
        ("DB_POOL_SIZE", "-1"),
        ("DB_POOL_TIMEOUT", "soon"),
        ("WORKER_CONCURRENCY", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("WEBHOOK_BODY_LIMIT", "1MB"),
        ("WEBHOOK_TOLERANCE", "5 min"),
        ("CARRIER_TIMEOUT", "0"),
        ("EMAIL_URL", "smtp.example.com"),
        ("EMAIL_URL", "https://texts:secret@smtp.example.com"),
        ("EMAIL_URL", "smtp+tls://:secret@smtp.example.com"),
        ("EMAIL_URL", "smtp+tls://texts:secret@smtp.example.com:many"),
        ("EMAIL_FROM", "Partyline"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_and_what_it_takes(
    tmp_path: Path, name: str, value: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=make_environment(tmp_path, **{name: value}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{name} cannot be used as it is set: it takes ")
    assert "secret" not in done.stderr


def test_company_sign_in_needs_the_id_and_the_secret_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=make_environment(tmp_path, OIDC_ISSUER="https://id.example.com", OIDC_CLIENT_ID="p"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "OIDC_ISSUER also needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.\n"


def run_installation_settings(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, Any]:
    """Run `config/settings/installation.py` in an environment. Raises BadSetting."""
    for name in ("PUBLIC_URL", "HOST", "PORT", "ALLOWED_HOSTS", "PARTYLINE_DEMO", "DJANGO_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "config/settings/installation.py"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "127.0.0.1, *"),
        ("ALLOWED_HOSTS", "*.example.com"),
        ("ALLOWED_HOSTS", "."),
        ("PUBLIC_URL", "https://*"),
        ("PUBLIC_URL", "https://.example.com"),
    ],
)
def test_a_wildcard_host_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BadSetting, match=f"{name} cannot be used as it is set"):
        run_installation_settings(monkeypatch, **{name: value})


def test_all_subdomains_of_a_name_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_installation_settings(monkeypatch, ALLOWED_HOSTS=".example.com,[::1]")
    assert found["ALLOWED_HOSTS"] == [".example.com", "[::1]"]


@pytest.mark.parametrize("mode", ["PARTYLINE_DEMO", "DJANGO_DEBUG"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "0.0.0.0"),
        ("HOST", "192.0.2.7"),
        ("HOST", "example.com"),
        ("ALLOWED_HOSTS", "127.0.0.1,texts.example.com"),
        ("ALLOWED_HOSTS", ".localhost"),
        ("PUBLIC_URL", "https://texts.example.com"),
        ("PUBLIC_URL", "http://192.168.0.7:8000"),
        ("PUBLIC_URL", "http://127.0.0.1.example.com"),
    ],
)
def test_the_demo_and_error_pages_are_for_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, mode: str, name: str, value: str
) -> None:
    with pytest.raises(BadSetting, match=f"{mode}=1 is for this machine only, so {name} takes"):
        run_installation_settings(monkeypatch, **{mode: "1", name: value})
    run_installation_settings(monkeypatch, **{mode: "0", name: value})


@pytest.mark.parametrize(
    "url", ["https://localhost:8443", "http://[::1]:8000", "http://127.0.0.2:8000"]
)
def test_the_demo_may_be_reached_by_any_name_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert run_installation_settings(
        monkeypatch, PARTYLINE_DEMO="1", DJANGO_DEBUG="1", PUBLIC_URL=url
    )["DEMO"]


@pytest.mark.parametrize(
    "process",
    [
        ("manage.py", "serve"),
        ("manage.py", "worker"),
        ("-m", "daphne", "-p", "0", "config.asgi:application"),
    ],
    ids=lambda process: process[1],
)
def test_every_process_that_would_open_the_demo_to_others_ends(
    tmp_path: Path, process: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, *process],
        cwd=ROOT,
        env=make_environment(tmp_path, PARTYLINE_DEMO="1", PUBLIC_URL="https://texts.example.com"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode in {1, 2}
    sentence = done.stderr.strip().rsplit("\n", 1)[-1]
    assert "PARTYLINE_DEMO=1 is for this machine only, so PUBLIC_URL takes" in sentence


def test_secrets_are_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    first = read_settings(tmp_path / "var", "SECRET_KEY", "FIELD_KEYS")
    assert read_settings(tmp_path / "var", "SECRET_KEY", "FIELD_KEYS") == first
    for name in ("secret_key", "field_keys"):
        assert (tmp_path / "var" / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == [
        "field_keys",
        "secret_key",
        "vapid_key",
    ]


def test_several_field_keys_are_kept_in_their_order(tmp_path: Path) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    found = read_settings(tmp_path, "FIELD_KEYS", FIELD_KEYS=", ".join(keys))
    assert found == {"FIELD_KEYS": str(keys)}


@pytest.mark.parametrize(
    ("url", "cookie", "is_secure"),
    [
        ("http://127.0.0.1:8000", "sessionid", "False"),
        ("https://texts.example.com", "__Host-sessionid", "True"),
    ],
)
def test_cookies_and_transport_follow_the_scheme(
    tmp_path: Path, url: str, cookie: str, is_secure: str
) -> None:
    found = read_settings(
        tmp_path,
        *("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"),
        *("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"),
        PUBLIC_URL=url,
    )
    assert found.pop("SESSION_COOKIE_NAME") == cookie
    assert (found.pop("SECURE_HSTS_SECONDS") != "0") is (is_secure == "True")
    assert set(found.values()) == {is_secure}


def test_the_address_follows_the_port(tmp_path: Path) -> None:
    assert read_settings(tmp_path, "PUBLIC_URL", PORT="8123") == {
        "PUBLIC_URL": "http://127.0.0.1:8123"
    }


def test_check_deploy_finds_nothing_in_a_real_installation(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=make_environment(
            tmp_path,
            PUBLIC_URL="https://texts.example.com",
            DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
            STATIC_HASHED="1",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_with_redis_the_channel_layer_is_pub_sub(tmp_path: Path) -> None:
    found = read_settings(tmp_path, "CHANNEL_LAYERS", REDIS_URL="redis://127.0.0.1:1/0")
    assert "RedisPubSubChannelLayer" in found["CHANNEL_LAYERS"]
    assert "InMemory" in read_settings(tmp_path, "CHANNEL_LAYERS")["CHANNEL_LAYERS"]


WITH_LIBRARY = """
import importlib.util as finding, sys
find = finding.find_spec
found = sys.argv[1] == "yes" or None
finding.find_spec = lambda name, *rest: found if name == "storages" else find(name, *rest)
from django.conf import settings
print(settings.STORAGES["default"])
"""


@pytest.mark.parametrize(
    ("bucket", "has_library"), [("", "no"), ("files", "yes"), ("files", "no")]
)
def test_attachments_are_stored_in_a_folder_or_in_a_bucket(
    tmp_path: Path, bucket: str, has_library: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_LIBRARY, has_library],
        cwd=ROOT,
        env=make_environment(
            tmp_path, MEDIA_BUCKET=bucket, MEDIA_ENDPOINT="https://s3.example.com"
        ),
        check=False,
        capture_output=True,
        text=True,
    )
    if not bucket:
        assert "FileSystemStorage" in done.stdout
    elif has_library == "yes":
        assert "S3Storage" in done.stdout
        assert "'bucket_name': 'files', 'endpoint_url': 'https://s3.example.com'" in done.stdout
        # Buckets are private by default, and many services refuse an ACL.
        assert "acl" not in done.stdout
    else:
        assert done.returncode != 0
        assert "pip install 'django-storages[s3]'" in done.stderr


@pytest.mark.parametrize(
    ("url", "port", "encryption"),
    [
        ("smtp+tls://te%40xts:se%2Fcret@smtp.example.com", 587, ("True", "False")),
        ("smtp+tls://te%40xts:se%2Fcret@smtp.example.com:25", 25, ("True", "False")),
        ("smtps://te%40xts:se%2Fcret@smtp.example.com", 465, ("False", "True")),
    ],
)
def test_an_e_mail_server_is_read_from_one_address(
    tmp_path: Path, url: str, port: int, encryption: tuple[str, str]
) -> None:
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")
    more = ("EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_FROM")
    public = "https://texts.example.com"
    found = read_settings(tmp_path, *names, *more, EMAIL_URL=url, PUBLIC_URL=public)
    assert list(found.values()) == [
        "smtp.example.com", str(port), "te@xts", "se/cret", *encryption,
        "Partyline <partyline@texts.example.com>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("smtp://texts:secret@smtp.example.com", "EMAIL_URL would send its password unencrypted"),
        ("console:", "EMAIL_URL=console: prints links that let people in"),
    ],
)
def test_an_e_mail_server_that_would_give_secrets_away_is_refused(
    tmp_path: Path, url: str, sentence: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=make_environment(tmp_path, EMAIL_URL=url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert "secret@" not in done.stderr
