"""The people that the company knows, and the client that asks about them."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "a password of the company"
CLIENT_ID = "partyline"
CLIENT_SECRET = "a secret of the client, long enough"


@dataclass(frozen=True)
class Person:
    username: str
    email: str
    is_verified: bool = True


PEOPLE = {
    person.username: person
    for person in (
        Person("ana.ruiz", "Ana.Ruiz@example.com"),
        Person("ben.okafor", "ben.okafor@example.com"),
        Person("cho.park", "cho.park@example.com", is_verified=False),
        Person("stranger", "stranger@example.com"),
        Person("admin", "admin@example.com"),
        Person("nobody", ""),
    )
}
