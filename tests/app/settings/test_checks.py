"""Contradictions are found by name, and only there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from menshen.app.settings.checks import find_app_problems, find_problems, refuse_contradictions
from menshen.app.settings.reader import Settings, SettingsError, load_settings
from menshen.core.apps import App, CaptchaRule, DeviceSign, RegisterRule, SecondFactorRule
from menshen.core.findings import Severity
from menshen.core.networks import is_loopback
from menshen.core.pages.settings import PageSettings
from menshen.core.time import Instant

NOW = Instant(1_795_219_200_000)  # 2026-11-21
WEIDU_ONLY = {"MENSHEN_SERVER__DIALECTS": '["weidu"]'}
NETWORK = {"MENSHEN_SERVER__HOST": "0.0.0.0", "MENSHEN_SERVER__OUTBOX_ON_NETWORK": "true"}
SMTP = {
    "MENSHEN_EMAIL__SENDER": "smtp",
    "MENSHEN_EMAIL__SMTP_HOST": "mail.example",
    "MENSHEN_EMAIL__SMTP_FROM": "Door <no-reply@shop.example>",
}
WEBHOOK = {
    "MENSHEN_SMS__SENDER": "webhook",
    "MENSHEN_SMS__WEBHOOK_URL": "https://sms.example/send",
    "MENSHEN_SMS__WEBHOOK_SECRET": "0123456789abcdef",
}
PIGEON: dict[str, Any] = {
    "name": "pigeon",
    "type": "webhook",
    "url": "https://sms.example/",
    "secret": "0123456789abcdef",
}
COSTS = {"per_day": 5000, "cost_micros": 45000}
GUARD: dict[str, object] = {"name": "guard", "type": "specimen", "secret": "s"}
HOSTS = {"hosts": ["www.shop.example"]}


def senders(*tables: dict[str, Any]) -> dict[str, str]:
    return {"MENSHEN_SMS__SENDERS": json.dumps(tables)}


def vendors(*tables: dict[str, object]) -> dict[str, str]:
    return {"MENSHEN_CAPTCHA__VENDORS": json.dumps(tables)}


def settings(environ: dict[str, str]) -> Settings:
    return load_settings(None, environ, Path("data"))


def number(until: str, phone: str = "13800138000") -> dict[str, str]:
    return {"MENSHEN_SMS__TEST_NUMBERS": f'{{"{phone}": {{"code": "123456", "until": "{until}"}}}}'}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        NETWORK,
        SMTP,
        WEBHOOK,
        WEBHOOK | {"MENSHEN_SMS__WEBHOOK_URL": "http://127.0.0.1:9/send"},
        senders(PIGEON | COSTS, PIGEON | COSTS | {"name": "other"}),
        number("2026-11-21"),
        {"MENSHEN_SERVER__HOST": "localhost"},
        {"MENSHEN_SERVER__HOST": "::1"},
        {"MENSHEN_SERVER__CORS_ORIGINS": '["https://shop.example", "http://localhost:3000", "https://[::1]:1"]'},
        {
            "MENSHEN_SERVER__CORS_ORIGINS": '["capacitor://localhost", "ionic://localhost", "app://-", "https://localhost"]'
        },
        {"MENSHEN_SERVER__CORS_ORIGINS": '["http://localhost", "tauri://localhost", "http://tauri.localhost"]'},
        {"MENSHEN_SERVER__CORS_HEADERS": '["X-Client-Build", "x-b3"]'},
        {"MENSHEN_SERVER__METRICS_NETWORKS": '["10.0.0.0/8", "fd00::/8"]'},
        {"MENSHEN_HASH__MEMORY_KIB": "47104", "MENSHEN_HASH__PASSES": "1"},
        {"MENSHEN_HASH__MEMORY_KIB": "64", "MENSHEN_HASH__PASSES": "1", "MENSHEN_TEST_HASH": "1"},
        SMTP | {"MENSHEN_EMAIL__SMTP_HOST": "127.0.0.1", "MENSHEN_EMAIL__SMTP_TLS": "none"},
        SMTP | {"MENSHEN_EMAIL__SMTP_USER": "u", "MENSHEN_EMAIL__SMTP_PASSWORD": "p"},
    ],
)
def test_what_fits_together(environ: dict[str, str]) -> None:
    assert find_problems(settings(environ), NOW) == []
    assert refuse_contradictions(settings(environ), NOW) == []


@pytest.mark.attack("AD-2")
@pytest.mark.parametrize(
    ("environ", "key", "told"),
    [
        ({"MENSHEN_PATIENCE__LOCK": "5"}, "[patience] lock", "longer than statement"),
        ({"MENSHEN_PATIENCE__STATEMENT": "9"}, "[patience] statement", "longer than transaction"),
        ({"MENSHEN_SERVER__HOST": "0.0.0.0"}, "[sms] sender", "outbox_on_network = true"),
        ({"MENSHEN_SERVER__HOST": "192.168.1.4"}, "[sms] sender", "serves the network"),
        ({"MENSHEN_SERVER__HOST": "shop.example"}, "[sms] sender", "serves the network"),
        ({"MENSHEN_SERVER__HOST": ""}, "[server] host", "neither"),
        ({"MENSHEN_SERVER__HOST": "a b"}, "[server] host", "neither"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["*"]'}, "[server] cors_origins", "every web page"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["shop.example"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["https://shop.example/"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["https://Shop.example"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["https://shop.example:443"]'}, "[server] cors_origins", "leave out :443"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["http://localhost:80"]'}, "[server] cors_origins", "leave out :80"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["null"]'}, "[server] cors_origins", "every web page can have it"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["file://"]'}, "[server] cors_origins", "every web page can have it"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["capacitor://"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["capacitor://*"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["app://a/b"]'}, "[server] cors_origins", "no origin"),
        ({"MENSHEN_SERVER__CORS_HEADERS": '["*"]'}, "[server] cors_headers", "no name of a header"),
        ({"MENSHEN_SERVER__CORS_HEADERS": '["a, b"]'}, "[server] cors_headers", "no name of a header"),
        ({"MENSHEN_SERVER__CORS_HEADERS": '["X-Forwarded-For"]'}, "[server] cors_headers", "believe it"),
        ({"MENSHEN_SERVER__CORS_HEADERS": '["x_account_id"]'}, "[server] cors_headers", "believe it"),
        ({"MENSHEN_SERVER__CORS_HEADERS": '["X-Auth_Level"]'}, "[server] cors_headers", "believe it"),
        ({"MENSHEN_SERVER__METRICS_NETWORKS": '["10.0.0.1/8"]'}, "[server] metrics_networks", "no network"),
        ({"MENSHEN_HASH__MEMORY_KIB": "19455"}, "[hash] memory_kib", "too cheap"),
        ({"MENSHEN_HASH__PASSES": "1"}, "[hash] memory_kib", "too cheap"),
        ({"MENSHEN_HASH__MEMORY_KIB": "262144", "MENSHEN_HASH__PASSES": "5"}, "[hash] memory_kib", "at most"),
        (NETWORK | {"MENSHEN_TEST_HASH": "1"}, "[hash] testing", "for tests"),
        (NETWORK | {"MENSHEN_CAREYSHOP__RECORDED_MANNERS": "true"}, "[careyshop] recorded_manners", "injected"),
        (WEBHOOK | {"MENSHEN_SMS__WEBHOOK_URL": ""}, "[sms] webhook_url", "must be the http(s) address"),
        (WEBHOOK | {"MENSHEN_SMS__WEBHOOK_URL": "ftp://x/"}, "[sms] webhook_url", "must be the http(s) address"),
        (WEBHOOK | {"MENSHEN_SMS__WEBHOOK_URL": "http://sms.example/send"}, "[sms] webhook_url", "in clear"),
        (WEBHOOK | {"MENSHEN_SMS__WEBHOOK_SECRET": "canary"}, "[sms] webhook_secret", "16 characters"),
        (senders(PIGEON | {"url": "http://sms.example/send"}), "[[sms.senders]] pigeon url", "in clear"),
        (
            senders({"name": "kept", "type": "outbox"}) | {"MENSHEN_SERVER__HOST": "192.168.1.4"},
            "[[sms.senders]] kept",
            "serves the network",
        ),
        (vendors(GUARD | {"secret": ""}), "[[captcha.vendors]] guard secret", "must not be empty"),
        (
            vendors(GUARD | {"endpoint": "http://captcha.example/"}),
            "[[captcha.vendors]] guard endpoint",
            "must be https",
        ),
        (number("2026-11-20"), "[sms.test_numbers] 13800138000", "is over"),
        (SMTP | {"MENSHEN_EMAIL__SMTP_HOST": ""}, "[email] smtp_host", "must be the name"),
        (SMTP | {"MENSHEN_EMAIL__SMTP_FROM": "nobody"}, "[email] smtp_from", "must be the address"),
        (SMTP | {"MENSHEN_EMAIL__SMTP_USER": "u"}, "[email] smtp_password", "belong together"),
        (
            SMTP
            | {
                "MENSHEN_EMAIL__SMTP_TLS": "none",
                "MENSHEN_EMAIL__SMTP_USER": "u",
                "MENSHEN_EMAIL__SMTP_PASSWORD": "canary",
            },
            "[email] smtp_tls",
            "in clear",
        ),
        ({"MENSHEN_KEYS__FILE": "x", "MENSHEN_KEYS__CONTENT": "canary"}, "[keys] file", "both set"),
    ],
)
def test_what_refuses_the_start(environ: dict[str, str], key: str, told: str) -> None:
    found = find_problems(settings(environ), NOW)
    assert key in [f.key for f in found if told in f.text and f.severity is Severity.ERROR]
    assert "canary" not in str(found)
    with pytest.raises(SettingsError) as refused:
        refuse_contradictions(settings(environ), NOW)
    assert str(refused.value) == str(found[0])


def test_one_number_in_two_spellings_is_refused() -> None:
    entry = '{"code": "123456", "until": "2027-01-01"}'
    given = {"MENSHEN_SMS__TEST_NUMBERS": f'{{"13800138000": {entry}, "+86 138 0013 8000": {entry}}}'}
    with pytest.raises(SettingsError, match="is there twice, in two spellings"):
        refuse_contradictions(settings(given), NOW)


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"MENSHEN_SERVER__CORS_ORIGINS": '["http://shop.example"]'}, "[server] cors_origins"),
        (SMTP | {"MENSHEN_EMAIL__SMTP_TLS": "none"}, "[email] smtp_tls"),
        (number("2028-01-01"), "[sms.test_numbers] 13800138000"),
        ({"MENSHEN_SMS__COUNTRIES": "[]"}, "[sms] countries"),
        (vendors(GUARD | {"per_day": 9}), "[[captcha.vendors]] guard"),
        ({"MENSHEN_LIMITS__CAPTCHA_FROM": "11"}, "[limits] captcha_from"),
        ({"MENSHEN_LIMITS__PAUSE_AFTER": "101"}, "[limits] pause_after"),
        ({"MENSHEN_LIMITS__SUSPEND_AFTER": "40"}, "[limits] suspend_share"),
        ({"MENSHEN_LIMITS__SEND_PER_HOUR": "3"}, "[limits] send_share_per_hour"),
        ({"MENSHEN_LIMITS__SEND_SHARE_PER_DAY": "10"}, "[limits] send_share_per_day"),
        ({"MENSHEN_LIMITS__SEND_PER_NETWORK": "9"}, "[limits] send_per_network"),
    ],
)
def test_what_is_odd_is_told_and_served(environ: dict[str, str], key: str) -> None:
    assert [finding.key for finding in refuse_contradictions(settings(environ), NOW)] == [key]


@pytest.mark.parametrize(
    ("environ", "changes", "told"),
    [
        (NETWORK, {"host_only_cookies": True}, "HTTPS only"),
        (NETWORK | {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}, {"host_only_cookies": True}, None),
        ({}, {"host_only_cookies": True}, None),
        ({}, {"hardened": True}, "can be forged"),
        ({}, {"hardened": True, "device_sign": DeviceSign.HMAC}, None),
        (NETWORK, {"captcha": CaptchaRule.NEVER}, "no captcha"),
        ({}, {"captcha": CaptchaRule.NEVER}, None),
        (NETWORK, {"captcha": CaptchaRule.NEVER, "disabled": True}, None),
        (WEIDU_ONLY | vendors(GUARD | HOSTS), {"captcha_vendor": "guard"}, None),
        (WEIDU_ONLY | vendors(GUARD), {"captcha_vendor": "guard", "host": "shop.example"}, None),
        (WEIDU_ONLY | vendors(GUARD), {"captcha_vendor": "guard"}, "no host name is known"),
        (WEIDU_ONLY | vendors(GUARD | HOSTS), {"captcha_vendor": "gone"}, "no [[captcha.vendors]] has that name"),
        (vendors(GUARD | HOSTS), {"captcha_vendor": "guard"}, "goes on with pictures"),
        ({}, {"second_factor": SecondFactorRule.REQUIRED}, None),
        ({}, {"second_factor": SecondFactorRule.REQUIRED, "factors": "recovery passkey"}, None),
        ({}, {"second_factor": SecondFactorRule.REQUIRED, "factors": "recovery"}, "none that people can enrol"),
        ({}, {"second_factor": SecondFactorRule.REQUIRED_FOR, "factors": ""}, "none that people can enrol"),
        ({}, {"second_factor": SecondFactorRule.REQUIRED, "factors": "specimen"}, "none that people can enrol"),
        ({}, {"second_factor": SecondFactorRule.OPTIONAL, "factors": ""}, None),
        ({}, {"second_factor": SecondFactorRule.REQUIRED_FOR}, None),
        ({}, {"second_factor": SecondFactorRule.REQUIRED_FOR, "required_for_roles": ""}, "names no role"),
        ({}, {"sms_step": True}, "the weakest one"),
    ],
)
def test_what_is_odd_about_an_app(environ: dict[str, str], changes: dict[str, object], told: str | None) -> None:
    found = find_app_problems(settings(environ), [App(1, "shop", "12345678", "s" * 32, **changes)])  # type: ignore[arg-type]
    assert [f.severity for f in found] == ([Severity.WARNING] if told else [])
    assert all(told in f.text and f.key == "app shop" for f in found if told)


def test_what_is_odd_about_pages_is_told_of_apps_that_are_enabled() -> None:
    app, odd = App(7, "shop", "12345678", "s" * 32), PageSettings(on=True, brand="#ffffff")
    (found,) = find_app_problems(settings({}), [app], pages={7: odd, 8: odd})
    assert (found.severity, found.key) == (Severity.WARNING, "app shop")
    assert "too light" in found.text
    assert find_app_problems(settings({}), [app], pages={7: replace(odd, on=False)}) == []
    assert find_app_problems(settings({}), [replace(app, disabled=True)], pages={7: odd}) == []


def test_an_app_that_allows_what_another_forbids_is_told() -> None:
    default, strict = App(1, "default", "11111111", "s" * 32), App(2, "strict", "22222222", "s" * 32)
    hmac = {"device_sign": DeviceSign.HMAC}
    for changes, told in (
        ({"register": RegisterRule.PHONE}, "registers people without proof"),
        ({"auto_register": False}, "registers people without proof"),
        ({"exist_calls": False}, "tells who has an account"),
        ({"hardened": True} | hmac, "needs no signed device"),
        ({"captcha": CaptchaRule.ALWAYS}, "does not always ask for a captcha"),
        ({"second_factor": SecondFactorRule.REQUIRED}, "asks for no second factor"),
        ({"second_factor": SecondFactorRule.REQUIRED_FOR}, "asks for no second factor"),
    ):
        shut = replace(strict, **changes)
        (found,) = find_app_problems(settings({}), [default, shut])
        assert (found.severity, found.key) == (Severity.WARNING, "app default")
        assert found.text == f"{told}, and app strict does not: callers choose the app"
        assert find_app_problems(settings({}), [shut]) == []
        assert find_app_problems(settings({}), [replace(default, disabled=True), shut]) == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
