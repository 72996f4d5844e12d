"""What a person who is logged in does with factors. (docs/contracts/factors.md sections 7, 8, 10 and 11.)"""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.factors.asks import FactorProof, IdentityProof, StepSwitch
from menshen.core.factors.outcomes import EnrolledFactor, FactorList, RecoveryCodes
from menshen.core.factors.passkeys import Passkey, PublicKeyOptions
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, MINUTE, after
from menshen.testing.scripted_flows import NOW
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from menshen.wire.weidu.routing import Route
from tests.wire.weidu.scripted import CSRF, TOKEN, ScriptedWeidu
from tests.wire.weidu.steps.asking import (
    CREDENTIAL,
    GONE,
    HTTP,
    HTTPS,
    PAGE,
    TAIL,
    TICKET,
    TRUST,
    TRUST_AT,
    ask,
    cookies,
)

BEARER = {"authorization": f"Bearer {TOKEN}"}
OK = b'{"code":200,"result":"ok"}'
TRUSTED = TrustedDevice("t" * 26, 8970, 1, b"device", "P40", "203.0.113.77", NOW, after(NOW, 30 * DAY), NOW)
KEY = Passkey("p" * 26, 8970, b"\x01", b"key", "login.example", "Key", 7, False, False, True, "usb", NOW, NOW)
LISTED = FactorList(
    True, [EnrolledFactor("totp", NOW, after(NOW, MINUTE))], [KEY], 8, [TRUSTED], ["totp"], False,
    level=2, prove_with=["totp", "recovery"], fresh_until=after(NOW, MINUTE),
)  # fmt: skip
SHOWN_TRUSTED = (
    '[{"id":"tttttttttttttttttttttttttt","name":"P40","network":"203.0.113.0/24","create_at":1601803195000,'
    '"last_used_at":1601803195000,"expires_at":1604395195000}]'
)
OF_FACTORS = [route for route in ROUTES if route.flow.startswith("factors.") and route.access is Access.PRIVATE]


@pytest.fixture
def script(script: ScriptedWeidu) -> ScriptedWeidu:
    script.answers |= {
        "factors.list": LISTED,
        "factors.remove": Done(),
        "factors.rename_passkey": Done(),
        "factors.remove_passkey": Done(),
        "factors.make_recovery_codes": RecoveryCodes(("abcd-efgh-jkmn", "0123-4567-89ab")),
        "factors.switch_second_step": Done(),
        "factors.prove": Done(),
        "factors.prove_options": PublicKeyOptions({"challenge": "AQ"}),
        "factors.end_trusted": Done(),
        "factors.end_all_trusted": Done(),
    }
    script.log_in()
    return script


async def test_the_list_holds_nothing_secret_and_no_whole_address(script: ScriptedWeidu) -> None:
    response = await ask(script, "/users/factors", {}, verb="GET", **BEARER)
    assert response.text == (
        '{"code":200,"result":"ok","second_step":true,"required":false,"allowed":["totp"],'
        '"level":2,"prove_with":["totp","recovery"],"fresh_until":1601803255000,'
        '"factors":[{"kind":"totp","create_at":1601803195000,"last_used_at":1601803255000}],'
        '"passkeys":[{"id":"pppppppppppppppppppppppppp","name":"Key","credential_id":"AQ","rp_id":"login.example",'
        '"synced":false,"step_only":true,"create_at":1601803195000,"last_used_at":1601803195000}],'
        f'"recovery_codes_left":8,"trusted_devices":{SHOWN_TRUSTED}}}'
    )
    response = await ask(script, "/users/trusted_devices", {}, verb="GET", **BEARER)
    assert response.text == f'{{"code":200,"result":"ok","trusted_devices":{SHOWN_TRUSTED}}}'


@pytest.mark.parametrize(
    ("line", "body", "flow", "asked", "content"),
    [
        ("DELETE /users/totp", {}, "factors.remove", ("totp",), OK),
        (f"PUT /users/passkeys/{'p' * 26}", {"name": "钥匙"}, "factors.rename_passkey", ("p" * 26, "钥匙"), OK),
        (f"DELETE /users/passkeys/{'p' * 26}", {}, "factors.remove_passkey", ("p" * 26,), OK),
        (
            "POST /users/recovery_codes",
            {},
            "factors.make_recovery_codes",
            (),
            b'{"code":200,"result":"ok","recovery_codes":["abcd-efgh-jkmn","0123-4567-89ab"]}',
        ),
        (
            "PUT /users/second_step",
            {"on": True, "recovery_code": "abcd-efgh-jkmn"},
            "factors.switch_second_step",
            (StepSwitch(True, "abcd-efgh-jkmn"),),
            OK,
        ),
        (
            "PUT /users/second_step",
            {"on": True, "confirmed": True},
            "factors.switch_second_step",
            (StepSwitch(True, "", confirmed=True),),
            OK,
        ),
        ("PUT /users/second_step", {"on": False}, "factors.switch_second_step", (StepSwitch(False),), OK),
        (
            "POST /users/prove/options",
            {},
            "factors.prove_options",
            (),
            b'{"code":200,"result":"ok","public_key":{"challenge":"AQ"}}',
        ),
        (f"DELETE /users/trusted_devices/{'t' * 26}", {}, "factors.end_trusted", ("t" * 26,), OK),
        ("DELETE /users/trusted_devices", {}, "factors.end_all_trusted", (), OK),
    ],
)
async def test_a_call(
    script: ScriptedWeidu, line: str, body: Any, flow: str, asked: tuple[Any, ...], content: bytes
) -> None:
    verb, _, path = line.partition(" ")
    response = await ask(script, path, body, verb=verb, **BEARER)
    assert response.content == content
    (given,) = script.asks(flow)
    assert given[:-1] == (*asked, script.live[TOKEN])
    assert cookies(response) == []


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"method": "password", "password": "Zk12345678"}, IdentityProof("password", "Zk12345678")),
        ({"method": "code", "code": "482913"}, IdentityProof("code", "482913")),
        ({"method": "totp", "code": "482913"}, IdentityProof("totp", proof=FactorProof("totp", "482913"))),
        (
            {"method": "passkey", "credential": CREDENTIAL},
            IdentityProof("passkey", proof=FactorProof("passkey", credential=CREDENTIAL)),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_proof_goes_to_the_flow(script: ScriptedWeidu, body: Any, asked: IdentityProof) -> None:
    assert (await ask(script, "/users/prove", body, **BEARER)).content == OK
    assert script.asks("factors.prove")[0][0] == asked


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "x"}, "method"),
        ({"method": "password"}, "password"),
        ({"method": "password", "password": "x", "code": "482913"}, "code"),
        ({"method": "password", "password": "x", "credential": CREDENTIAL}, "credential"),
        ({"method": "code", "password": "x"}, "password"),
        ({"method": "code"}, "code"),
        ({"method": "totp", "password": "x"}, "password"),
        ({"method": "totp"}, "code"),
        ({"method": "totp", "code": "4" * 65}, "code"),
        ({"method": "passkey", "code": "482913"}, "credential"),
        ({"method": "x" * 33, "code": "482913"}, "method"),
        ({"method": "totp", "code": "482913", "login_ticket": TICKET}, "login_ticket"),
    ],
    ids=str,
)
async def test_a_proof_that_says_something_else_is_refused(script: ScriptedWeidu, body: Any, field: str) -> None:
    response = await ask(script, "/users/prove", body, **BEARER)
    assert (response.status_code, response.json()["error"], response.json()["field"]) == (400, "invalid_request", field)
    assert script.asked == []


@pytest.mark.attack("TK-6", "MF-10")
@pytest.mark.parametrize("route", OF_FACTORS, ids=lambda route: f"{route.verb} {route.path}")
async def test_a_ticket_in_the_body_opens_no_other_call(script: ScriptedWeidu, route: Route) -> None:
    path = route.path.replace("{id}", "x" * 26)
    for headers in ({}, {"authorization": f"Bearer {TICKET}"}, {"token": TICKET}):
        response = await ask(script, path, {"login_ticket": TICKET}, verb=route.verb, **headers)
        assert (response.status_code, response.json()["error"]) == (401, "unauthenticated")
    assert script.asked == []


@pytest.mark.attack("MF-4")
@pytest.mark.parametrize("route", [r for r in OF_FACTORS if r.verb != "GET"], ids=lambda r: f"{r.verb} {r.path}")
async def test_a_refusal_is_said(script: ScriptedWeidu, route: Route) -> None:
    script.answers[route.flow] = Denied(ProblemCode.UNAUTHENTICATED)
    body = {"name": "x", "on": True, "method": "password", "password": "x"}
    given = {key: value for key, value in body.items() if key in route.body.__struct_fields__}
    response = await ask(script, route.path.replace("{id}", "x" * 26), given, verb=route.verb, **BEARER)
    assert (response.status_code, response.json()["error"]) == (401, "unauthenticated")


@pytest.mark.parametrize("base", [HTTP, HTTPS])
async def test_the_end_of_all_trusted_devices_is_that_of_this_browsers_cookie(script: ScriptedWeidu, base: str) -> None:
    has = {"cookie": f"menshenAUTHTOKEN={TOKEN}; {TRUST_AT[base]}={TRUST}", "x-csrf-token": CSRF, **PAGE}
    response = await ask(script, "/users/trusted_devices", {}, verb="DELETE", base=base, **has)
    assert cookies(response) == [f"{TRUST_AT[base]}=; {GONE}; {TAIL[base]}"]
    one = await ask(script, "/users/trusted_devices/x", {}, verb="DELETE", base=base, **has)
    assert cookies(one) == []
