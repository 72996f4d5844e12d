"""Read dumps in memory, for the tests of the reader. No store is near."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from menshen.adapters.importing.mysqldump.reader import Row, read_rows
from menshen.adapters.importing.mysqldump.window import DumpError, chunks
from tests.adapters.importing.writing import HEAD, TAIL, create, insert

WANTED = {"t": {"id", "a", "b"}}
MADE = create("t", ["id", "a", "b"])

SMALL = (
    HEAD + MADE + insert("other", [["'a;b'", "'\\''"]]) + insert("t", [["1", "'a\\'b'", "NULL"], ["2", "'门'", "'c'"]])
    + "/*!50003 CREATE TRIGGER `x` SET a = 'b' */;\n" + insert("t", [["3", "0x4142", "'d'"]]) + TAIL
).encode()  # fmt: skip


def stream(data: bytes) -> Iterator[bytes]:
    return chunks(io.BytesIO(data), lambda _: None)  # type: ignore[arg-type]


def read(text: str | bytes, wanted: dict[str, Any] = WANTED) -> list[Row]:
    raw = text.encode() if isinstance(text, str) else text
    return [found for found in read_rows(stream(raw), wanted) if isinstance(found, Row)]


def values(text: str | bytes) -> list[list[str | None]]:
    return [list(row.values.values()) for row in read(text)]


def refusal(text: str | bytes, wanted: dict[str, Any] = WANTED) -> tuple[list[str | None], DumpError]:
    """The ids of the rows before it, and why it stopped."""
    raw = text.encode() if isinstance(text, str) else text
    seen: list[str | None] = []
    with pytest.raises(DumpError) as caught:
        seen.extend(found.values["id"] for found in read_rows(stream(raw), wanted) if isinstance(found, Row))
    return seen, caught.value


def read_or_refuse(raw: bytes) -> tuple[list[Row], DumpError | None]:
    try:
        return read(raw), None
    except DumpError as error:
        return [], error
