"""Forms and queries: bounded, and a field that comes twice is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.wire.pages.request.forms import KIND, FormError, read_form, read_query


def test_a_form_is_read() -> None:
    assert read_form(b"a=1&b=%E7%99%BB+x&c=", f"{KIND}; charset=UTF-8") == {"a": "1", "b": "登 x", "c": ""}


def test_a_field_that_comes_twice_is_empty() -> None:
    assert read_form(b"a=1&a=2&b=3", KIND) == {"a": "", "b": "3"}
    assert read_query(b"a=1&a=2") == {"a": ""}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=1", "application/json"),
        (b"a=1", "multipart/form-data; boundary=x"),
        (b"a=1", ""),
        (b"a=%ff", KIND),
        (b"a=\xff", KIND),
        (b"&".join(b"a%d=1" % n for n in range(61)), KIND),
    ],
)
def test_what_no_browser_sends_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(FormError):
        read_form(body, kind)


@given(st.binary(max_size=300))
def test_no_form_and_no_query_breaks(raw: bytes) -> None:
    with suppress(FormError):
        read_form(raw, KIND)
    assert isinstance(read_query(raw), dict)
