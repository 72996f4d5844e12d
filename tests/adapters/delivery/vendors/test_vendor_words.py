"""What is kept of the words of vendors, and what is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.vendor_words import (
    MOST_PARTS,
    MOST_PUSH,
    code_in,
    entry_of,
    id_in,
    is_header_word,
    judged,
    parts_in,
    pushed_objects,
)
from menshen.core.delivery.verdicts import Verdict

TABLE = {
    "Ok": Verdict.ACCEPTED,
    "Bad*": Verdict.CONFIG,
    "BadNumber*": Verdict.NUMBER,
    "BadNumber.Slow": Verdict.THROTTLED_NUMBER,
    "Left.*": Verdict.VENDOR_DOWN,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("Ok", "Ok"),
        ("ok", ""),
        ("Okay", ""),
        ("Bad", "Bad*"),
        ("BadKey.Of13800138000", "Bad*"),
        ("BadNumber", "BadNumber*"),
        ("BadNumber.Slower", "BadNumber*"),
        ("BadNumber.Slow", "BadNumber.Slow"),
        ("Left", ""),
        ("Left.Us", "Left.*"),
        ("Bad*", ""),
        ("", ""),
        (None, ""),
        (["Ok"], ""),
        ({"Ok": 1}, ""),
    ],
)
def test_the_most_exact_entry_is_about_a_code(code: object, entry: str) -> None:
    assert entry_of(TABLE, code) == entry
    assert judged(TABLE, 200, code) == (TABLE.get(entry, Verdict.UNKNOWN), entry)


@pytest.mark.parametrize(("status", "verdict"), [(200, "rejected:number"), (499, "rejected:number"), (500, "unknown")])
def test_an_error_of_the_server_proves_nothing(status: int, verdict: str) -> None:
    assert judged(TABLE, status, "BadNumber")[0] == verdict


@given(JSON)
def test_only_entries_of_the_table_come_out(code: object) -> None:
    assert entry_of(TABLE, code) in {"", *TABLE}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("DELIVRD", True),
        ("MK:0012", True),
        ("-1", True),
        ("1", True),
        ("123456", True),
        ("1234567", False),
        ("to-13800138000", False),
        ("用户短信送达成功", False),
        ("two words", False),
        ("A" * 64, True),
        ("A" * 65, False),
        ("DELIVRD\n", False),
        ("", False),
    ],
)
def test_a_code_has_the_form_of_one(told: str, kept: bool) -> None:
    assert code_in(told) == (told if kept else "")


@given(JSON)
def test_any_value_gives_a_text_and_a_count(told: object) -> None:
    assert len(code_in(told)) <= 64
    assert len(id_in(told)) <= 128
    assert id_in(told).isascii()
    assert 1 <= parts_in(told) <= MOST_PARTS


@pytest.mark.parametrize(
    ("told", "parts"), [(1, 1), (3, 3), (0, 1), (-2, 1), (10**30, MOST_PARTS), (True, 1), (2.0, 1), ("2", 1), (None, 1)]
)
def test_parts_are_within_reason(told: object, parts: int) -> None:
    assert parts_in(told) == parts


@pytest.mark.parametrize(
    ("told", "kept"),
    [("5000:10457", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("a\n", False), ("门", False)],
)
def test_an_id_is_visible_ascii(told: str, kept: bool) -> None:
    assert id_in(told) == (told if kept else "")


@pytest.mark.parametrize(("text", "fits"), [("ap-guangzhou", True), ("", False), ("a b", False), ("a\r\nB: c", False)])
def test_a_header_is_one_word(text: str, fits: bool) -> None:
    assert is_header_word(text) is fits


@pytest.mark.parametrize(
    ("body", "objects"),
    [
        (b'[{"a": 1}, 2, null, [], {"b": 2}]', [{"a": 1}, {"b": 2}]),
        (b"[]", []),
        (b"{}", []),
        (b"", []),
        (b"\xff\xfe", []),
        (b"[" * 60_000, []),
        (b"[" + b"9" * 60_000 + b"]", []),
        (b'[{"a": 1}]' + b" " * MOST_PUSH, []),
    ],
)
def test_a_push_is_an_array_of_objects(body: bytes, objects: list[object]) -> None:
    assert pushed_objects(body) == objects


@given(st.binary() | JSON.map(lambda told: json.dumps(told).encode()))
def test_no_bytes_raise(body: bytes) -> None:
    assert all(isinstance(one, dict) for one in pushed_objects(body))
