"""Options as browsers take them, by the JSON of WebAuthn Level 3, and who may use passkeys besides."""

from __future__ import annotations

import json

import pytest

from menshen.core.account.accounts import Account, Profile
from menshen.core.factors.associations import Associations, app_origin
from menshen.core.factors.options import creation, name_of, request
from menshen.core.factors.passkeys import Passkey, PasskeySites, is_under
from menshen.core.time import NEVER

ACCOUNT = Account(1, "id", username="kevin", username_shown="Kevin", phone="+8613544285662", phone_verified=True)


def passkey(credential: bytes, rp_id: str = "login.example", transports: str = "") -> Passkey:
    return Passkey("id", 1, credential, b"", rp_id, "", 0, False, False, False, transports, NEVER)


def test_options_of_a_registration() -> None:
    existing = [passkey(b"\xff\xfe\xfd", transports="hybrid internal"), passkey(b"x", "other.example")]
    made = creation(ACCOUNT, b"\xfb" * 32, existing, b"\xff" * 40, rp_id="login.example", rp_name="")
    assert json.loads(json.dumps(made.options)) == {
        "rp": {"id": "login.example", "name": "login.example"},
        "user": {"id": "-_v7" * 10 + "-_s", "name": "135****5662", "displayName": "135****5662"},
        "challenge": "_" * 53 + "w",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-8, -7, -257)],
        "timeout": 300_000,
        "excludeCredentials": [{"type": "public-key", "id": "__79", "transports": ["hybrid", "internal"]}],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def test_options_of_a_login_name_no_passkey() -> None:
    assert request(b"\0" * 3, rp_id="login.example").options == {
        "challenge": "AAAA",
        "timeout": 300_000,
        "rpId": "login.example",
        "userVerification": "required",
    }


def test_options_of_a_step_name_the_passkeys_of_this_domain() -> None:
    allowed = [passkey(b"abc"), passkey(b"x", "other.example")]
    made = request(b"\0" * 3, rp_id="login.example", allowed=allowed, verify_user=False).options
    assert made["allowCredentials"] == [{"type": "public-key", "id": "YWJj"}]
    assert made["userVerification"] == "preferred"


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (ACCOUNT, "135****5662"),
        (Account(1, "id", username="kevin", username_shown="Kevin", phone="+8613544285662"), "Kevin"),
        (Account(1, "id", email="kevin@163.com", email_verified=True), "k***n@163.com"),
        (Account(1, "id"), ""),
    ],
)
def test_no_whole_phone_or_address_is_in_the_name(account: Account, name: str) -> None:
    assert name_of(account) == name


def test_the_nickname_is_shown_beside_it() -> None:
    named = Account(1, "id", username="kevin", profile=Profile(nickname="凯文"))
    made = creation(named, b"", [], b"", rp_id="login.example", rp_name="门神")
    assert (made.options["user"]["name"], made.options["user"]["displayName"]) == ("kevin", "凯文")
    assert made.options["rp"]["name"] == "门神"


def test_the_site_is_what_the_settings_say_else_the_request() -> None:
    alone = PasskeySites().site_of("https://login.example:8443")
    assert (alone.rp_id, alone.origins, alone.embedders) == (
        "login.example",
        frozenset({"https://login.example:8443"}),
        frozenset(),
    )
    said = PasskeySites("example", ("https://a.example",), ("https://b.example",)).site_of("https://login.example")
    assert (said.rp_id, said.origins, said.embedders) == (
        "example",
        frozenset({"https://a.example"}),
        frozenset({"https://b.example"}),
    )
    assert PasskeySites().site_of("").origins == set(), "no origin is right where none is known"


@pytest.mark.parametrize(
    ("origin", "under"),
    [("https://login.example", True), ("https://a.login.example:8443", True), ("https://xlogin.example", False),
     ("https://example", False), ("android:apk-key-hash:AAA", False)],
)  # fmt: skip
def test_what_is_under_a_domain(origin: str, under: bool) -> None:
    assert is_under(origin, "login.example") is under


def test_only_what_is_said_has_a_path() -> None:
    assert Associations().paths() == ()
    assert Associations(related=("https://a.example",)).paths() == ("/.well-known/webauthn",)
    assert Associations(manage="https://a.example/keys", ios=("A",)).paths() == (
        "/.well-known/passkey-endpoints",
        "/.well-known/apple-app-site-association",
    )


def test_the_origin_of_an_android_app() -> None:
    assert app_origin(":".join(["FB"] * 32)) == "android:apk-key-hash:" + "-_v7" * 10 + "-_s"
