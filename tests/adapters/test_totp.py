"""Codes of authenticator apps, against the values of RFC 6238 and the table of spellings and replays.

(docs/contracts/factors.md section 5; docs/security/attacks.md OT-8, OT-9.)
"""

from __future__ import annotations

import base64
import hmac
import struct
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from menshen.adapters.factors.totp import Settings, TotpFactor, build
from menshen.core.time import SECOND, Instant
from menshen.ports.factors import Challenge, Enrolled, Proved, Unproved
from tests.vendors.vectors import recorded

VECTORS = recorded("totp")
SECRET = VECTORS["secret_base32"]


def prove(code: Any, at: int, *, last: int = 0, secret: str = SECRET) -> Proved | Unproved:
    """Judge a code at `at` (epoch seconds), where `last` was the last step used."""
    return TotpFactor().prove(Enrolled(secret, last), code, Challenge(), Instant(at * SECOND))


@pytest.mark.parametrize("vector", VECTORS["rfc6238"], ids=lambda vector: vector["code6"])
def test_the_values_of_the_rfc(vector: dict[str, Any]) -> None:
    assert prove(vector["code6"], vector["time"]) == Proved(Enrolled(SECRET, vector["step"]))
    assert prove(vector["code8"], vector["time"]) is Unproved.WRONG


@pytest.mark.attack("OT-8")
@pytest.mark.parametrize("spelling", VECTORS["spellings"], ids=lambda spelling: repr(spelling["given"]))
def test_one_spelling_of_a_code_is_right(spelling: dict[str, Any]) -> None:
    assert isinstance(prove(spelling["given"], VECTORS["now"]), Proved) == spelling["accept"]


@pytest.mark.attack("OT-8")
def test_a_number_of_six_digits_is_no_code() -> None:
    # The step of the RFC's own code that begins with no zero.
    assert isinstance(prove("287082", 59), Proved)
    assert prove(287082, 59) is Unproved.WRONG


@pytest.mark.attack("OT-9")
@pytest.mark.parametrize("case", VECTORS["replay"], ids=lambda case: case["name"])
def test_no_step_is_right_twice_nor_a_lower_one(case: dict[str, Any]) -> None:
    proved = prove(case["code"], VECTORS["now"], last=case["last_step"])
    assert isinstance(proved, Proved) == case["accept"]
    if isinstance(proved, Proved):
        assert proved.enrolled.counter == case["new_last_step"]


def test_a_short_secret_of_an_imported_user_works() -> None:
    secret = base64.b32encode(b"0123456789").decode()
    assert len(secret) * 5 == 80
    counter = struct.pack(">Q", 3)
    made = hmac.digest(b"0123456789", counter, "sha1")
    at = made[-1] & 15
    code = f"{(int.from_bytes(made[at : at + 4]) & 0x7FFFFFFF) % 10**6:06}"
    assert prove(code, 90, secret=secret) == Proved(Enrolled(secret, 3))
    assert isinstance(prove(code, 90, secret=secret.lower()), Proved)


@pytest.mark.parametrize("secret", ["", "A", "AAAAAAAA", "!" * 32, "é" * 32, f"{SECRET}A"])
def test_a_secret_that_is_none_proves_nothing(secret: str) -> None:
    assert prove("000000", 90, secret=secret) is Unproved.WRONG


def test_the_first_step_of_all_and_a_clock_before_it_raise_nothing() -> None:
    assert prove("123456", 0) is Unproved.WRONG
    assert prove("123456", -90) is Unproved.WRONG


@pytest.mark.parametrize("label", ["kevin", "+86135****5662", "a:b/c?d&e=f#g %", "门神", "\ud800", ""])
def test_the_uri_keeps_its_parts_apart(label: str) -> None:
    begun = build(Settings()).begin(label, f"Shop:{label}", bytes(range(32)))
    uri = urlsplit(begun.shown["uri"])
    assert uri.scheme == "otpauth"
    assert uri.netloc == "totp"
    issuer, colon, name = uri.path.removeprefix("/").partition(":")
    assert colon
    plain = label.replace(":", " ").replace("\ud800", "?")
    assert unquote(name) == plain
    assert unquote(issuer) == f"Shop {plain}"
    query = parse_qs(uri.query, strict_parsing=True)
    assert query == {
        "secret": [begun.shown["secret"]], "issuer": [f"Shop {plain}"],
        "algorithm": ["SHA1"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert len(base64.b32decode(begun.enrolled.secret)) == 20
