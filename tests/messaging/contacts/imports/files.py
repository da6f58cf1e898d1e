"""Files of contacts, as tools write them, and imports of them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inboxes.models import Agent, Inbox
from messaging.contacts.imports import importing
from messaging.models import ContactImport

CUSTOMERS = """Name,Phone,Company,E-mail,Do not text
Abena Mensah,(202) 555-0151,Mensah Interiors,,no
Marta Lindqvist,(202) 555-0126,,marta@example.com,No
Carl Voss,(312) 555-0188,,,Yes
Peter Lang,(202) 555-01,Lang Plumbing,,no
Edith Moore,(303) 555-0165,,,maybe
"""


def make_upload(data: bytes | str, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data)


def upload(agent: Agent, inbox: Inbox, data: bytes | str) -> ContactImport:
    """Upload a file; its columns are still to be chosen."""
    return importing.begin(agent=agent, inbox=inbox, upload=make_upload(data))


def read(agent: Agent, inbox: Inbox, data: bytes | str) -> ContactImport:
    """Upload a file, take the columns as guessed, and read all its lines."""
    one = upload(agent, inbox, data)
    importing.choose_columns(one=one, mapping=one.mapping, region="US")
    return go_on(one)


def bring_in(agent: Agent, inbox: Inbox, data: bytes | str) -> ContactImport:
    """Import a file."""
    one = read(agent, inbox, data)
    assert one.state == ContactImport.State.READY, one.reason
    importing.start(one=one)
    return go_on(one)


def page_words(response: Any) -> str:
    """Return what people read on a page, without markup."""
    text = html.unescape(re.sub(r"</?(bdi|b|code)[^>]*>", "", response.content.decode()))
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def go_on(one: ContactImport) -> ContactImport:
    """Do what a worker would."""
    assert importing.go_on(one.pk)
    one.refresh_from_db()
    return one


@pytest.fixture(autouse=True)
def _files_here(settings: object, tmp_path: object) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
