"""Read files as all kinds of tools write them, and refuse what is no table of contacts."""

from __future__ import annotations

import io

import pytest

from messaging.contacts.imports import csv_files, numbers
from messaging.contacts.imports.columns import clean_headers, guess_mapping
from messaging.contacts.imports.csv_files import Dialect, Row, Unreadable
from messaging.contacts.imports.lines import LineReader

GERMAN = "Name;Telefon;Notiz\nJörg Müller;(202) 555-0151;Größe „M“\nZoë Weiß;(202) 555-0152;\n"
JAPANESE = (
    "名前,電話番号,メモ\n山田太郎,(202) 555-0151,株式会社のお客様\n鈴木花子,(202) 555-0152,\n"
)
RUSSIAN = "Имя;Телефон\nИван Петров;(202) 555-0151\nАнна Смирнова;(202) 555-0152\n"


def read(data: bytes) -> tuple[Dialect, list[list[str]]]:
    """Read a file as an import does, with what is guessed."""
    file = io.BytesIO(data)
    facts = csv_files.look_at(file)
    dialect = Dialect(facts.encoding, csv_files.guess_separator(file, facts.encoding))
    rows = [row for row in csv_files.read_rows(file, dialect) if not row.is_blank]
    return dialect, [row.cells for row in rows]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (GERMAN, "utf-8", "utf-8"),
        (GERMAN, "utf-8-sig", "utf-8"),
        (GERMAN, "utf-16", "utf-16-le"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (GERMAN, "cp1252", "cp1252"),
        (GERMAN.replace("„M“", "M"), "mac_roman", "mac_roman"),
        (JAPANESE, "cp932", "cp932"),
        (JAPANESE, "utf-16", "utf-16-le"),
        (RUSSIAN, "cp1251", "cp1251"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_letters_are_read_in_any_encoding(text: str, encoding: str, found: str) -> None:
    dialect, rows = read(text.encode(encoding))
    assert dialect.encoding == found
    assert rows == [line.split(dialect.separator) for line in text.splitlines()]


def test_a_letter_far_down_the_file_decides_the_encoding() -> None:
    plain = "Name,Phone\n" + "Ann,2025550151\n" * 20_000
    dialect, rows = read(plain.encode() + "Müller,2025550152\n".encode("cp1252"))
    assert dialect.encoding == "cp1252"
    assert rows[-1][0] == "Müller"


@pytest.mark.parametrize(
    "separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"]
)
def test_the_separator_is_found(separator: str) -> None:
    lines = [["Name", "Phone", "Note"], ["Lee, Ann", "2025550151", 'a|b; "c"']]
    quoted = [
        separator.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines
    ]
    dialect, rows = read("\r\n".join(quoted).encode())
    assert (dialect.separator, rows) == (separator, lines)


def test_the_first_line_of_excel_names_the_separator() -> None:
    dialect, rows = read(b"sep=|\r\nName|Phone\r\nAnn|2025550151\r\n")
    assert (dialect.separator, rows[0]) == ("|", ["Name", "Phone"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_lines_end_in_any_way_and_quotes_hold_several(end: str) -> None:
    data = f'Name,Phone,Note{end}Ann,2025550151,"two{end}lines, ""quoted"""{end}{end}Bo,1,{end}'
    _, rows = read(data.encode())
    assert rows[1:] == [["Ann", "2025550151", f'two{end}lines, "quoted"'], ["Bo", "1", ""]]


def test_lines_are_counted_as_in_a_spreadsheet() -> None:
    file = io.BytesIO(b'Name,Phone\nAnn,"1\n2"\n\nBo,3\n')
    rows = list(csv_files.read_rows(file, Dialect("utf-8", ",")))
    assert [row.number for row in rows if not row.is_blank] == [1, 2, 4]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"\xef\xbb\xbf\r\n\r\n", "This file is empty."),
        (b"PK\x03\x04\x14\0\x06\0", "a spreadsheet workbook, not a CSV file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old spreadsheet workbook"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n", "a picture"),
        (b"BEGIN:VCARD\nVERSION:3.0\n", "a contact card"),
        (bytes(range(256)), "This file isn't text"),
        (b"Name,Phone\n" + b"x" * 10_000_000, "Line 2 has more than 200,000 characters"),
        (b'Name,Phone\n"Ann,2025550151\nBo,2025550152\n', "Line 2 begins a quotation mark"),
        (b'Name,Phone\n"' + b"Ann,2025550151\n" * 20_000, "Line 2 begins a quotation mark"),
        (b"," * 500, "has 501 columns"),
    ],
    ids=[
        "nothing", "only a mark", "workbook", "old workbook", "pdf", "picture", "card", "binary",
        "10 MB line", "open quote", "open quote of many lines", "columns",
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read_whole(data)


def read_whole(data: bytes) -> None:
    file = io.BytesIO(data)
    facts = csv_files.look_at(file)
    dialect = Dialect(facts.encoding, csv_files.guess_separator(file, facts.encoding))
    csv_files.read_head(file, dialect, 5)
    list(csv_files.read_rows(file, dialect))


def test_a_quotation_mark_in_the_middle_leaves_out_its_line_alone() -> None:
    file = io.BytesIO(b'Name,Phone\n"Ann" Lee,1\nBo "B" Lee,2\n')
    rows = list(csv_files.read_rows(file, Dialect("utf-8", ",")))
    assert "quotation mark" in rows[1].problem
    assert rows[2].cells == ['Bo "B" Lee', "2"]


def reader(*headers: str) -> LineReader:
    return LineReader(headers, guess_mapping(headers), "US", frozenset())


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        (["Ann", "2025550151", "x", "no", "y"], "This line has 5 cells, but there are 4 columns."),
        (["Ann", "2025550151", "x", "no", " "], ""),
        (["Ann", "2025550151"], ""),
        (["Ann", "", "x", "no"], "is empty: there is no number."),
        (["A" * 121, "2025550151", "x", "no"], "has 121 characters; at most 120 can be kept."),
        (["M\ufffdller", "2025550151", "x", "no"], "has letters that this encoding can't read."),
        (["\u200b", "2025550151", "x", "no"], "has no visible characters."),
    ],
    ids=["too many", "blank end", "short", "no number", "long name", "letters", "invisible"],
)  # fmt: skip
def test_a_line_is_good_or_says_why_not(cells: list[str], error: str) -> None:
    line = reader("Name", "Phone", "Company", "Opt-out").read(Row(2, cells))
    assert line.error.startswith(error)
    assert bool(line.error) == bool(error)


def test_formulas_are_plain_words() -> None:
    cells = ['=HYPERLINK("http://x")', "2025550151", "'+1"]
    line = reader("Name", "Phone", "Company").read(Row(2, cells))
    assert line.values == {"name": '=HYPERLINK("http://x")', "company": "+1"}


@pytest.mark.parametrize(
    ("cell", "is_opt_out"),
    [
        ("YES", True),
        ("x", True),
        ("Opt-Out", True),
        ("oui", True),
        ("", False),
        ("0", False),
        ("nein", False),
    ],
)
def test_yes_and_no_are_understood(cell: str, is_opt_out: bool) -> None:
    line = reader("Phone", "Do not text").read(Row(2, ["2025550151", cell]))
    assert (line.is_opt_out, line.error) == (is_opt_out, "")


@pytest.mark.parametrize("cell", ["maybe", "?", "yes and no", "2"])
def test_nobody_is_texted_on_a_guess(cell: str) -> None:
    line = reader("Phone", "Do not text").read(Row(2, ["2025550151", cell]))
    assert "Nobody should be texted on a guess." in line.error


@pytest.mark.parametrize(
    ("cell", "region", "number"),
    [
        ("(202) 555-0151", "US", "+12025550151"),
        ("1.202.555.0151", "US", "+12025550151"),
        ("0044 7400 123456", "US", "+447400123456"),
        ("(+44) 7400 123456", "US", "+447400123456"),
        ("07400 123456", "GB", "+447400123456"),
        ("tel:+49-30-901820", "US", "+4930901820"),
        ("12025550151.0", "US", "+12025550151"),
    ],
)
def test_a_number_is_read_in_any_notation(cell: str, region: str, number: str) -> None:
    assert numbers.parse_cell(cell, region) == number


@pytest.mark.parametrize(
    ("cell", "region", "reason"),
    [
        ("(202) 555-01", "US", "has 8 digits; a number here has 10."),
        ("01 23 45", "FR", "has 6 digits; a number here has 9."),
        ("1.20256E+10", "US", "was rounded by a spreadsheet."),
        ("2025550151 / 3035550165", "US", "holds more than one number."),
        ("unknown", "US", "isn't a phone number."),
        ("+999 123456", "US", "begins with a country code that doesn't exist."),
        ("+44 7400", "US", "isn't a number that anybody can have."),
    ],
)
def test_a_wrong_number_says_why(cell: str, region: str, reason: str) -> None:
    with pytest.raises(numbers.BadNumber, match=reason[:30].replace("(", r"\(")):
        numbers.parse_cell(cell, region)


@pytest.mark.parametrize(
    ("headers", "mapping"),
    [
        (
            ["Given Name", "Family Name", "Phone 1 - Value", "E-mail 1 - Value", "Notes"],
            {"first_name": 0, "last_name": 1, "number": 2, "email": 3, "note": 4},
        ),
        (
            ["Vorname", "Nachname", "Telefon", "Handy", "Firma", "Kunden-Nr."],
            {"first_name": 0, "last_name": 1, "number": 3, "company": 4, "reference": 5},
        ),
        (["Prénom", "Nom", "Téléphone portable"], {"first_name": 0, "last_name": 1, "number": 2}),
        (["氏名", "携帯電話"], {"name": 0, "number": 1}),
        (["Phone", "SMS opt-in", "Subscribed"], {"number": 0}),
    ],
    ids=["Google", "German", "French", "Japanese", "may be texted"],
)
def test_columns_are_guessed_by_their_names(headers: list[str], mapping: dict[str, int]) -> None:
    assert guess_mapping(headers) == mapping


def test_a_file_without_names_of_columns_has_its_numbers_found() -> None:
    rows = [Row(1, ["Ann", "x", "(202) 555-0151"]), Row(2, ["Bo", "y", "(202) 555-0152"])]
    assert guess_mapping(["Column 1", "Column 2", "Column 3"], rows) == {"number": 2}


def test_columns_with_one_name_are_told_apart() -> None:
    assert clean_headers(["Phone", " Phone ", "", "Phone"]) == [
        "Phone",
        "Phone (2)",
        "Column 3",
        "Phone (3)",
    ]
