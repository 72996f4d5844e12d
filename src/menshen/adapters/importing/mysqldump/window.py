"""A file's bytes, unpacked when they are gzipped, and a window that moves over them and counts lines.

Not known here: what the bytes say. Memory is bounded whatever the file holds.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import RawIOBase
from typing import Final

from menshen.ports.importing import SourceBroken

CHUNK: Final = 256 * 1024
"""Bytes read, and unpacked, at a time."""

LONGEST: Final = 16 * 1024 * 1024
"""The longest thing that is looked at whole: what MySQL itself takes by default."""

_GZIP: Final = b"\x1f\x8b"


class DamagedError(Exception):
    """The file cannot be unpacked any further: why."""


class DumpError(SourceBroken):
    """The dump cannot be read on from `line`, or (None) as a whole: one sentence, which quotes nothing."""

    def __init__(self, line: int | None, why: str) -> None:
        """Say where and why."""
        super().__init__(why if line is None else f"line {line}: {why}")
        self.line = line


def chunks(file: RawIOBase, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes of a plain or gzipped file; `progress` hears how many of the file's own bytes each read brought.

    Raises:
        DamagedError: the gzip stream is damaged, or ends too early. All that came before has been given.
    """
    data = _read(file, progress)
    if not data.startswith(_GZIP):
        while data:
            yield data
            data = _read(file, progress)
        return
    unpack, begun = zlib.decompressobj(31), False
    while data:
        while True:
            if not begun:
                # Several streams behind each other are one file; zeros behind the last are padding.
                data = data.lstrip(b"\0")
                if not data:
                    break
                begun = True
            try:
                out = unpack.decompress(data, CHUNK)
            except zlib.error:
                raise DamagedError("the gzip stream is damaged here") from None
            if out:
                yield out
            data = unpack.unconsumed_tail
            if unpack.eof:
                data, unpack, begun = unpack.unused_data, zlib.decompressobj(31), False
            elif not data and len(out) < CHUNK:
                break
        data = _read(file, progress)
    if begun:
        raise DamagedError("the file ends in the middle of its gzip stream: it was cut")


def _read(file: RawIOBase, progress: Callable[[int], None]) -> bytes:
    got = file.read(CHUNK) or b""
    progress(len(got))
    return got


class Window:
    """What is in sight: `buffer` from `pos` on has not been taken yet, and begins in line `line`."""

    def __init__(self, source: Iterator[bytes]) -> None:
        """Look at `source`, which may raise DamagedError."""
        self._source = source
        self._ended = False
        self._damage = ""
        self.buffer = b""
        self.pos = 0
        self.line = 1

    def more(self) -> bool:
        """Bring in at least as much as waits already, so that trying again costs no more than once again.

        False at the end.

        Raises:
            DumpError: what waits is longer than anything may be; or the source is damaged, and everything
                before that place is in sight.
        """
        rest = self.buffer[self.pos :]
        if len(rest) > LONGEST:
            raise DumpError(self.line, "what begins here cannot be read")
        parts, want = [rest], max(CHUNK, len(rest))
        while want > 0 and not self._ended:
            try:
                chunk = next(self._source, b"")
            except DamagedError as damage:
                chunk, self._damage = b"", str(damage)
            self._ended = not chunk
            parts.append(chunk)
            want -= len(chunk)
        self.buffer, self.pos = b"".join(parts), 0
        if len(self.buffer) == len(rest) and self._damage:
            raise DumpError(self.line + rest.count(b"\n"), self._damage)
        return len(self.buffer) > len(rest)

    def see(self, count: int) -> None:
        """Have `count` bytes in sight, or all that there are."""
        while len(self.buffer) - self.pos < count and not self._ended:
            self.more()

    def take(self, end: int) -> None:
        """Be done with everything before `end`."""
        self.line += self.buffer.count(b"\n", self.pos, end)
        self.pos = end

    def begins(self, mark: bytes) -> bool:
        """Whether what is in sight begins with `mark`."""
        return self.buffer.startswith(mark, self.pos)

    def take_through(self, mark: bytes) -> bool:
        """Be done with everything up to and with `mark`, however far away; False when it never comes."""
        while (found := self.buffer.find(mark, self.pos)) < 0:
            self.take(max(self.pos, len(self.buffer) - len(mark) + 1))
            if not self.more():
                self.take(len(self.buffer))
                return False
        self.take(found + len(mark))
        return True
