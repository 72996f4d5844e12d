"""Check that every spelling of a value is read as it was meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.importing import writing
from tests.adapters.importing.mysqldump.reading import MADE, read_or_refuse, values
from tests.adapters.importing.writing import HEAD, TAIL, insert


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
