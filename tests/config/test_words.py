"""The administration speaks in our words, not in Django's."""

from __future__ import annotations

from gettext import GNUTranslations

from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib import admin
from django.utils import translation

from config.admin_menu import GROUPS
from inboxes.times import FORMAT_LANGUAGES

FOLDER = settings.BASE_DIR / "config/locale/en/LC_MESSAGES"


def test_the_compiled_words_are_those_that_are_written() -> None:
    with (FOLDER / "django.po").open("rb") as written:
        catalog = read_po(written, locale="en", domain="django")
    with (FOLDER / "django.mo").open("rb") as compiled:
        words = GNUTranslations(compiled)
    messages = [message for message in catalog if message.id]
    assert len(messages) > 10
    for message in messages:
        assert words.gettext(str(message.id)) == message.string


def test_they_hold_however_somebody_writes_times() -> None:
    for language in FORMAT_LANGUAGES.values():
        with translation.override(language):
            assert translation.gettext("No action selected.") == "Nothing was changed."


def test_each_page_of_the_administration_stands_in_its_menu() -> None:
    named = {label for _, labels in GROUPS for label in labels}
    assert {model._meta.label_lower for model in admin.site._registry} <= named
