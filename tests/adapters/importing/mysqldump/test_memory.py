"""Check that no dump takes more memory or time than its share."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from menshen.adapters.importing.mysqldump.reader import Row, read_rows
from menshen.adapters.importing.mysqldump.window import CHUNK, LONGEST, DumpError
from tests.adapters.importing import writing
from tests.adapters.importing.mysqldump.reading import MADE, SMALL, WANTED, read, values
from tests.adapters.importing.writing import HEAD, TAIL, insert


def big(megabytes: int) -> Iterator[bytes]:
    """Mostly other tables, one with texts longer than anything that is looked at whole."""
    yield (HEAD + MADE).encode()
    rows = insert("t", [[str(n), "'a\\'b'", "'门神'"] for n in range(4000)]).encode()
    other = insert("other", [["'a\\'b;'", "NULL", "-5"]] * 20_000).encode()
    written = 0
    while written < megabytes * 10**6:
        yield rows
        yield other
        yield other
        written += len(rows) + 2 * len(other)
    yield b"INSERT INTO other VALUES ('"
    for _ in range(2 * LONGEST // 10**6):
        yield b"long \\' text" * 90_000
    yield b"');" + TAIL.encode()


def test_memory_is_flat() -> None:
    tracemalloc.start()
    try:
        count = sum(isinstance(found, Row) for found in read_rows(big(40), WANTED))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 40_000
    assert peak < 12 * 10**6


@pytest.mark.parametrize("spelt", [writing.quoted, writing.doubled])
def test_a_text_of_nothing_but_escapes_is_read_whole(spelt: Any) -> None:
    """Wherever it stands: what a pattern remembers of each escape must not add up."""
    long = "'" * 100_000
    text = (
        insert("other", [[spelt(long), f'"{"x" * 5}{chr(92) * 200_000}"']])
        + f"CREATE TABLE t (id int, a text DEFAULT {spelt(long)}, b text);"
        + insert("t", [["1", spelt(long), spelt(long[:5000])], ["2", writing.introduced(long), "NULL"]])
    )
    tracemalloc.start()
    try:
        read_values = values(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read_values == [["1", long, long[:5000]], ["2", long, None]]
    assert peak < 12 * 10**6


def test_a_row_without_end_is_refused_before_it_fills_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield (MADE + "INSERT INTO t VALUES (1,'").encode()
        while True:
            yield b"x" * CHUNK

    with pytest.raises(DumpError):
        list(read_rows(endless(), WANTED))


def test_a_gzip_bomb_is_unpacked_piece_by_piece() -> None:
    bomb = gzip.compress(b"-- " + b"x" * 50_000_000 + b"\n" + SMALL)
    tracemalloc.start()
    try:
        assert len(read(bomb)) == 3
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * 10**6


@pytest.mark.parametrize("mark", ["'", '"', "`"])
def test_quotes_without_end_are_read_once(mark: str) -> None:
    """Whatever they stand in: a megabyte of them would take hours if each were a beginning."""
    many = mark * 1_000_000
    assert values(f"CREATE TABLE t (id int, a text DEFAULT {many}, b int); INSERT INTO t VALUES (1,'x','y');")
    if mark != "'":
        assert values(MADE + f"INSERT INTO t (id, {many[:30_000]}, b) VALUES (1,'x','y');") == [["1", "y"]]


def test_many_texts_of_many_escapes_are_passed_over_in_little_memory() -> None:
    text = insert("other", [[writing.quoted("\n" * 1000)] * 20] * 100) + MADE + insert("t", [["1", "'a'", "'b'"]])
    tracemalloc.start()
    try:
        assert len(read(text)) == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(text)
