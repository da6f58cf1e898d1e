"""The demo's believable past, and the word that opens it to everybody."""

PASSWORD = "partyline"  # noqa: S105  printed on purpose; the demo listens on loopback only
