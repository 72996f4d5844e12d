"""The clock of one process, moved from outside while it runs: libfaketime before its C library."""

from __future__ import annotations

from pathlib import Path

import pytest


class FakeClock:
    """What processes started with `environ` take for the time of day. Their monotonic clock stays true, as with NTP."""

    def __init__(self, file: Path, says: str = "+0") -> None:
        """Write `says` into `file`: "+3600" is an hour ahead, "+0 x10" runs ten times as fast."""
        self._file = file
        self._library = _library()
        self.set(says)

    def set(self, says: str) -> None:
        """Move it, at once."""
        new = self._file.with_suffix(".new")
        new.write_text(says + "\n")
        new.replace(self._file)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # The times of files are the disk's, and how long something took is nobody's opinion.
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def _library() -> Path:
    # Debian and Ubuntu, then Fedora.
    for place in (*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), Path("/usr/lib64/faketime/libfaketime.so.1")):
        if place.exists():
            return place
    pytest.fail("this test moves the clock of a process and needs libfaketime: install the package libfaketime")
