"""Describe what is wrong with settings, with one sentence for each place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Say whether a server starts with the finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one sentence about `key`: `[section] key` or `app NAME`. In settings of a plug-in it is only the key."""

    severity: Severity
    key: str
    text: str

    def __str__(self) -> str:
        """Return the text that is printed."""
        return f"{self.key}: {self.text}"


def error(key: str, text: str) -> Finding:
    """Make a finding that prevents the start of the server."""
    return Finding(Severity.ERROR, key, text)


def warning(key: str, text: str) -> Finding:
    """Make a finding that is reported. The server starts nevertheless."""
    return Finding(Severity.WARNING, key, text)
