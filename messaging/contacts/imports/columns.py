"""Say what a column of a file holds: by its name, or as the agent chose it the last time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from messaging.contacts.imports.csv_files import Row
from messaging.models import ContactImport
from threads.folding import fold_text

if TYPE_CHECKING:
    from inboxes.models import Agent

LONGEST_NAME = 120

# What a column can become, by the name of the field, with the words for it.
FIELDS = {
    "number": "Number",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "email": "E-mail",
    "reference": "Reference",
    "note": "Note",
    "opt_out": "Opt-out",
    "consent": "Consent",
    "consent_at": "Consent date",
    "time_zone": "Time zone",
}

# Names that other tools give their columns, folded, the likeliest first. A column that says who
# may be texted is not among them: it means the contrary of an opt-out, and nothing is guessed.
_NAMES = {
    "number": (
        "number, phone number, mobile number, mobile phone, mobile, cell phone, cell, phone, sms, "
        "telephone, tel, phone 1 value, phone 1, primary phone, main phone, msisdn, "
        "handy, handynummer, mobiltelefon, mobil, telefon, telefonnummer, rufnummer, "
        "telephone portable, portable, numero de telephone, telefono movil, movil, celular, "
        "telefono, numero, telefone, cellulare, numero di telefono, mobiel, telefoonnummer, "
        "telefoon, 携帯電話, 電話番号, 電話, 手机, 电话, work phone, business phone, home phone"
    ),
    "name": (
        "name, full name, display name, contact name, contact, customer, customer name, client, "
        "client name, kunde, kontakt, nom complet, nombre completo, nome completo, "
        "volledige naam, naam, nome, 名前, 氏名, 姓名"
    ),
    "first_name": (
        "first name, firstname, given name, forename, vorname, prenom, nombre, primer nombre, "
        "voornaam, 名"
    ),
    "last_name": (
        "last name, lastname, surname, family name, nachname, familienname, nom, "
        "nom de famille, apellido, apellidos, sobrenome, cognome, achternaam, 姓"
    ),
    "company": (
        "company, company name, organization, organisation, organization name, "
        "organization 1 name, business, business name, account name, firma, unternehmen, "
        "entreprise, societe, empresa, azienda, bedrijf, 会社, 会社名, 公司"
    ),
    "email": (
        "e mail, email, e mail address, email address, e mail 1 value, mail, e mail adresse, "
        "courriel, adresse e mail, correo, correo electronico, メール, メールアドレス, 邮箱"
    ),
    "reference": (
        "reference, customer number, customer id, customer no, client id, account number, "
        "contact id, external id, id, ref, kundennummer, kunden nr, numero client, "
        "numero de cliente, codice cliente, klantnummer, 顧客番号"
    ),
    "note": (
        "note, notes, comment, comments, remark, remarks, description, notiz, notizen, "
        "bemerkung, kommentar, remarque, commentaire, nota, notas, opmerking, メモ, 備考, 备注"
    ),
    "opt_out": (
        "opt out, optout, opted out, opt outs, do not text, do not contact, dnc, dnt, stop, "
        "unsubscribed, sms opt out, keine sms, abgemeldet, desabonne, no enviar, 配信停止"
    ),
    "consent": (
        "consent, sms consent, text consent, consent given, consent words, einwilligung, "
        "consentement, consentimiento, consenso, toestemming, 同意"
    ),
    "consent_at": (
        "consent date, consent given on, date of consent, consent time, datum der einwilligung, "
        "date de consentement, fecha de consentimiento, 同意日"
    ),
    "time_zone": "time zone, timezone, zeitzone, fuseau horaire, zona horaria",
}
KNOWN_NAMES = {field: names.split(", ") for field, names in _NAMES.items()}
_NO_LETTERS = re.compile(r"[\W_]+")


def clean_headers(cells: Sequence[str]) -> list[str]:
    """Return a name for each column: its own, or its place; none of them twice."""
    found: list[str] = []
    for index, cell in enumerate(cells):
        name = " ".join(cell.split())[:LONGEST_NAME] or f"Column {index + 1}"
        plain, count = name, 1
        while name in found:
            count += 1
            name = f"{plain[: LONGEST_NAME - 6]} ({count})"
        found.append(name)
    return found


def number_columns(count: int) -> list[str]:
    """Return names for the columns of a file that has none."""
    return [f"Column {index + 1}" for index in range(count)]


def looks_like_number(cell: str) -> bool:
    """Return True for a cell that can be a telephone number, and no name of a column."""
    digits = sum(c.isdigit() for c in cell)
    return digits >= 7 and not any(c.isalpha() for c in cell)


def guess_mapping(headers: Sequence[str], rows: Sequence[Row] = ()) -> dict[str, int]:
    """Return the number of the column, from 0, for each field whose name one of them has.

    Where no name tells it, the numbers are where most of the first rows have one.
    """
    folded = [_fold(name) for name in headers]
    mapping: dict[str, int] = {}
    for field, names in KNOWN_NAMES.items():
        places = [folded.index(name) for name in map(_fold, names) if name in folded]
        free = [place for place in places if place not in mapping.values()]
        if free:
            mapping[field] = free[0]
    if "first_name" in mapping and "last_name" not in mapping and "name" not in mapping:
        mapping["name"] = mapping.pop("first_name")
    if "number" not in mapping:
        counts = [
            sum(looks_like_number(cell) for row in rows for cell in row.cells[index : index + 1])
            for index in range(len(headers))
        ]
        if counts and max(counts) * 2 > len(rows):
            mapping["number"] = counts.index(max(counts))
    return mapping


def remembered_mapping(agent: Agent, headers: Sequence[str]) -> dict[str, int] | None:
    """Return what the agent chose for a file with the same columns the last time."""
    earlier = ContactImport.objects.filter(agent=agent, headers=list(headers)).exclude(mapping={})
    mapping: dict[str, int] | None = (
        earlier.order_by("-pk").values_list("mapping", flat=True).first()
    )
    return mapping


def describe_mapping(mapping: Mapping[str, int], headers: Sequence[str]) -> dict[str, str]:
    """Return the column's own name for each field that has one."""
    return {field: headers[index] for field, index in mapping.items() if index < len(headers)}


def _fold(name: str) -> str:
    return _NO_LETTERS.sub(" ", fold_text(name)).strip()
