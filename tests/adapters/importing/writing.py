"""A writer of dumps for the tests, of its own mind about MySQL's spellings: it shares nothing with the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HEAD = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n\n/*!40101 SET NAMES utf8mb4 */;\n"
TAIL = "-- Dump completed on 2026-11-21  0:00:00\n"

Value = str | bytes | int | None


def quoted(text: str) -> str:
    """As mysqldump writes a text."""
    for letter, escape in (
        ("\\", "\\\\"), ("'", "\\'"), ('"', '\\"'), ("\0", "\\0"), ("\n", "\\n"), ("\r", "\\r"), ("\x1a", "\\Z"),
    ):  # fmt: skip
        text = text.replace(letter, escape)
    return f"'{text}'"


def doubled(text: str) -> str:
    """As hand-written SQL does: quotes twice, line ends as they are."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def hexed(text: str) -> str:
    return f"0x{text.encode().hex()}" if text else "''"


def introduced(text: str) -> str:
    return "_utf8mb4 " + quoted(text)


def x_quoted(text: str) -> str:
    return f"x'{text.encode().hex()}'"


SPELLINGS = (quoted, doubled, hexed, introduced, x_quoted)


def literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "_binary " + quoted(value.decode("latin-1"))
    return str(value) if isinstance(value, int) else quoted(value)


def create(table: str, columns: Iterable[str]) -> str:
    lines = [f"  `{column}` varchar(60) DEFAULT '(a),\\'b' COMMENT 'x;y'" for column in columns]
    return (
        f"DROP TABLE IF EXISTS `{table}`;\nCREATE TABLE `{table}` (\n"
        + ",\n".join([*lines, "  PRIMARY KEY (`id`,`b`)", "  KEY `k` (`a`)"])
        + "\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4;\n"
    )


def insert(table: str, rows: Sequence[Sequence[str]], *, between: str = ",") -> str:
    return f"INSERT INTO `{table}` VALUES " + between.join(f"({','.join(row)})" for row in rows) + ";\n"


def table_of(name: str, rows: Sequence[Mapping[str, Value]], *, at_once: int = 1000) -> str:
    """CREATE TABLE and INSERTs of rows that all have the same columns."""
    made = create(name, rows[0])
    for start in range(0, len(rows), at_once):
        made += insert(name, [[literal(value) for value in row.values()] for row in rows[start : start + at_once]])
    return made


def dump_of(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A whole dump, in the order of the tables' names, as mysqldump does it."""
    return HEAD + "".join(table_of(name, rows) for name, rows in sorted(tables.items()) if rows) + TAIL
