"""Signatures of receipts as the vendor's own package makes them, and everything that breaks one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.outward.signatures.twilio import is_signed, signature
from tests.vendors.vectors import recorded

RECEIPTS = recorded("twilio_sms")["receipts"]
TOKEN, URL = RECEIPTS[0]["auth_token"], RECEIPTS[0]["url"]
FORM = [*RECEIPTS[0]["form"].items()]
SIGNED = RECEIPTS[0]["X-Twilio-Signature"]

texts = st.text(max_size=8)
forms = st.lists(st.tuples(texts, texts), max_size=6)


@pytest.mark.parametrize("receipt", RECEIPTS, ids=lambda receipt: receipt["name"])
def test_both_digests_are_those_of_the_vendors_package(receipt) -> None:
    given = (receipt["auth_token"], receipt["url"], receipt["form"].items())
    assert signature(*given) == receipt["X-Twilio-Signature"]
    assert signature(*given, digest="sha256") == receipt["sha256_variant"]["X-Twilio-Signature"]
    assert is_signed(*given, receipt["X-Twilio-Signature"])
    assert is_signed(*given, receipt["sha256_variant"]["X-Twilio-Signature"])


def test_the_order_of_the_parameters_makes_no_difference() -> None:
    assert is_signed(TOKEN, URL, reversed(FORM), SIGNED)


@pytest.mark.parametrize(
    "form",
    [
        FORM[:-1],
        [*FORM, ("ErrorCode", "30006")],
        [*FORM, FORM[-1]],
        [*FORM, ("MessageStatus", "failed")],
        [(name, "failed" if value == "delivered" else value) for name, value in FORM],
        [(name.lower(), value) for name, value in FORM],
        [(name, value.upper()) for name, value in FORM],
        [(value, name) for name, value in FORM],
        [],
    ],
)
def test_parameters_that_were_forged_doubled_or_left_out_are_refused(form: list[tuple[str, str]]) -> None:
    assert not is_signed(TOKEN, URL, form, SIGNED)


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com/receipts/twilio/other",
        f"{URL}/",
        f"{URL}?",
        f"{URL}?a=1",
        URL.replace("https", "http"),
        URL.replace("login", "evil"),
        URL.upper(),
        "https://[",
        "https://login.example.com:x/receipts/twilio/overseas",
        "",
    ],
)
def test_a_signature_for_another_address_is_refused(url: str) -> None:
    assert not is_signed(TOKEN, url, FORM, SIGNED)


@pytest.mark.parametrize(
    ("signed", "called"),
    [
        ("https://a.example/r", "https://a.example:443/r"),
        ("https://a.example:443/r", "https://a.example/r"),
        ("https://a.example/r", "https://a.example:8443/r"),
        ("https://[2001:db8::1]/r", "https://[2001:db8::1]:443/r"),
        ("https://[2001:db8::1]:443/r", "https://[2001:db8::1]/r"),
        ("http://a.example:80/r?x=%20", "http://a.example/r?x=%20"),
    ],
)
def test_the_port_may_be_written_or_left_out(signed: str, called: str) -> None:
    assert is_signed(TOKEN, called, FORM, signature(TOKEN, signed, FORM))


def test_another_port_is_another_address() -> None:
    assert not is_signed(TOKEN, "https://a.example:8444/r", FORM, signature(TOKEN, "https://a.example:8443/r", FORM))


@pytest.mark.parametrize(
    "given", ["", "x", SIGNED[:-1], SIGNED + "=", SIGNED.lower(), f" {SIGNED}", "é", "\udcff", SIGNED * 99]
)
def test_another_signature_is_refused(given: str) -> None:
    assert not is_signed(TOKEN, URL, FORM, given)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_no_key_signs_nothing(digest) -> None:
    assert not is_signed("", URL, FORM, signature("", URL, FORM, digest))


def test_another_key_is_refused() -> None:
    assert not is_signed(TOKEN[::-1], URL, FORM, SIGNED)


@given(texts.filter(bool), texts, forms, st.data())
def test_any_order_of_any_form_has_the_same_signature(token: str, url: str, form, data: st.DataObject) -> None:
    other = data.draw(st.permutations(form))
    assert is_signed(token, url, other, signature(token, url, form))


@given(texts.filter(bool), texts, forms, st.integers(0, 5), st.tuples(texts.filter(bool), texts))
def test_one_parameter_more_or_twice_is_refused(token: str, url: str, form, place: int, extra) -> None:
    signed = signature(token, url, form)
    assert not is_signed(token, url, [*form, extra], signed)
    if form and "".join(form[place % len(form)]):
        assert not is_signed(token, url, [*form, form[place % len(form)]], signed)


@given(st.text(), st.text(), forms, st.text())
def test_nothing_raises(token: str, url: str, form, given: str) -> None:
    assert not is_signed(token, url, form, given)
