"""The words that both screens show, so that a person can see that they belong together."""

from __future__ import annotations

import secrets

# Short, common, easily told apart when read aloud, and harmless together with any number.
_LISTED = """
anchor apple arrow autumn bamboo banjo barrel beach berry bird boat bridge butter cactus camel
candle canyon carpet castle cherry circle cloud clover coffee copper coral cotton cricket dragon
eagle ember engine falcon feather fern forest garden ginger glacier guitar hammer harbor hazel
helmet honey island ivory jacket jungle kettle ladder lantern lemon lion maple marble meadow melon
mirror mountain mustard needle nickel ocean olive orange orchid otter paper parrot pebble pencil
pepper piano pigeon planet pocket prairie pumpkin puzzle rabbit ribbon river rocket saddle salmon
saturn shell silver spider spring star summer sunset thunder tiger timber tulip tunnel turtle
valley velvet violin walnut whale willow window winter yellow zebra
"""
WORDS = _LISTED.split()


def choose_words() -> str:
    """Return a number of two digits and a word, like `42 lemon`: one of about ten thousand."""
    return f"{secrets.randbelow(90) + 10} {secrets.choice(WORDS)}"
