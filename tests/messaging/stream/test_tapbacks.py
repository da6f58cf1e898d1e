"""A tapback is read in each documented language; what people write themselves is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.stream.keywords import find_keyword
from messaging.stream.tapbacks import (
    _PATTERNS,
    Tapback,
    comparison_key,
    describe_sign,
    read_tapback,
)

HAIR, SPACE, JOINER = "\u200a", "\u200b", "\u200c"

# The text, its sign, what it quotes, and whether it takes the sign back.
CORPUS = [
    # English, iPhone
    ("Loved “See you at 5”", "❤️", "See you at 5", False),
    ("Liked “See you at 5”", "👍", "See you at 5", False),
    ("Disliked “See you at 5”", "👎", "See you at 5", False),
    ("Laughed at “See you at 5”", "😂", "See you at 5", False),
    ("Emphasized “See you at 5”", "‼️", "See you at 5", False),
    ("Emphasised “See you at 5”", "‼️", "See you at 5", False),
    ("Questioned “See you at 5”", "❓", "See you at 5", False),
    ("Reacted 🎉 to “See you at 5”", "🎉", "See you at 5", False),
    ("Reacted 👩🏽‍💻 to “See you at 5”", "👩🏽‍💻", "See you at 5", False),
    ("Reacted ❤ to “See you at 5”", "❤️", "See you at 5", False),
    ("Removed a heart from “See you at 5”", "❤️", "See you at 5", True),
    ("Removed a like from “See you at 5”", "👍", "See you at 5", True),
    ("Removed a dislike from “See you at 5”", "👎", "See you at 5", True),
    ("Removed a laugh from “See you at 5”", "😂", "See you at 5", True),
    ("Removed an exclamation from “See you at 5”", "‼️", "See you at 5", True),
    ("Removed a question mark from “See you at 5”", "❓", "See you at 5", True),
    ("Removed 🎉 from “See you at 5”", "🎉", "See you at 5", True),
    # As carriers rewrite the quotes
    ('Liked "See you at 5"', "👍", "See you at 5", False),
    ('Removed a like from "See you at 5"', "👍", "See you at 5", True),
    ("Liked “He said “ok” to me”", "👍", "He said “ok” to me", False),
    ("Liked “One line\nand another”", "👍", "One line\nand another", False),
    # English, Google Messages
    (f"{HAIR}Reacted {SPACE}👍{SPACE} to {HAIR}See you{HAIR}{HAIR}", "👍", "See you", False),
    (f"{HAIR}Removed {JOINER}👍{JOINER} from {HAIR}See you{HAIR}{HAIR}", "👍", "See you", True),
    ("👍 to “See you at 5”", "👍", "See you at 5", False),
    # French
    ("A adoré « à demain »", "❤️", "à demain", False),
    ("A aimé « à demain »", "👍", "à demain", False),
    ("N’a pas aimé « bof »", "👎", "bof", False),
    ("A ri de « trop drôle »", "😂", "trop drôle", False),
    ("A souligné « RDV 18h »", "‼️", "RDV 18h", False),
    ("A réagi 😂 à « Eh beh »", "😂", "Eh beh", False),
    ("A réagi avec 🔥 à « la photo »", "🔥", "la photo", False),
    ("a attribué la mention « Adore » à « à demain »", "❤️", "à demain", False),
    ("A attribué la mention « J’aime » à « ok »", "👍", "ok", False),
    ("a attribué la mention « Je n’aime pas » à « ok »", "👎", "ok", False),
    ("a attribué la mention « J’adore » à « ok »", "❤️", "ok", False),
    ("a attribué la mention « Aime » à « ok »", "👍", "ok", False),
    ("a attribué la mention « N’aime pas » à « ok »", "👎", "ok", False),
    ("a attribué la mention « Rires » à « ok »", "😂", "ok", False),
    ("a attribué la mention « 😂 » à « lol »", "😂", "lol", False),
    ("👍 à « lol »", "👍", "lol", False),
    ("A retiré la réaction 😂 à « Eh beh »", "😂", "Eh beh", True),
    ("A retiré la réaction 😂 de « Eh beh »", "😂", "Eh beh", True),
    ("A retiré la mention « Adore » de « ok »", "❤️", "ok", True),
    ("A retiré la mention « J’aime » de « ok »", "👍", "ok", True),
    (f'{HAIR}{SPACE}👍{SPACE} à "{HAIR}J\'ai le code{HAIR}"{HAIR}', "👍", "J'ai le code", False),
    # Spanish
    ("Le encantó “hola”", "❤️", "hola", False),
    ("Le encanta “hola”", "❤️", "hola", False),
    ("Le gustó “nos vemos”", "👍", "nos vemos", False),
    ("Le gusta “nos vemos”", "👍", "nos vemos", False),
    ("Le dio risa “hola”", "😂", "hola", False),
    ("Exclamó por “hola”", "‼️", "hola", False),
    ("Dudó sobre “hola”", "❓", "hola", False),
    ("Reaccionó con 😂 a “hola”", "😂", "hola", False),
    # Norwegian
    ("Satte et hjerte ved “Hei”", "❤️", "Hei", False),
    ("Likte “Hei”", "👍", "Hei", False),
    ("Mislikte “Hei”", "👎", "Hei", False),
    ("Lo av “Hei”", "😂", "Hei", False),
    ("Satte utropstegn ved “Hei”", "‼️", "Hei", False),
    ("Satte spørsmålstegn ved “Hei”", "❓", "Hei", False),
    ("Reagerte med 🎉 på “Hei”", "🎉", "Hei", False),
    ("Fjernet et hjerte fra “Hei”", "❤️", "Hei", True),
    ("Liker ikke lenger “Hei”", "👍", "Hei", True),
    ("Misliker ikke lenger “Hei”", "👎", "Hei", True),
    ("Fjernet latter fra “Hei”", "😂", "Hei", True),
    ("Fjernet et utropstegn fra “Hei”", "‼️", "Hei", True),
    ("Fjernet et spørsmålstegn fra “Hei”", "❓", "Hei", True),
    ("Fjernet 🎉 fra “Hei”", "🎉", "Hei", True),
    # Bulgarian, Italian, German
    ("Реакция 🎉 към “Здравей”", "🎉", "Здравей", False),
    ("Премахнато 🎉 от “Здравей”", "🎉", "Здравей", True),
    ("Ha aggiunto un cuoricino a “ciao”", "❤️", "ciao", False),
    ("Ha reagito con 🎉 a “ciao”", "🎉", "ciao", False),
    ("Gefällt „Bis morgen“", "👍", "Bis morgen", False),
    ("„Bis morgen“ ein Herz hinzugefügt", "❤️", "Bis morgen", False),
]


@pytest.mark.parametrize(("text", "sign", "quote", "is_removed"), CORPUS)
def test_a_tapback_is_read_in_each_language(
    text: str, sign: str, quote: str, is_removed: bool
) -> None:
    assert read_tapback(text) == Tapback(sign=sign, quote=quote, is_removed=is_removed)
    assert read_tapback(f" {text}\n") == read_tapback(text) or HAIR in text


@pytest.mark.parametrize(
    ("text", "sign", "thing"),
    [
        ("Loved an image", "❤️", "picture"),
        ("Liked a photo", "👍", "picture"),
        ("Laughed at a picture", "😂", "picture"),
        ("Reacted 🎉 to an image", "🎉", "picture"),
        ("Emphasized a movie", "‼️", "file"),
        ("Liked an attachment", "👍", "file"),
        ("Questioned an audio message", "❓", "file"),
        ("Le encantó una imagen", "❤️", "picture"),
        ("a attribué la mention « Adore » à une image", "❤️", "picture"),
    ],
)
def test_a_picture_or_file_is_named_instead_of_quoted(text: str, sign: str, thing: str) -> None:
    tapback = read_tapback(text)
    assert tapback is not None
    assert (tapback.sign, tapback.quote, tapback.thing) == (sign, "", thing)


@pytest.mark.parametrize(
    "text", ["Liked “See you at…”", "Liked “See you at …", 'Liked "See you at..."']
)
def test_a_long_quote_is_cut(text: str) -> None:
    assert read_tapback(text) == Tapback(sign="👍", quote="See you at", is_cut=True)


@pytest.mark.parametrize(
    "text",
    [
        "Liked the offer",
        "I liked “the offer”",
        "Liked “the offer” very much",
        "Liked 'the offer'",
        "Liked “”",
        "Loved",
        "Loved images",
        "Reacted well to “the offer”",
        "Removed me from “the list”",
        "Removed a chair from “the room”",
        "5 to “10”",
        "“See you at 5”",
        "👍",
        "👍 to all of you",
        "",
        "STOP",
        f"{HAIR}{SPACE}Hello{SPACE}{HAIR}there{HAIR}",
        f"Liked “{'x' * 5_000}”",
    ],
)
def test_what_people_write_is_no_tapback(text: str) -> None:
    assert read_tapback(text) is None


def test_every_wording_that_is_known_is_tried_here() -> None:
    texts = [text.replace("’", "'") for text, *_ in CORPUS]
    untried = [
        pattern.pattern
        for pattern, _, _ in _PATTERNS
        if not any(pattern.fullmatch(text) for text in texts)
    ]
    assert untried == []


@given(text=st.text(max_size=200))
def test_any_text_at_all_can_be_read(text: str) -> None:
    read_tapback(text)
    read_tapback(f"Liked “{text}”")
    comparison_key(text)


@pytest.mark.parametrize(("text", "sign", "quote", "is_removed"), CORPUS)
def test_no_tapback_is_a_keyword(text: str, sign: str, quote: str, is_removed: bool) -> None:
    assert find_keyword(text) is None
    assert find_keyword(text.replace(quote, "STOP")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It’s “fine” – see you…", 'It\'s "fine" - see you...'),
        ("See you\nat 5", "See you at 5"),
        ("Café", "cafe\u0301"),
        ("👍 ok", "? ok"),
        ("👍\ufe0f", "👍"),
    ],
)
def test_texts_are_compared_without_what_carriers_change(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other) != ""


def test_the_six_have_names_and_others_are_their_own() -> None:
    assert describe_sign("👍") == "Liked"
    assert describe_sign("🎉") == "🎉"
