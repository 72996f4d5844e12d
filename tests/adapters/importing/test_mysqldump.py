"""The dump as a stream of rows: spellings, what is skipped, cuts, damage, memory. No store is near."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menshen.adapters.importing.mysqldump.lexing import AHEAD
from menshen.adapters.importing.mysqldump.reader import Row, Table, read_rows
from menshen.adapters.importing.mysqldump.window import CHUNK, LONGEST, DumpError, chunks
from tests.adapters.importing import writing
from tests.adapters.importing.writing import HEAD, TAIL, create, insert

WANTED = {"t": {"id", "a", "b"}}
MADE = create("t", ["id", "a", "b"])


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


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        (r"'it\'s'", "it's"),
        ("'it''s'", "it's"),
        ("''''", "'"),
        ("''", ""),
        (r"'\\'", "\\"),
        (r"'\\\''", "\\'"),
        (r"'a\0b'", "a\0b"),
        (r"'\n\r\t\b\Z'", "\n\r\t\b\x1a"),
        (r"'\%\_'", r"\%\_"),
        (r"'\q\"'", 'q"'),
        ("'raw\nline'", "raw\nline"),
        ("'a,b),(c;--'", "a,b),(c;--"),
        ("'门神😀'", "门神😀"),
        ("NULL", None),
        ("null", None),
        ("'NULL'", "NULL"),
        ("0", "0"),
        ("007", "007"),
        ("-12.50", "-12.50"),
        ("1e+10", "1e+10"),
        ("0x4a6f", "Jo"),
        ("0x0A", "\n"),
        ("0xA", "\n"),
        ("x'4A'", "J"),
        ("X''", ""),
        ("b'101'", "5"),
        ("_binary 'x\\'y'", "x'y"),
        ("_utf8mb4'x'", "x"),
        ("_utf8mb4 0x4a", "J"),
        ("N'x'", "x"),
    ],
)
def test_a_value(spelt: str, meant: str | None) -> None:
    assert values(MADE + f"INSERT INTO t VALUES (1,{spelt},'end');") == [["1", meant, "end"]]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32),
            st.one_of(st.none(), st.text(st.characters(codec="utf-8"))),
            st.text(st.sampled_from("'\\\"`;,()-#/*\n\0\x1aab门 ")),
            st.sampled_from(writing.SPELLINGS),
        ),
        min_size=1,
    )
)
def test_whatever_is_written_is_read(rows: list[tuple[int, str | None, str, Any]]) -> None:
    spelt = [[str(number), "NULL" if a is None else how(a), how(b)] for number, a, b, how in rows]
    noise = insert("other", [[how(b), how(a or ""), "1"] for _, a, b, how in rows])
    text = HEAD + noise + MADE + noise + insert("t", spelt) + noise + TAIL
    assert values(text) == [[str(number), a, b] for number, a, b, _ in rows]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_rubbish_is_refused_or_holds_no_row(rubbish: bytes) -> None:
    rows, error = read_or_refuse(MADE.encode() + rubbish)
    assert rows == []
    assert error is None or error.line is not None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_byte_raises_nothing_but_a_refusal(data: st.DataObject) -> None:
    whole = (HEAD + MADE + insert("t", [["1", "'a\\'b'", "NULL"], ["2", "0x41", "'c'"]]) + TAIL).encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    _, error = read_or_refuse(changed)
    assert error is None or str(error).startswith("line ")


# --- statements -------------------------------------------------------------------------------------------------------

COMMENTED = (
    "CREATE TABLE t (`id` enum('a,b','(c') DEFAULT 'x''),', `a` decimal(10,2), -- a; comment, it's\n"
    " `b` int /* , `c` int */);"
)
KEYED = (
    "CREATE TABLE t (`id` int, `key` int, `a` int, PRIMARY KEY (`id`),"
    " CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `o` (`i`), `b` int);"
)
TRIGGER = "DELIMITER $\nCREATE TRIGGER x BEGIN SET a = 'x;'; INSERT INTO t VALUES (9,'9','9'); END $\nDELIMITER ;\n"


@pytest.mark.parametrize(
    "text",
    [
        MADE + "INSERT INTO `t` VALUES (1,'x','y');",
        MADE + "insert into t values (1,'x','y') ;",
        MADE + "INSERT IGNORE INTO `shop`.`t` VALUES\n(1 , 'x',\n'y')\n;\n",
        MADE + "REPLACE INTO `t` VALUES(1,'x','y');",
        MADE + "/*!40000 ALTER TABLE `t` DISABLE KEYS */;INSERT INTO `t` VALUES (1,'x','y');",
        "INSERT INTO `t` (`b`, `id`, `a`) VALUES ('y',1,'x');",
        MADE + 'INSERT INTO "t" ("a","id","b") VALUES (\'x\',1,\'y\');',
        "CREATE TABLE IF NOT EXISTS shop.t (id int, a text, KEY (a), b text)\n;INSERT INTO t VALUES (1,'x','y');",
        COMMENTED + "INSERT INTO t VALUES (1,'x','y');",
        KEYED + "INSERT INTO t VALUES (1,'no','x','y');",
        MADE + "# it's\n-- it's\n--\n/* it's */INSERT INTO `t` VALUES (1,'x','y');# it's",
        MADE + "UPDATE o SET a = 5---3, b = '--' -- it's\n; INSERT INTO `t` VALUES (1,'x','y');",
        MADE + TRIGGER.replace("$", ";;") + "INSERT INTO `t` VALUES (1,'x','y');",
        MADE + TRIGGER.replace("$", "$$") + "INSERT INTO `t` VALUES (1,'x','y');",
        "/*M!999999\\- enable the sandbox mode */ \n" + MADE + "INSERT INTO `t` VALUES (1,'x','y');",
        "\ufeff" + "CREATE TABLE u (a int);\n" + MADE + "INSERT INTO `t` VALUES (1,'x','y');",
    ],
)  # fmt: skip
def test_the_row_is_found(text: str) -> None:
    (row,) = read(text)
    assert row.values == {"id": "1", "a": "x", "b": "y"}


def test_what_only_looks_like_a_statement_is_none() -> None:
    evil = "'); INSERT INTO `t` VALUES (9,'9','9');\nINSERT INTO `t` VALUES (9,'9','9');"
    text = (
        MADE
        + insert("other", [[writing.quoted(evil), writing.doubled(evil)]])
        + f"-- INSERT INTO t VALUES (9,'9','9');\n/* {evil} */ SET @a = \"{evil}\"; SET @`{evil}` = 1;\n"
        + insert("t", [["1", writing.quoted(evil), "NULL"]])
    )
    assert values(text) == [["1", evil, None]]


def test_lines_are_counted() -> None:
    text = (
        "\n\n"
        + MADE
        + "INSERT INTO t VALUES\n(1,'two\nlines',NULL),\n(2,'\\n',NULL);\n\nINSERT INTO t VALUES (3,'','');"
    )
    first = MADE.count("\n") + 4
    assert [row.line for row in read(text)] == [first, first + 2, first + 4]


def test_columns_are_told_before_rows() -> None:
    found = list(read_rows(stream((MADE + "INSERT INTO t (b) VALUES ('y');").encode()), WANTED))
    assert [f.columns if isinstance(f, Table) else f.values for f in found] == [("id", "a", "b"), ("b",), {"b": "y"}]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\nINSERT INTO `t` VALUES (1,'x','y');", 2, "before its CREATE TABLE"),
        (MADE + "INSERT INTO `t` VALUES (1,'x');", None, "another shape"),
        (MADE + "INSERT INTO `t` VALUES (1,'x','y','z');", None, "another shape"),
        (MADE + "INSERT INTO `t` VALUES (1,NOW(),'y');", None, "another shape"),
        (MADE + "INSERT INTO `t` SELECT * FROM o;", None, "do not begin with VALUES"),
        (MADE + MADE, None, "here twice"),
        (MADE + "/*!40101 SET NAMES gbk */;", None, "not in UTF-8"),
        ((MADE + "INSERT INTO `t` VALUES (1,'").encode() + b"\xc4\xe3','y');", None, "not UTF-8"),
        (MADE + "INSERT INTO `other` VALUES ('", None, "quoted text"),
        (MADE + "INSERT INTO `other` VALUES (1)", None, "middle of a statement"),
        ("CREATE TABLE t (id int", 1, "middle of this statement"),
        (HEAD + MADE, None, "Dump completed"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str | bytes, line: int | None, says: str) -> None:
    _, error = refusal(text)
    assert says in str(error)
    if line is not None:
        assert error.line == line


def test_a_refusal_quotes_nothing() -> None:
    secret = "d6b8a1b9c4"
    for text in (f"(1,'{secret}'", f"(1,'{secret}','{secret}','{secret}');", f"(1,{secret}(),2);"):
        _, error = refusal(MADE + "INSERT INTO `t` VALUES " + text)
        assert secret not in str(error)


# --- cut and damaged --------------------------------------------------------------------------------------------------

SMALL = (
    HEAD + MADE + insert("other", [["'a;b'", "'\\''"]]) + insert("t", [["1", "'a\\'b'", "NULL"], ["2", "'门'", "'c'"]])
    + "/*!50003 CREATE TRIGGER `x` SET a = 'b' */;\n" + insert("t", [["3", "0x4142", "'d'"]]) + TAIL
).encode()  # fmt: skip


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


# --- size -------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "columns",
    [
        '`id` int, `a` varchar(3) DEFAULT "", `b` varchar(3) DEFAULT "x"',
        '`id` int, `a` varchar(3) DEFAULT "a\\"b,", `b` int COMMENT "it\'s"',
        "`id` int DEFAULT '', `a` int COMMENT '', `b` int",
        '"id" int, "a" int COMMENT """", "b" int',
    ],
)
def test_texts_of_any_quote_may_stand_among_columns(columns: str) -> None:
    assert values(f"CREATE TABLE t ({columns}); INSERT INTO t VALUES (1,'x','y');") == [["1", "x", "y"]]


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


def test_a_table_without_columns_has_no_rows() -> None:
    for rows in ("VALUES (1)", "() VALUES (1)", "() VALUES (,"):
        _, error = refusal("CREATE TABLE t (PRIMARY KEY (id)); INSERT INTO t " + rows + ";")
        assert "no columns" in str(error)
