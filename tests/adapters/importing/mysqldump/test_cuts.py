"""Check that a cut or damaged dump keeps the rows before the damage and names its line."""

from __future__ import annotations

import gzip

import pytest

from menshen.adapters.importing.mysqldump.lexing import AHEAD
from menshen.adapters.importing.mysqldump.reader import Row, read_rows
from menshen.adapters.importing.mysqldump.window import CHUNK
from tests.adapters.importing.mysqldump.reading import MADE, SMALL, WANTED, read, refusal
from tests.adapters.importing.writing import HEAD, TAIL, insert


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_anywhere_keeps_what_came_before_and_says_so(packed: bool) -> None:
    whole = gzip.compress(SMALL) if packed else SMALL
    assert [row.values["id"] for row in read(whole)] == ["1", "2", "3"]
    # A plain dump that ends before its first line is told to be a dump, or in the middle of its last, shows no cut.
    first, last = (1, len(whole)) if packed else (len("-- MySQL dump "), whole.index(TAIL.encode()))
    for place in range(first, last):
        seen, error = refusal(whole[:place])
        assert seen == ["1", "2", "3"][: len(seen)]
        assert error.line is not None
        assert error.line <= SMALL.count(b"\n") + 1


def test_a_cut_unsigned_dump_is_told_too() -> None:
    """--compact leaves out the head and the last line."""
    text = MADE + insert("t", [["1", "'a'", "'b'"], ["2", "'c'", "'d'"]])
    seen, error = refusal(text[:-6])
    assert seen == ["1"]
    assert error.line == text.count("\n")


def test_damage_inside_a_gzip_stream_keeps_what_came_before() -> None:
    rows = [[str(number), f"'{number * 7919 % 10007}'", "'x'"] for number in range(60_000)]
    packed = bytearray(gzip.compress((HEAD + MADE + insert("t", rows) + TAIL).encode()))
    packed[len(packed) // 2] ^= 0xFF
    seen, error = refusal(bytes(packed))
    # Until the unpacker notices, what it gives may be wrong; the first quarter cannot be.
    assert seen[:10_000] == [str(number) for number in range(10_000)]
    assert error.line is not None


def test_gzip_streams_behind_each_other_are_one_file() -> None:
    half = len(SMALL) // 2
    packed = gzip.compress(SMALL[:half]) + gzip.compress(SMALL[half:]) + b"\0" * 512
    assert [row.values["id"] for row in read(packed)] == ["1", "2", "3"]


def test_a_text_may_end_at_any_edge_of_a_chunk() -> None:
    """The tricky piece lies beyond what is in sight when its statement begins, and is split at each of its bytes."""
    tricky = r"(2,'it''s \\','\'),(9'),(3,NULL,'--/*;'),"
    before = MADE + f"INSERT INTO t VALUES (1,'{'x' * (AHEAD + CHUNK)}',NULL),"
    whole = (before + tricky + "(4,'','');" + insert("other", [[r"'a\\''b\''"]] * 3)).encode()
    start = len(before.encode())
    for place in range(start, start + len(tricky)):
        rows = [r for r in read_rows(iter([whole[:place], whole[place:]]), WANTED) if isinstance(r, Row)]
        assert [list(r.values.values()) for r in rows[1:]] == [
            ["2", "it's \\", "'),(9"],
            ["3", None, "--/*;"],
            ["4", "", ""],
        ]


def test_skipping_may_meet_the_edge_of_a_chunk_anywhere() -> None:
    tricky = "'it''s \\\\ ' -- it's\n, \"a\\\"'\" , `'` /* it's */ , 5-3 # it's\n, '/*' ; /*!40101 SET a='*' */;"
    before = MADE + f"INSERT INTO other VALUES ('{'x' * (AHEAD + CHUNK)}',"
    whole = (before + tricky + insert("t", [["1", "'a'", "'b'"]])).encode()
    for place in range(len(before.encode()), len(before.encode()) + len(tricky)):
        rows = [r for r in read_rows(iter([whole[:place], whole[place:]]), WANTED) if isinstance(r, Row)]
        assert [r.values["id"] for r in rows] == ["1"]
