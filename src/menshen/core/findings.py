"""Define how to say what is wrong with settings: a sentence for each place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Say whether a server starts with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one sentence about `key`: `[section] key` or `app NAME`. In a plug-in's own settings it is the key alone."""

    severity: Severity
    key: str
    text: str

    def __str__(self) -> str:
        """Give it as it is printed."""
        return f"{self.key}: {self.text}"


def error(key: str, text: str) -> Finding:
    """Make a finding that refuses the start."""
    return Finding(Severity.ERROR, key, text)


def warning(key: str, text: str) -> Finding:
    """Make a finding that is reported and served with."""
    return Finding(Severity.WARNING, key, text)
