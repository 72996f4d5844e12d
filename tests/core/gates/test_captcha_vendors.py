"""What the core knows of captcha vendors: the names of pages, the name of a token, the basis of a challenge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.apps import App
from menshen.core.gates.captcha_vendors import (
    Asked,
    VendorTerms,
    hosts_of,
    instead_of,
    nonce_of,
    over,
    pass_under,
    stands_instead,
)

DEFAULT, SHOP = (App(n, name, "1" * 8, "s" * 32) for n, name in enumerate(("default", "shop")))
ORIGINS = ("https://www.shop.example", "http://localhost:3000", "capacitor://localhost", "https://[2001:db8::1]:8443")
PAGES = {"www.shop.example", "localhost", "2001:db8::1"}


@pytest.mark.parametrize(
    ("app", "host", "hosts", "expected"),
    [
        (DEFAULT, "", (), PAGES),
        (DEFAULT, "", ("login.example", "*", "other.example:8443"), PAGES | {"login.example", "other.example"}),
        (SHOP, "", ("login.example",), PAGES),
        (SHOP, "login.shop.example:8443", ("login.example",), PAGES | {"login.shop.example"}),
        (SHOP, "[2001:db8::2]:8443", (), PAGES | {"2001:db8::2"}),
    ],
)
def test_pages_are_those_of_the_app_unless_the_vendor_has_its_own(
    app: App, host: str, hosts: tuple[str, ...], expected: set[str]
) -> None:
    known = App(app.app_id, app.name, app.appkey, app.secret, host=host)
    assert hosts_of(known, VendorTerms("main", "turnstile"), hosts, ORIGINS) == expected
    own = VendorTerms("main", "turnstile", hosts=frozenset({"a.example"}))
    assert hosts_of(known, own, hosts, ORIGINS) == {"a.example"}
    assert hosts_of(SHOP, VendorTerms("main", "turnstile"), (), ()) == frozenset()


@given(st.text(), st.text())
def test_the_name_of_a_token_is_of_one_vendor_and_shows_nothing(one: str, other: str) -> None:
    assert (nonce_of("a", one) == nonce_of("a", other)) is (one == other)
    assert nonce_of("a", one) != nonce_of("b", one)
    assert len(nonce_of("a", one)) == 64
    assert nonce_of("a", "\ud800")


def test_a_basis_is_in_place_of_one_vendor_or_on_top_of_one_pass() -> None:
    assert pass_under(over(b"\x01" * 32)) == b"\x01" * 32
    assert not stands_instead(over(b"\x01" * 32), "main")
    assert stands_instead(instead_of("main"), "main")
    assert pass_under(instead_of("main")) is None
    for basis, vendor in ((instead_of("main"), "other"), ("", "main"), ("", "")):
        assert not stands_instead(basis, vendor)
    assert pass_under("") is None


def test_two_ends_are_verdicts() -> None:
    assert {asked for asked in Asked if asked.is_verdict} == {Asked.PASSED, Asked.FAILED}
