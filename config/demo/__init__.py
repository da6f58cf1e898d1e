"""The demo's history and its password."""

PASSWORD = "partyline"  # noqa: S105  printed on purpose; the demo listens on loopback only
