"""Read another program's data for an import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from menshen.core.moving_in import AccountToImport, AppToImport, ImportResult, SessionToImport


class SourceBroken(Exception):
    """Report that the source cannot be read any further. All records before are valid. The text is one sentence."""


class ImportSource(Protocol):
    """Read another program's data. Each call reads it from its beginning, and both raise SourceBroken."""

    def people(self) -> Iterator[AppToImport | AccountToImport | ImportResult]:
        """Yield apps and accounts in any order, and the refused ones as results."""
        ...

    def sessions(self) -> Iterator[SessionToImport | ImportResult]:
        """Yield live sessions, and the refused ones as results."""
        ...
