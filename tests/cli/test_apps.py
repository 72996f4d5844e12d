"""`menshen app …`."""

import time
from dataclasses import fields

import pytest

from menshen.core.apps import App
from tests.cli.conftest import Menshen

pytestmark = pytest.mark.usefixtures("made")

EVERY_FIELD = {
    "appkey": ("--appkey", "12345678"),
    "secret": ("--secret", "0123456789abcdef0123456789abcdef"),
    "cookie_prefix": ("--cookie-prefix", "WOLVES"),
    "cookie_domain": ("--cookie-domain", ".shop.example"),
    "app_name": ("--app-name", "狼人"),
    "business_type": ("--business-type", "players"),
    "host": ("--host", "Login.Shop.example:8443"),
    "captcha": ("--captcha", "always"),
    "hardened": ("--hardened",),
    "device_sign": ("--device-sign", "hmac"),
    "session_rule": ("--session-rule", "one-per-device"),
    "register": ("--register", "phone"),
    "auto_register": ("--no-auto-register",),
    "exist_calls": ("--no-exist-calls",),
    "sign_required": ("--sign-required",),
    "mirror_status": ("--mirror-status",),
    "password_min": ("--password-min", "12"),
    "sms_per_day": ("--sms-per-day", "50"),
    "disabled": ("--disabled",),
    "host_only_cookies": ("--no-host-only-cookies",),
    "captcha_vendor": ("--captcha-vendor", "turnstile-main"),
    "second_factor": ("--second-factor", "off"),
    "required_for_roles": ("--required-for-roles", " admin  editor admin "),
    "factors": ("--factors", "recovery passkey  recovery"),
    "sms_step": ("--sms-step",),
    "trusted_days": ("--trusted-days", "0"),
    "enrol_by": ("--enrol-by", "365"),
}
EXPECTED = {
    "appkey": "12345678",
    "secret": "0123456789abcdef0123456789abcdef",
    "cookie_prefix": "WOLVES",
    "cookie_domain": ".shop.example",
    "app_name": "狼人",
    "business_type": "players",
    "host": "login.shop.example:8443",
    "captcha": "always",
    "hardened": True,
    "device_sign": "hmac",
    "session_rule": "one-per-device",
    "register": "phone",
    "auto_register": False,
    "exist_calls": False,
    "sign_required": True,
    "mirror_status": True,
    "password_min": 12,
    "sms_per_day": 50,
    "disabled": True,
    "host_only_cookies": False,
    "captcha_vendor": "turnstile-main",
    "second_factor": "off",
    "required_for_roles": "admin editor",
    "factors": "recovery passkey",
    "sms_step": True,
    "trusted_days": 0,
    "enrol_by": 365,
}


def test_every_field_of_an_app_can_be_given() -> None:
    # When the rule was set is noted, and no option.
    assert set(EVERY_FIELD) == {field.name for field in fields(App)} - {"app_id", "name", "second_factor_since"}


def test_the_first_app(menshen: Menshen) -> None:
    (app,) = menshen("app", "list", "--json").json()
    assert app["name"] == "default"
    assert len(app["appkey"]) == 8
    assert not app["appkey"].startswith("0")
    assert "secret" not in app
    secret = menshen("app", "show", "default", "--secret", "--json").json()["secret"]
    assert len(secret) == 32
    assert secret not in menshen("app", "show", "default").out
    assert menshen("app", "list", "--json").json() == [app]


def test_add_with_everything(menshen: Menshen) -> None:
    arguments = [word for words in EVERY_FIELD.values() for word in words]
    made = menshen("app", "add", "shop", *arguments, "--json").json()
    assert {name: made[name] for name in EXPECTED} == EXPECTED
    del made["secret"]
    assert menshen("app", "show", "shop", "--json").json() == made


@pytest.mark.parametrize("field", sorted(set(EVERY_FIELD) - {"secret"}))
def test_set_changes_what_is_given_and_nothing_else(menshen: Menshen, field: str) -> None:
    before = menshen("app", "show", "default", "--secret", "--json").json()
    assert menshen("app", "set", "default", *EVERY_FIELD[field]).code == 0
    after = menshen("app", "show", "default", "--secret", "--json").json()
    assert after == before | {field: EXPECTED[field]}


def test_a_switch_can_be_turned_back(menshen: Menshen) -> None:
    menshen("app", "set", "default", "--hardened", "--no-exist-calls")
    app = menshen("app", "set", "default", "--no-hardened", "--exist-calls", "--json").json()
    assert (app["hardened"], app["exist_calls"]) == (False, True)


def test_the_time_to_enrol_begins_when_the_rule_begins_to_ask(menshen: Menshen) -> None:
    def since(*options: str) -> int:
        return int(menshen("app", "set", "default", *options, "--json").json()["second_factor_since"])

    before = time.time_ns() // 1_000_000
    assert since("--second-factor", "off") == since("--second-factor", "optional") == 0
    first = since("--second-factor", "required", "--enrol-by", "7")
    assert before <= first <= time.time_ns() // 1_000_000
    # The same rule again begins nothing, and another option neither.
    assert since("--second-factor", "required") == since("--enrol-by", "14") == first
    other = since("--second-factor", "required_for")
    assert other > first
    assert since("--second-factor", "optional") == other
    assert since("--second-factor", "required") > other
    made = menshen("app", "add", "shop", "--second-factor", "required", "--json").json()
    assert made["second_factor_since"] > other


@pytest.mark.parametrize(
    ("option", "value"),
    [("--trusted-days", "366"), ("--trusted-days", "-1"), ("--enrol-by", "366"), ("--second-factor", "always")],
)
def test_a_rule_has_its_bounds(menshen: Menshen, option: str, value: str) -> None:
    before = menshen("app", "show", "default", "--json").json()
    assert menshen("app", "set", "default", option, value).code == 2
    assert menshen("app", "show", "default", "--json").json() == before


def test_an_unknown_kind_is_refused_with_those_that_there_are(menshen: Menshen) -> None:
    for arguments in (("set", "default"), ("add", "shop")):
        # The specimen is there to be copied, a code by SMS has a switch of its own.
        for kinds in ("passkey push", "specimen", "sms", "PASSKEY", "passkey,recovery"):
            done = menshen("app", *arguments, "--factors", kinds)
            assert done.code == 1
            told, _, words = done.err.strip().rpartition(": ")
            assert told == f"menshen: app {arguments[1]}: factors are words of these, with spaces between them"
            assert {"passkey", "recovery"} <= set(words.split(", "))
            assert "specimen" not in words
    assert menshen("app", "set", "default", "--factors", "").code == 0
    assert menshen("app", "show", "default", "--json").json()["factors"] == ""


def test_rotate_disable_enable_and_their_events(menshen: Menshen) -> None:
    before = menshen("app", "show", "default", "--secret", "--json").json()["secret"]
    after = menshen("app", "rotate-secret", "default", "--json").json()["secret"]
    assert after != before
    assert menshen("app", "rotate-secret", "default", "--secret", "s" * 32, "--json").json()["secret"] == "s" * 32
    assert menshen("app", "disable", "default", "--json").json()["disabled"] is True
    assert menshen("app", "enable", "default", "--json").json()["disabled"] is False
    told = [(event["event"], event["reason"]) for event in menshen("audit", "--json").json()]
    assert told == [
        ("app.added", "added"),
        ("app.changed", "secret"),
        ("app.changed", "secret"),
        ("app.changed", "disabled"),
        ("app.changed", "disabled"),
    ]
    assert after not in menshen("audit", "--json").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "default"), "app default: this name is already taken"),
        (("add", "shop", "--host", "a.example"), "app shop: this host is already taken"),
        (("set", "default", "--appkey", "22222222"), "app default: this appkey is already taken"),
        (("set", "default", "--host", "A.example"), "app default: this host is already taken"),
        (("add", "../x"), "app ../x: name has no valid form"),
        (("add", "shop", "--appkey", "1234567"), "app shop: appkey has no valid form"),
        (("add", "shop", "--secret", "short"), "app shop: secret has no valid form"),
        (("add", "shop", "--cookie-prefix", "a;b"), "app shop: cookie-prefix has no valid form"),
        (("add", "shop", "--cookie-domain", "x;y"), "app shop: cookie-domain has no valid form"),
        (("add", "shop", "--host", "http://a"), "app shop: host has no valid form"),
        (
            ("add", "shop", "--host-only-cookies", "--cookie-domain", "a.b"),
            "app shop: host-only-cookies has no valid form",
        ),
        (("set", "default", "--required-for-roles", "a,b"), "app default: required-for-roles has no valid form"),
        (("set", "default", "--required-for-roles", "r" * 65), "app default: required-for-roles has no valid form"),
        (("set", "shop", "--hardened"), "there is no app shop"),
        (("set", "default"), "app default: no option to set was given"),
        (("rotate-secret", "shop"), "there is no app shop"),
        (("disable", "shop"), "there is no app shop"),
    ],
)
def test_what_is_taken_or_unusable_is_told(menshen: Menshen, arguments: tuple[str, ...], told: str) -> None:
    menshen("app", "add", "other", "--appkey", "22222222", "--host", "a.example")
    done = menshen("app", *arguments)
    assert (done.code, done.err) == (1, f"menshen: {told}\n")


def test_choices_are_named(menshen: Menshen) -> None:
    done = menshen("app", "add", "shop", "--captcha", "sometimes")
    assert done.code == 2
    assert "risk" in done.err


def test_the_list_for_people(menshen: Menshen) -> None:
    menshen("app", "add", "shop", "--host", "a.example")
    head, *lines = menshen("app", "list").out.splitlines()
    assert head.split()[:3] == ["name", "appkey", "host"]
    assert [line.split()[0] for line in lines] == ["default", "shop"]
