"""Read a file, plain or gzipped, through a window that moves over its bytes and counts lines.

Must not know the meaning of the bytes. Memory is bounded for any content.
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
"""The longest statement or row: MySQL's own default limit."""

_GZIP: Final = b"\x1f\x8b"


class DamagedError(Exception):
    """Report that the file cannot be unpacked any further, and why."""


class DumpError(SourceBroken):
    """Report that the dump cannot be read from `line` on, or (None) as a whole. The sentence quotes nothing."""

    def __init__(self, line: int | None, why: str) -> None:
        """Take place and reason."""
        super().__init__(why if line is None else f"line {line}: {why}")
        self.line = line


def chunks(file: RawIOBase, progress: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the bytes of a plain or gzipped file. `progress` gets the number of the file's own bytes of each read.

    Raises:
        DamagedError: the gzip stream is damaged, or ends too early. All bytes before that place were yielded.
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
                # A file may hold several streams, one after the other. Zeros after the last are padding.
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
    """Hold a part of the source: `buffer` from `pos` on is not processed yet, and begins in line `line`."""

    def __init__(self, source: Iterator[bytes]) -> None:
        """Take the source, which may raise DamagedError."""
        self._source = source
        self._ended = False
        self._damage = ""
        self.buffer = b""
        self.pos = 0
        self.line = 1

    def more(self) -> bool:
        """Read at least as many bytes as are unprocessed, so that repeated attempts cost linear time in all.

        Return false at the end.

        Raises:
            DumpError: more than `LONGEST` bytes are unprocessed; or the source is damaged, and all bytes
                before that place are in the buffer.
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
        """Read until `count` unprocessed bytes are in the buffer, or the source ends."""
        while len(self.buffer) - self.pos < count and not self._ended:
            self.more()

    def take(self, end: int) -> None:
        """Mark everything before `end` as processed."""
        self.line += self.buffer.count(b"\n", self.pos, end)
        self.pos = end

    def begins(self, mark: bytes | tuple[bytes, ...]) -> bool:
        """Check if the unprocessed bytes begin with `mark`, or with one of several."""
        return self.buffer.startswith(mark, self.pos)

    def take_through(self, mark: bytes) -> bool:
        """Skip everything up to and including `mark`, at any distance. Return false if it never comes."""
        while (found := self.buffer.find(mark, self.pos)) < 0:
            self.take(max(self.pos, len(self.buffer) - len(mark) + 1))
            if not self.more():
                self.take(len(self.buffer))
                return False
        self.take(found + len(mark))
        return True
