"""Another program's data, as it is read for import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from menshen.core.moving_in import AccountToImport, AppToImport, ImportResult, SessionToImport


class SourceBroken(Exception):
    """The source cannot be taken in any further; what it gave before is good. One sentence, fit to show."""


class ImportSource(Protocol):
    """Another program's data. Each call reads it from its beginning; both raise SourceBroken."""

    def people(self) -> Iterator[AppToImport | AccountToImport | ImportResult]:
        """Apps and accounts in any order, and what of them cannot come in."""
        ...

    def sessions(self) -> Iterator[SessionToImport | ImportResult]:
        """Live logins, and what of them cannot come in."""
        ...
