"""Find the first name in a contact's name, where it is plain which word that is.

A wrong name in a greeting is worse than none, so whatever is unclear has no first name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from threads.folding import fold_text, is_blank


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TITLES = _words("""
    mr mrs ms miss mx mister dr doctor prof professor sir madam ma'am dame lord lady rev reverend
    hon capt captain sgt lt col herr frau fräulein hr fr med drmed dipl-ing mag ing monsieur madame
    mademoiselle mme mlle sr sra srta señor señora señorita don doña dona dra dom sig sigra signor
    signora signorina dott dottssa avv dhr mevr mevrouw meneer mw pan pani fru shri smt
    """)
_DOTTED_TITLES = frozenset(["m.", "d."])  # without the dot these are mere initials
# Of the titles these are first names, too, where nothing else stands beside them.
_ALSO_NAMES = frozenset(["don", "dom", "pan"])
_SUFFIXES = _words("jr sr ii iii iv md phd dds dmd esq esquire mba")
# Shorter ones are also last names: Kim Do, Jack Ma. As a part of their own, in capitals, they
# are degrees.
_DEGREES = _words("DO OD DVM RN NP PA CPA MSC BSC MA BA JD LLM")
_COMPANY_WORDS = _words("""
    inc incorporated llc llp pllc plc ltd limited gmbh ggmbh sarl srl spa pty pvt corp corporation
    """)
_LAST_COMPANY_WORDS = _words("""
    group gruppe co company holding holdings enterprises associates ohg family familie familia
    famille
    """)
# In other letters these would be names, such as Maria Sa.
_COMPANY_LETTERS = _words("AG AB AS SA SE KG UG NV BV LP KK EV")
_OPENERS = _words("the family familie fam familia famille firma")
_JOINTS = _words("& + / and und et")
_PARTICLES = _words("van von vom zu zum de del della di da das do dos du der den ter la le")
_LAST_NAME_OPENERS = _PARTICLES | {"st", "mc", "mac", "el", "al", "bin", "ben", "san", "santa"}
_LONGEST_FIRST_NAMES = 3  # words behind a comma

_QUOTED = r"\"[^\"]*\"?|“[^”]*”?|„[^“”]*[“”]?|«[^»]*»?|(?<!\S)['‘][^'’]+['’](?!\S)"
_IN_BRACKETS = re.compile(rf"[(\[{{<（][^)\]}}>）]*[)\]}}>）]?|{_QUOTED}")
_REMARK = re.compile(r"(?<=\S)(?:\s+[-–—~*]+\s|\s*[|:;•·]).*", re.DOTALL)


def read_first_name(name: str, company: str = "") -> str:
    """Return the word of the name by which to address somebody; empty where that is unclear.

    Titles are skipped, and "Tran, Linh" is read from behind. There is none of companies, couples
    and families, nor where the name has nothing but a title and a last name, or initials.
    """
    plain = "".join(" " if _is_symbol(c) else c for c in name).strip()
    if _IN_BRACKETS.match(plain):
        return ""
    plain = _REMARK.sub("", _IN_BRACKETS.sub(" ", plain)).strip()
    words = [word for word in plain.replace(",", " ").split() if _is_word(word)]
    if not words or _is_nobody(words, company):
        return ""
    if len(words) == 1:
        return _pick(_drop_titles(words))
    parts = [_drop_suffixes(_drop_titles(_split(part))) for part in plain.split(",")]
    given = [part for part in parts if part]
    if len(given) == 2 and _are_turned(*given):
        return _pick(given[1])
    # One word that is left of several is a last name.
    return _pick(given[0]) if len(given) == 1 and len(given[0]) > 1 else ""


def _split(part: str) -> list[str]:
    return [word for word in part.split() if _is_word(word)]


def _pick(words: Sequence[str]) -> str:
    """Return the first word, unless it is missing, an initial, an unknown title or no name."""
    if not words:
        return ""
    word, core = words[0], _core(words[0])
    if "@" in word or not any(c.isalpha() for c in core):
        return ""
    if len(words) > 1:
        is_initial = len(core) == 1 and unicodedata.name(core, "").startswith("LATIN")
        if is_initial or "." in word or core in _PARTICLES or any(map(str.isdigit, core)):
            return ""
    return core


def _is_nobody(words: Sequence[str], company: str) -> bool:
    """Return True for the name of a company, a couple or a family."""
    if _is_of_company(words, company):
        return True
    plain = [_plain(word) for word in words]
    if any(word in _JOINTS or "/" in word for word in map(str.lower, words)):
        return True
    if len(words) == 1:
        return False
    return (
        plain[0] in _OPENERS
        or plain[-1] in _LAST_COMPANY_WORDS
        or words[-1].replace(".", "") in _COMPANY_LETTERS
        or any(word in _COMPANY_WORDS for word in plain)
    )


def _is_of_company(words: Sequence[str], company: str) -> bool:
    """Return True if name and company are the same, or one of them goes on behind the other.

    A name of one word may be a first name that the company has, too: "Maria" of "Maria's Nails".
    """
    named = [_plain(word) for word in company.replace(",", " ").split() if _is_word(word)]
    while len(named) > 1 and named[-1] in _COMPANY_WORDS | _LAST_COMPANY_WORDS:
        named.pop()
    common = min(len(words), len(named))
    is_same = [_plain(word) for word in words[:common]] == named[:common]
    return common > 0 and is_same and (common > 1 or len(named) == 1)


def _are_turned(last: Sequence[str], first: Sequence[str]) -> bool:
    """Return True for "de la Cruz, Maria", and False where a remark may stand behind the comma."""
    if any(_plain(word) not in _LAST_NAME_OPENERS for word in last[:-1]):
        return False
    is_remark = first[0][0].islower() and not last[-1][0].islower()
    has_digits = any(c.isdigit() for word in first for c in word)
    return len(first) <= _LONGEST_FIRST_NAMES and not is_remark and not has_digits


def _drop_titles(words: list[str]) -> list[str]:
    if len(words) == 1 and _plain(words[0]) in _ALSO_NAMES:
        return words
    count = 0
    while count < len(words) and _is_title(words[count]):
        count += 1
    return words[count:]


def _is_title(word: str) -> bool:
    return word.lower() in _DOTTED_TITLES or _plain(word) in _FOLDED_TITLES


def _drop_suffixes(words: list[str]) -> list[str]:
    if words and all(word.replace(".", "") in _DEGREES for word in words):
        return []
    end = len(words)
    while end and _plain(words[end - 1]) in _SUFFIXES:
        end -= 1
    return words[:end]


def _is_symbol(character: str) -> bool:
    """Return True for emoji and what belongs to them."""
    is_skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return is_skin_tone or character == "\ufe0f" or unicodedata.category(character) == "So"


def _is_word(word: str) -> bool:
    return bool(_core(word)) or word in _JOINTS


def _core(word: str) -> str:
    """Return the word without the punctuation around it."""
    kept = [at for at, c in enumerate(word) if unicodedata.category(c)[0] in "LMN"]
    kept = [at for at in kept if not is_blank(word[at])]
    return word[kept[0] : kept[-1] + 1] if kept else ""


def _plain(word: str) -> str:
    """Return the word folded, without dots and the punctuation around it."""
    return fold_text(_core(word)).replace(".", "")


_FOLDED_TITLES = frozenset(map(_plain, _TITLES))
