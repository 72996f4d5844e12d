"""JSON read strictly: whatever two parsers could understand differently is refused, and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.strict_json import NotStrictError, deeper_than, read_object, whole_number
from tests.cost import TimeBudget, budgeted

SAFE_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | SAFE_TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SAFE_TEXT, inner, max_size=3), max_leaves=8
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(st.dictionaries(SAFE_TEXT, VALUES, max_size=4), st.booleans(), st.integers(1, 8))
def test_what_is_strict_is_read_as_it_is(value: dict[str, Any], ascii_only: bool, depth: int) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    if depth_of(value) > depth:
        with pytest.raises(NotStrictError, match="too deep"):
            read_object(raw, depth=depth)
    else:
        assert read_object(raw, depth=depth) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"null", b"[]", b'"x"', b"1", b"{}{}", b"{} x", b"{", b"}", b'{"a":}', b'{"a" 1}', b"{'a':1}",
        b'{"a":1,}', b'{"a":1 "b":2}', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":NaN}',
        b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":-1e999}', b'{"a":9223372036854775808}',
        b'{"a":-9223372036854775808}', b'{"a":' + b"1" * 5000 + b"}", b'{"a":0.' + b"1" * 100 + b"}",
        b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\x00"}',
        b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}', b'{"\\ud83d":1}', b'{"a":["\\udfff"]}', b'{"a":"\n"}',
        b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf{}", b" \xef\xbb\xbf{}", b"\xef\xbb{}", b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}', "{}".encode("utf-16"), "{}".encode("utf-16-le"),
        "{}".encode("utf-16-be"), "{}".encode("utf-32"),
        b'{"a":"\\x"}', b'{"a":"', b'{"a":tru}', b'/* */{"a":1}',
    ],
)  # fmt: skip
def test_what_is_not_is_refused_without_a_word_of_it(raw: bytes) -> None:
    with pytest.raises(NotStrictError) as caught:
        read_object(raw)
    assert str(caught.value) in {
        "not UTF-8", "too deep", "not JSON", "not an object", "duplicate key", "not a number", "number too large",
        "character not allowed",
    }  # fmt: skip


def test_a_byte_order_mark_is_skipped_once() -> None:
    """RFC 8259 section 8.1. One inside of a text is a character of the text."""
    assert read_object(b'\xef\xbb\xbf{"a":"\xef\xbb\xbfx"}') == {"a": "\ufeffx"}
    assert read_object(b"\xef\xbb\xbf {}") == {}


@pytest.mark.parametrize(
    ("value", "whole"),
    [(0, 0), (7, 7), (2**63 - 1, 2**63 - 1), (0.0, 0), (1.0, 1), (1e3, 1000), (2.0**53 - 1, 2**53 - 1)],
)
def test_a_whole_number_is_an_integer_however_it_is_written(value: object, whole: int) -> None:
    assert (whole_number(value), type(whole_number(value))) == (whole, int)


@pytest.mark.parametrize(
    "value",
    [True, False, None, "1", -1, -1.0, -0.0, 1.5, 2.0**53, 1e300, float("inf"), float("nan"), [1], {"a": 1}],
    ids=repr,
)
def test_what_has_several_readings_is_none(value: object) -> None:
    assert whole_number(value) is None


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read_object(b'{"a":"\\ud83e\\udd8a"}') == {"a": "🦊"}
    assert read_object('{"a":"🦊"}'.encode()) == {"a": "🦊"}


@pytest.mark.parametrize("number", ["0", "-0", "9223372036854775807", "-9223372036854775807", "1e3", "0.1", "-1.5e-3"])
def test_numbers_of_64_bits_and_floats_are_read(number: str) -> None:
    assert read_object(f'{{"a":{number}}}'.encode()) == {"a": json.loads(number)}


def test_integers_beyond_64_bits_can_become_floats() -> None:
    for digits, value in (("9223372036854775808", 9.223372036854775808e18), ("1" * 60, float("1" * 60))):
        got = read_object(f'{{"a":{digits}}}'.encode(), big_integers_as_floats=True)["a"]
        assert (type(got), got) == (float, value)
    got = read_object(b'{"a":-9223372036854775808}', big_integers_as_floats=True)["a"]
    assert (type(got), got) == (int, -(2**63))
    with pytest.raises(NotStrictError):
        read_object(b'{"a":' + b"1" * 400 + b"}", big_integers_as_floats=True)


def test_nesting_is_counted_outside_of_strings() -> None:
    assert read_object(b'{"a":"[[[[[[[[[[{{{{{{{{{{"}')
    assert read_object(b'{"\\"[[[[[[[[[[":"\\\\"}')
    assert not deeper_than('"' + "[" * 100, 8)
    assert deeper_than('"\\\\"' + "[" * 9, 8)
    assert not deeper_than("[]" * 1000, 1)
    assert deeper_than("[[]]", 1)


@pytest.mark.parametrize(
    "raw",
    [b"[" * 16_000, b'{"a":' * 3_000, b'"' * 16_000, b'{"a":"' + b"\\" * 16_000, b'{"' + b'\\"' * 8_000,
     b"{" + b'"a":1,' * 2_600, b'{"a":[' + b"[]," * 5_000],
    ids=range(7),
)  # fmt: skip
@budgeted
def test_junk_is_refused_quickly(raw: bytes, budget: TimeBudget) -> None:
    def refused() -> None:
        with pytest.raises(NotStrictError):
            read_object(raw)

    budget.hold(refused, 0.05)


@given(st.binary(max_size=60))
def test_nothing_else_comes_out_whatever_goes_in(raw: bytes) -> None:
    for given_bytes in (raw, b'{"a":' + raw + b"}", b'{"' + raw + b'":1}'):
        with contextlib.suppress(NotStrictError):
            assert isinstance(read_object(given_bytes), dict)
