"""Take apart the lines of contact cards (RFC 6350, and the older vCard 3.0 and 2.1).

The lines come from whoever texts us, so all of this goes over a line once, from its beginning to
its end. Libraries take property lines apart by patterns that can be tried in endless ways, which
would let one text stop the server. We need so little of a line that it is done here: its name, its
value, and the two parameters that say how the value is written.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_LINES = 20_000  # of a file; a picture of a megabyte has 14,000

_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

# Encodings that old phones name. Python knows others, some of which are slow on purpose.
_ENCODING = re.compile(
    r"utf-?8|utf-16(?:le|be)?|(?:us-)?ascii|windows-(?:125[0-8]|874)|iso-8859-[0-9]{1,2}|koi8-[ru]"
    r"|shift[-_]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)|ks_c_5601-1987|gb2312|gbk|gb18030|big5|tis-620"
)


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one property: its name in capitals, its value decoded, but with its escapes."""

    name: str
    value: str

    @property
    def text(self) -> str:
        return _unescape(self.value)

    @property
    def parts(self) -> list[str]:
        """Return the parts of a name or an organization, which stand between semicolons."""
        return [_unescape(part) for part in _split_unescaped(self.value, ";")]


def unfold(text: str) -> Iterator[str]:
    """Yield whole lines: one that begins with white space continues the one before, and so does
    one behind `=` in quoted-printable text."""
    parts: list[str] = []
    is_quoted = False
    # What is left behind the last line that counts may be much, and is no line.
    for line in _LINE_END.split(text, maxsplit=MOST_LINES)[:MOST_LINES]:
        is_soft = is_quoted and parts[-1].endswith("=")
        if parts and (line[:1] in {" ", "\t"} or is_soft):
            if is_soft:
                parts[-1] = parts[-1][:-1]
            parts.append(line if is_soft else line[1:])
            continue
        if parts:
            yield "".join(parts)
        parts = [line]
        is_quoted = "QUOTED-PRINTABLE" in line[:200].upper()
    yield "".join(parts)


def read_name(line: str) -> str:
    """Return the property's name in capitals, without its group: TEL of `item1.TEL;PREF=1:+1…`."""
    head = line.partition(":")[0].partition(";")[0]
    return head.rpartition(".")[2].strip().upper()


def read_line(line: str) -> Line | None:
    """Return what the line says; None for one without a value, or with one that is no text."""
    end = _find_value(line)
    if end < 0:
        return None
    parameters = line[:end].upper().split(";")[1:]
    encoding, charset = "", ""
    for parameter in parameters:
        key, _, given = parameter.partition("=")
        given = given.strip().strip('"')
        if key.strip() == "ENCODING":
            encoding = given
        elif key.strip() == "CHARSET":
            charset = given
        elif not given and key.strip() in {"QUOTED-PRINTABLE", "BASE64"}:
            encoding = key.strip()  # vCard 2.1 may leave out the parameter's name
    if encoding in {"B", "BASE64"}:
        return None
    value = line[end + 1 :]
    if encoding == "QUOTED-PRINTABLE":
        value = _decode_quoted(value, charset.lower())
    return Line(read_name(line), value)


def _find_value(line: str) -> int:
    """Return where the colon before the value stands: the first one outside of quotation marks."""
    first = line.find(":")
    index, quotation = first, line.find('"')
    while 0 <= quotation < index:
        end = line.find('"', quotation + 1)
        if end < 0:
            return first  # it never ends, and so is none
        index, quotation = line.find(":", end), line.find('"', end + 1)
    return index


def _decode_quoted(value: str, charset: str) -> str:
    data = quopri.decodestring(value.encode())
    for encoding in (charset, "utf-8"):
        if _ENCODING.fullmatch(encoding):
            try:
                return data.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    return data.decode("cp1252", "replace")


def _split_unescaped(value: str, separator: str) -> list[str]:
    parts, begin, is_escaped = [], 0, False
    for index, character in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif character == separator:
            parts.append(value[begin:index])
            begin = index + 1
    return [*parts, value[begin:]]


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
