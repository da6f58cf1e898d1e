"""A greeting addresses the contact by the first name where the name tells it, and else nobody."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.contacts.imports.csv_files import Row
from messaging.contacts.imports.lines import LineReader
from threads.first_names import read_first_name

FIRST_NAMES = {
    "Linh": "Linh",
    "Linh Tran": "Linh",
    "LINH TRAN": "LINH",
    "Mrs. Linh Tran": "Linh",
    "Tran, Linh": "Linh",
    "Tran,Linh": "Linh",
    "tran, linh": "linh",
    "Tran, Mrs. Linh": "Linh",
    "Mr. Smith, John": "John",
    "Smith, John, Jr.": "John",
    "Smith Jr., John": "John",
    "Robert Smith Jr.": "Robert",
    "Linh Tran, MD": "Linh",
    "Maria Lopez, D.D.S., Ph.D.": "Maria",
    "Herr Prof. Dr. Max Bauer": "Max",
    "Dr. med. Anna Groß": "Anna",
    "Dipl.-Ing. Max Bauer": "Max",
    "M. Jean Dupont": "Jean",
    "Mme Claire Petit": "Claire",
    "Señora Ana López": "Ana",
    "Don Carlos Ruiz": "Carlos",
    "Don": "Don",
    "Tran, Don": "Don",
    "Sig.ra Rosa Conti": "Rosa",
    "de la Cruz, Maria": "Maria",
    "Van der Berg, Jan": "Jan",
    "Jean-Luc Picard": "Jean-Luc",
    "D'Angelo Russell": "D'Angelo",
    "O’Brien": "O’Brien",
    "Jack Ma": "Jack",
    "Kim Do": "Kim",
    "Maria Sa": "Maria",
    "🌸 Maria Lopez 🌸": "Maria",
    "👩🏽‍🔧 Maria": "Maria",
    'Robert "Bob" Smith': "Robert",
    "Maria (upstairs)": "Maria",
    "Maria Lopez [VIP": "Maria",
    "Maria - plumber": "Maria",
    "Maria: plumber": "Maria",
    "Maria,": "Maria",
    "\u202eMaria": "Maria",
    "王小明": "王小明",
    "田中 太郎": "田中",
    "Мария Иванова": "Мария",
    "أحمد علي": "أحمد",
    "مریم‌السادات کریمی": "مریم‌السادات",
    "नरेन्द्र मोदी": "नरेन्द्र",
}
UNCLEAR = [
    "",
    " ",
    "-",
    "Mrs.",
    "Mrs. Tran",
    "Dr. Tran",
    "Herr Bauer",
    "Frau Dr. Bauer",
    "Sr. López",
    "M. Dupont",
    "Don Draper",
    "Tran, Mrs.",
    "Mrs. Tran - plumber",
    "Smith, Jr.",
    "Tran, MD",
    "Tran, DO",
    "Hptm. Meier",
    "J. Smith",
    "J Smith",
    "J.R. Smith",
    "Smith, J. R.",
    "Acme, Inc.",
    "Harbor Dental Group",
    "Harbor Dental, LLC",
    "Acme Inc. Billing",
    "Müller AG",
    "Bauer GmbH & Co. KG",
    "Smith & Sons",
    "Anna and Ben Lee",
    "Anna/Ben",
    "Mr and Mrs Tran",
    "The Home Depot",
    "Familie Müller",
    "The Smiths",
    "van der Berg",
    "Garcia Lopez, Maria",
    "John Smith, Plumber",
    "Linh, plumber",
    "(VIP) Ann Lee",
    "maria@example.com",
    "+1 202 555 0110",
    "5B Maria",
]


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_whoever_has_a_first_name_is_addressed_by_it(name: str) -> None:
    assert read_first_name(name) == FIRST_NAMES[name]


@pytest.mark.parametrize("name", UNCLEAR)
def test_where_it_is_unclear_nobody_is_addressed(name: str) -> None:
    assert read_first_name(name) == ""


@pytest.mark.parametrize(
    "name", ["Harbor Dental", "HARBOR  dental", "Harbor Dental (front)", "Harbor Dental Care Anna"]
)
@pytest.mark.parametrize("company", ["Harbor Dental", "harbor dental, inc.", "Harbor Dental Care"])
def test_a_contact_that_is_its_company_has_none(name: str, company: str) -> None:
    assert read_first_name(name, company) == ""
    assert read_first_name(name, "Dental").title() == "Harbor"


def test_one_word_may_be_a_first_name_that_the_company_has_too() -> None:
    assert read_first_name("Maria", "Maria Nails") == "Maria"
    assert read_first_name("Acme", "Acme Inc.") == ""


PEOPLE = st.sampled_from(["Linh", "Jean-Luc", "Åsa", "D'Angelo", "Мария", "Zoë"])
LAST_NAMES = st.sampled_from(["Tran", "O'Brien", "Müller", "Иванова", "Nguyễn"])
TITLES = st.sampled_from(["Mrs.", "mr", "MS", "Mx.", "Dr.", "Herr", "Frau", "Mme", "Sra."])


ANY_NAME = st.text(max_size=120) | st.text("ABab1 .,-'()\"&/@🌸|:", max_size=20)


@given(ANY_NAME, st.text(max_size=20))
@example("Mrs. Mrs.", "")
@example(", ,", ",")
def test_it_is_a_word_of_the_name_and_stays_one(name: str, company: str) -> None:
    first = read_first_name(name, company)
    assert first in name
    assert not any(c.isspace() or c == "," for c in first)
    assert read_first_name(first) == first


@given(PEOPLE, LAST_NAMES, TITLES)
def test_order_titles_and_ornaments_change_nothing(first: str, last: str, title: str) -> None:
    names = [
        f"{first} {last}",
        f"{title} {first} {last}",
        f"{last}, {first}",
        f"{first} 🌸 {last}",
    ]
    names += [f"{last}, {title} {first}", f"{first} {last} (work)", f"{first} {last}, Jr."]
    assert {read_first_name(name) for name in names} == {first}
    assert read_first_name(f"{title} {last}") == read_first_name(f"{last}, {title}") == ""
    assert read_first_name(f"{first} {last}", f"{first} {last}") == ""


@given(PEOPLE, LAST_NAMES)
def test_a_name_from_two_columns_of_a_file_reads_alike(first: str, last: str) -> None:
    columns = {"number": 0, "first_name": 1, "last_name": 2}
    reader = LineReader([*columns], columns, region="US", our_numbers=())
    line = reader.read(Row(2, ["+12025550177", first, last]))
    assert read_first_name(line.values["name"]) == first
