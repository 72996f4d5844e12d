"""Section 4 of the contract: five fields, three ways to sign, and what hardening demands."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import httpx
import pytest

from menshen.core.apps import DeviceSign
from menshen.core.codes.asks import CodeSent
from menshen.core.outcomes import Done
from menshen.core.sessions.devices import Device
from menshen.core.time import NEVER
from menshen.testing.scripted_flows import APP, NOW
from tests.wire.weidu.scripted import ScriptedWeidu, granted

SECONDS = NOW // 1000
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "/users/login": ("login.password", {"login_id": "13544285663", "password": "Zk12345678"}),
    "/users/mobile/login": ("login.code", {"login_id": "13544285663", "sms_code": "482913", "captcha_token": "t"}),
    "/users/email/login": ("login.code", {"login_id": "ken@example.com", "email_code": "482913", "captcha_token": "t"}),
    "/users/mobile/sms": ("codes.send", {"mobile": "13544285663", "captcha_token": "t"}),
    "/users/sendsms": ("codes.send", {"mobile": "13544285663", "captcha_token": "t"}),
    "/users/email/code": ("codes.send", {"email": "ken@example.com", "captcha_token": "t"}),
    "/users/mobile/signup": (
        "login.sign_up",
        {"mobile": "13544285663", "sms_code": "482913", "passwd": "Zk12345678", "captcha_token": "t"},
    ),
    "/users/mobile/reset": (
        "account.reset_password",
        {"mobile": "13544285663", "sms_code": "482913", "password": "Zk12345678", "captcha_token": "t"},
    ),
    "/users/email/reset": (
        "account.reset_password",
        {"email": "ken@example.com", "email_code": "482913", "password": "Zk12345678", "captcha_token": "t"},
    ),
}
SCHEMES = list(DeviceSign)


@pytest.fixture
def script() -> ScriptedWeidu:
    answers = {"login.password": granted(), "login.code": granted(), "login.sign_up": granted()}
    return ScriptedWeidu(app=APP, answers={**answers, "codes.send": CodeSent(), "account.reset_password": Done()})


def sign(scheme: DeviceSign, device_id: str = "d-1", timestamp: int = SECONDS, **changes: str) -> str:
    """As the contract writes it down, on its own."""
    app = {"name": "weidu", "kind": "users", "secret": "s" * 32} | changes
    inner = hashlib.md5((app["name"] + app["kind"] + device_id).encode()).hexdigest()
    match scheme:
        case DeviceSign.MD5:
            return inner
        case DeviceSign.MD5_SHA256:
            return hashlib.sha256(inner.encode()).hexdigest()
        case DeviceSign.HMAC:
            return hmac.new(app["secret"].encode(), (inner + str(timestamp)).encode(), hashlib.sha256).hexdigest()


def device(scheme: DeviceSign, **changes: Any) -> dict[str, Any]:
    whole = {
        "device_model": "P40",
        "device_name": "阿肯的手机",
        "timestamp": SECONDS,
        "device_id": "d-1",
        "device_sign": sign(scheme),
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def harden(script: ScriptedWeidu, scheme: DeviceSign, *, hardened: bool) -> None:
    script.app = replace(APP, device_sign=scheme, hardened=hardened)


async def call(script: ScriptedWeidu, path: str, fields: dict[str, Any]) -> httpx.Response:
    async with script.client() as client:
        return await client.post(path, json={**CALLS[path][1], **fields})


@pytest.mark.parametrize("hardened", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", CALLS)
async def test_a_whole_device_reaches_the_flow(
    script: ScriptedWeidu, path: str, scheme: DeviceSign, hardened: bool
) -> None:
    harden(script, scheme, hardened=hardened)
    assert (await call(script, path, device(scheme))).status_code == 200
    ((_, origin),) = script.asks(CALLS[path][0])
    told = origin.device
    assert replace(told, spends="", spends_until=NEVER) == Device("d-1", "P40", "阿肯的手机", signed=True)
    assert bool(told.spends) is (scheme is DeviceSign.HMAC)


@pytest.mark.parametrize("path", CALLS)
async def test_until_hardening_nothing_of_it_is_needed(script: ScriptedWeidu, path: str) -> None:
    assert (await call(script, path, {})).status_code == 200
    ((_, origin),) = script.asks(CALLS[path][0])
    assert origin.device == Device()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", CALLS)
async def test_hardening_needs_all_five(script: ScriptedWeidu, path: str, scheme: DeviceSign) -> None:
    harden(script, scheme, hardened=True)
    for name in device(scheme):
        for value in (None, *(() if name == "timestamp" else ("",))):
            response = await call(script, path, device(scheme, **{name: value}))
            body = response.json()
            assert (response.status_code, body["error"], body["field"]) == (400, "device_required", name)
    assert script.asked == []


@pytest.mark.parametrize("hardened", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", CALLS)
async def test_a_sign_that_does_not_fit_is_refused_hardened_or_not(
    script: ScriptedWeidu, path: str, scheme: DeviceSign, hardened: bool
) -> None:
    harden(script, scheme, hardened=hardened)
    others = {sign(other) for other in SCHEMES if other is not scheme}
    for wrong in {
        *others,
        sign(scheme, "d-2"),
        sign(scheme, name="other"),
        sign(scheme, kind="other"),
        sign(scheme).upper(),
        sign(scheme) + " ",
        sign(scheme)[:-1],
        "字",
    }:
        response = await call(script, path, device(scheme, device_sign=wrong))
        assert (response.status_code, response.json()["error"]) == (403, "device_sign_invalid")
    assert script.asked == []


@pytest.mark.parametrize("hardened", [False, True])
async def test_an_hmac_sign_cannot_be_forged_or_kept(script: ScriptedWeidu, hardened: bool) -> None:
    harden(script, DeviceSign.HMAC, hardened=hardened)
    forged = device(DeviceSign.HMAC, device_sign=sign(DeviceSign.HMAC, secret="x"))
    moved = device(DeviceSign.HMAC, timestamp=SECONDS + 1)
    for fields in (forged, moved):
        assert (await call(script, "/users/login", fields)).json()["error"] == "device_sign_invalid"
    # The same bytes eleven minutes later.
    whole = device(DeviceSign.HMAC)
    assert (await call(script, "/users/login", whole)).status_code == 200
    script.now = type(script.now)(NOW + 601_000)
    assert (await call(script, "/users/login", whole)).json()["error"] == "timestamp_skewed"


async def test_an_hmac_sign_needs_its_time(script: ScriptedWeidu) -> None:
    harden(script, DeviceSign.HMAC, hardened=False)
    response = await call(script, "/users/login", device(DeviceSign.HMAC, timestamp=None))
    assert (response.status_code, response.json()["error"], response.json()["field"]) == (
        400,
        "device_required",
        "timestamp",
    )


@pytest.mark.parametrize("hardened", [False, True])
@pytest.mark.parametrize("path", CALLS)
async def test_the_clock_may_be_ten_minutes_off(script: ScriptedWeidu, path: str, hardened: bool) -> None:
    harden(script, DeviceSign.MD5_SHA256, hardened=hardened)
    for off in (-600, 0, 600):
        fields = device(DeviceSign.MD5_SHA256, timestamp=SECONDS + off)
        assert (await call(script, path, fields)).status_code == 200
    for off in (-601, 601, -SECONDS, NOW, -(2**62)):
        response = await call(script, path, device(DeviceSign.MD5_SHA256, timestamp=SECONDS + off))
        assert (response.status_code, response.json()["error"]) == (400, "timestamp_skewed")
    assert len(script.asked) == 3


@pytest.mark.parametrize("name", ["device_id", "device_model", "device_name"])
@pytest.mark.parametrize("path", CALLS)
async def test_names_that_would_move_or_turn_a_line_are_refused(script: ScriptedWeidu, path: str, name: str) -> None:
    for text in ("a\nb", "\x1b[2Ja", "\x9b2Ja", "\u202eexe", "\u2067a"):
        response = await call(script, path, {name: text})
        body = response.json()
        assert (response.status_code, body["error"], body["field"]) == (400, "invalid_request", name)
    assert script.asked == []


async def test_what_is_sent_unsigned_is_taken_down_and_trusted_with_nothing(script: ScriptedWeidu) -> None:
    assert (await call(script, "/users/login", {"device_id": "d-1", "device_model": "P40"})).status_code == 200
    ((_, origin),) = script.asks("login.password")
    assert origin.device == Device("d-1", "P40", "", signed=False)
