"""Check which statements give rows, which are skipped, and which are refused."""

from __future__ import annotations

import pytest

from menshen.adapters.importing.mysqldump.reader import Table, read_rows
from tests.adapters.importing import writing
from tests.adapters.importing.mysqldump.reading import MADE, WANTED, read, refusal, stream, values
from tests.adapters.importing.writing import HEAD, insert

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


TAILS = (
    " ON DUPLICATE KEY UPDATE `a` = VALUES(`a`), `b` = 'x;''y'",
    "\nON DUPLICATE KEY UPDATE a=VALUES(a)",
    " AS new ON DUPLICATE KEY UPDATE a = new.a",
    " as `new`(`m`,`n`,`o`) on duplicate key update b = o",
    " ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a",
    " ON CONFLICT DO NOTHING RETURNING id",
    " RETURNING *",
    " /* it's; */",
    " -- it's;\n",
    " # it's;\n ON DUPLICATE KEY UPDATE a=1",
    " /*!50000 ON DUPLICATE KEY UPDATE a=1 */",
)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("verb", ["INSERT", "INSERT IGNORE", "REPLACE"])
def test_the_tail_of_a_statement_is_read(verb: str, tail: str) -> None:
    """Each row is there, the last one too, and so is the statement behind it."""
    text = MADE + f"{verb} INTO `t` VALUES (1,'x','y'),\n(2,'z',NULL){tail};" + insert("t", [["3", "'v'", "'w'"]])
    assert values(text) == [["1", "x", "y"], ["2", "z", None], ["3", "v", "w"]]
    first = MADE.count("\n") + 1
    assert [row.line for row in read(text)] == [first, first + 1, first + 1 + tail.count("\n")]


def test_comments_may_stand_between_rows() -> None:
    text = MADE + "INSERT INTO t VALUES (1,'a','b') /* one */, -- two (9,'','')\n# three\n(2,'c','d') -- four\n;"
    assert values(text) == [["1", "a", "b"], ["2", "c", "d"]]


@pytest.mark.parametrize("tail", [" OFF DUPLICATE;", " (3,'e','f');", " ONCE;", ")", " - 1;", " ASC;", ""])
def test_what_is_no_tail_is_damage(tail: str) -> None:
    seen, error = refusal(MADE + f"INSERT INTO t VALUES (1,'a','b'),(2,'c','d'){tail}")
    assert seen == ["1"]
    assert "another shape" in str(error)


@pytest.mark.parametrize("tail", TAILS)
def test_a_tail_that_is_cut_is_told(tail: str) -> None:
    text = MADE + f"INSERT INTO t VALUES (1,'a','b'),(2,'c','d'){tail}"
    for end in range(text.rindex("'d')"), len(text)):
        seen, _ = refusal(text[:end])
        assert seen in (["1"], ["1", "2"])


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


def test_a_table_without_columns_has_no_rows() -> None:
    for rows in ("VALUES (1)", "() VALUES (1)", "() VALUES (,"):
        _, error = refusal("CREATE TABLE t (PRIMARY KEY (id)); INSERT INTO t " + rows + ";")
        assert "no columns" in str(error)
