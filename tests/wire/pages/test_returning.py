"""Where a page may send a browser: never to a stranger. (RD-1)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.wire.pages.request.returning import origin_of, safe_next

OURS = frozenset({"https://shop.example", "http://localhost:3000", "https://[2001:db8::1]:8443"})


@pytest.mark.parametrize(
    "address",
    [
        "/account",
        "/account/security#password",
        "/login?way=sms",
        "/",
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example:443/a?b=c#d",
        "https://SHOP.example/a",
        "http://localhost:3000/x",
        "https://[2001:db8::1]:8443/",
    ],
)
def test_a_path_of_ours_and_a_listed_origin_are_kept(address: str) -> None:
    assert safe_next(address, OURS) == address


@pytest.mark.attack("RD-1")
@pytest.mark.parametrize(
    "address",
    [
        "",
        "account",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/account\\..\\x",
        "/account/../weidu",
        "/weidu/api/v1/users/info",
        "/metrics",
        "/account\r\nset-cookie: a=b",
        "/account\t",
        " /account",
        "https://evil.example",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://user@shop.example/",
        "https://shop.example:444/",
        "http://shop.example/",
        "https:shop.example",
        "https:///shop.example",
        "https://shop.example\\@evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://shop.example:99999/",
        "https://[::1/",
        "/account/" + "a" * 1000,
        "https://sh\u00f6p.example/",
    ],
)
def test_all_else_is_dropped(address: str) -> None:
    assert safe_next(address, OURS) == ""


@pytest.mark.attack("RD-1")
@given(st.text(st.sampled_from("/\\:@.?#ahtps shop.example[]\n\t%"), max_size=40))
def test_nothing_that_is_kept_leads_elsewhere(text: str) -> None:
    kept = safe_next(text, OURS)
    assert kept in {"", text}
    if kept and not kept.startswith("/"):
        assert origin_of(kept) in OURS
    assert not kept.startswith(("//", "/\\"))
