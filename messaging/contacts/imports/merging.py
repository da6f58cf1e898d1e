"""Say what a line of a file changes in the contact with its number, if the inbox knows one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from messaging.contacts.describing import VALUE_NAMES
from messaging.contacts.imports.columns import FIELDS
from messaging.models import OptOut
from threads.models import Consent, Contact

# What stands in `changes` of a line.
ADDS, REPLACES, OPTS_OUT, AGREES, SAME_AS = "adds", "replaces", "opts_out", "agrees", "line"
OVERRIDDEN = "overridden"  # values that a later line with the same number has too


@dataclass(slots=True)
class KnownContact:
    """Hold a contact as it is, and with each line that is merged as it will be."""

    pk: int | None = None  # None for one that a file adds
    values: dict[str, str] = field(default_factory=dict)  # those that are not empty
    is_opted_out: bool = False
    consents: set[tuple[str, str]] = field(default_factory=set)  # that a line could repeat
    line: int | None = None  # the first one of the file that it was met in

    def merge(self, values: Mapping[str, str], is_opt_out: bool) -> dict[str, object]:
        """Take a line in; return what it changes, in the form in which a line keeps it.

        A value replaces another one; nothing empties a value, and no line ends an opt-out.
        """
        given = {name: values[name] for name in VALUE_NAMES if values.get(name)}
        adds = [name for name in given if not self.values.get(name)]
        replaces = [name for name in given if self.values.get(name, given[name]) != given[name]]
        opts_out = is_opt_out and not self.is_opted_out
        agrees = self._is_new_consent(values)
        self.values |= given
        self.is_opted_out |= is_opt_out
        if agrees:
            self.agree(values["consent"], values.get("consent_at", ""))
        found = {ADDS: adds, REPLACES: replaces, OPTS_OUT: opts_out, AGREES: agrees}
        return {name: value for name, value in found.items() if value}

    def _is_new_consent(self, values: Mapping[str, str]) -> bool:
        """Return True if the contact never agreed in these words, or on that day.

        A consent that ended counts too: an old file does not bring it back.
        """
        words, at = values.get("consent", ""), values.get("consent_at", "")
        return bool(words) and (words, _day(at)) not in self.consents

    def agree(self, words: str, at: str) -> None:
        """Take a consent in; a line that leaves its words or its day out repeats it too."""
        day = _day(at)
        self.consents |= {(words, day), (words, ""), ("yes", day), ("yes", "")}


def find_known(
    *, inbox_id: int, our_address: str, addresses: Collection[str]
) -> dict[str, KnownContact]:
    """Return the inbox's contacts with these addresses; three queries for all of them."""
    rows = Contact.objects.filter(inbox=inbox_id, address__in=addresses)
    found = {}
    by_key = {}
    for pk, address, *values in rows.values_list("pk", "address", *VALUE_NAMES):
        named = {name: value for name, value in zip(VALUE_NAMES, values, strict=True) if value}
        found[address] = by_key[pk] = KnownContact(pk, named)
    consents = Consent.objects.filter(contact__in=by_key)
    for pk, words, at in consents.values_list("contact", "words", "given_at"):
        by_key[pk].agree(words, at.astimezone(UTC).isoformat())
    for address in opted_out(our_address, addresses):
        found.setdefault(address, KnownContact()).is_opted_out = True
    return found


def opted_out(our_address: str, addresses: Collection[str]) -> set[str]:
    """Return those who want no texts from this number of ours, or from any."""
    rows = OptOut.objects.current().filter(address__in=addresses)
    wide_or_ours = rows.filter(is_for_all=True) | rows.filter(our_address=our_address)
    return set(wide_or_ours.values_list("address", flat=True))


def without_overridden(values: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a line that no later line with its number has too."""
    overridden = changes.get(OVERRIDDEN, ())
    return {name: value for name, value in values.items() if name not in overridden}


def describe_changes(changes: Mapping[str, object], *, is_new: bool, is_done: bool = False) -> str:
    """Return in words what a good line does, or did."""
    line = changes.get(SAME_AS)
    if is_new:
        return "New, opted out" if changes.get(OPTS_OUT) else "New"
    if line:
        return f"{'Merged' if is_done else 'Merges'} with line {line}"
    adds, replaces, agrees, opts_out = _DONE if is_done else _TO_COME
    parts = []
    for kind, verb in ((ADDS, adds), (REPLACES, replaces)):
        names = changes.get(kind)
        if isinstance(names, list) and names:
            parts.append(f"{verb} {', '.join(_in_sentence(name) for name in names)}")
    if changes.get(AGREES):
        parts.append(agrees)
    if changes.get(OPTS_OUT):
        parts.append(opts_out)
    if not parts:
        return "Changed nothing" if is_done else "Changes nothing"
    return f"{'Merged' if is_done else 'Merges'}: {', '.join(parts)}"


_TO_COME = "adds", "changes", "records consent", "opts out"
_DONE = "added", "changed", "recorded consent", "opted out"


def _day(moment: str) -> str:
    """Return the day of a moment in UTC, as lines keep it: that is the day of a consent."""
    return moment[:10]


def _in_sentence(name: str) -> str:
    return FIELDS[name].lower()
