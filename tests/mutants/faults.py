"""Read the faults: a piece of code, what replaces it, and the tests that must notice."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    subject: str
    name: str
    path: str
    sound: str
    faulty: str
    tests: list[str]

    def apply_to(self, source: str) -> str:
        """Return the faulty source. Raise ValueError unless the sound piece is there once."""
        if source.count(self.sound) != 1:
            raise ValueError(f"{self.path} does not have this piece exactly once:\n{self.sound}")
        return source.replace(self.sound, self.faulty)


def read_faults() -> list[Fault]:
    text = Path(__file__).with_name("faults.toml").read_text()
    return [Fault(**fault) for fault in tomllib.loads(text)["fault"]]
