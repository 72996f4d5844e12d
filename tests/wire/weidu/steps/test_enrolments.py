"""The calls that enrol a factor: in a session, or by the ticket of a login that must enrol.

(docs/contracts/factors.md sections 3, 10 and 11.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.factors.asks import Enrolment, NewPasskey
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.factors.passkeys import Passkey, PublicKeyOptions
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE, after
from menshen.core.tokens import digest
from menshen.testing.scripted_flows import APP, NOW
from tests.wire.weidu.scripted import CSRF, TOKEN, ScriptedWeidu, account, granted
from tests.wire.weidu.steps.asking import (
    BINDS,
    CREDENTIAL,
    FOREIGN,
    LOGINS,
    PAGE,
    TICKET,
    ask,
    cookies,
)

BEGIN, CONFIRM, OPTIONS, ADD = "/users/totp/begin", "/users/totp", "/users/passkeys/options", "/users/passkeys"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BY_COOKIE = {"cookie": f"menshenAUTHTOKEN={TOKEN}", "x-csrf-token": CSRF, **PAGE}
CODES = tuple(f"abcd-efgh-jkm{n}" for n in range(10))
PASSKEY = Passkey(
    "p" * 26, 8970, b"\xfb\xff\xfe", b"key", "login.example", "Ken's phone", 0, True, True, False, "internal", NOW
)
SHOWN = {"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/x"}
IN_SESSION = {
    BEGIN: "factors.begin",
    CONFIRM: "factors.confirm",
    OPTIONS: "factors.new_passkey_options",
    ADD: "factors.add_passkey",
}
BY_TICKET = {
    BEGIN: "factors.begin_by_ticket",
    CONFIRM: "factors.confirm_by_ticket",
    OPTIONS: "factors.passkey_options_by_ticket",
    ADD: "factors.add_passkey_by_ticket",
}
BODIES: dict[str, dict[str, Any]] = {
    BEGIN: {},
    CONFIRM: {"code": "482913"},
    OPTIONS: {},
    ADD: {"credential": CREDENTIAL, "name": "Ken's phone"},
}
EACH = pytest.mark.parametrize("path", list(BODIES))


@pytest.fixture
def script(script: ScriptedWeidu) -> ScriptedWeidu:
    begun, options = Begun(SHOWN, after(NOW, 10 * MINUTE)), PublicKeyOptions({"challenge": "AQ"})
    login = replace(granted(), began="password", recovery_codes=CODES)
    script.answers |= {
        "factors.begin": begun,
        "factors.begin_by_ticket": begun,
        "factors.new_passkey_options": options,
        "factors.passkey_options_by_ticket": options,
        "factors.confirm": Enrolled(recovery_codes=CODES[:2]),
        "factors.add_passkey": Enrolled(PASSKEY, CODES[:2]),
        "factors.confirm_by_ticket": login,
        "factors.add_passkey_by_ticket": login,
        "login.password": granted(),
    }
    script.log_in()
    return script


def flows(script: ScriptedWeidu) -> list[str]:
    return [name for name, _ in script.asked]


EXACT: dict[str, bytes] = {
    BEGIN: b'{"code":200,"result":"ok","secret":"JBSWY3DPEHPK3PXP","uri":"otpauth://totp/x","expires_in":600}',
    CONFIRM: b'{"code":200,"result":"ok","recovery_codes":["abcd-efgh-jkm0","abcd-efgh-jkm1"]}',
    OPTIONS: b'{"code":200,"result":"ok","public_key":{"challenge":"AQ"}}',
    ADD: (
        b'{"code":200,"result":"ok","passkey":{"id":"pppppppppppppppppppppppppp","name":"Ken\'s phone",'
        b'"credential_id":"-__-","rp_id":"login.example","synced":true,"step_only":false,'
        b'"create_at":1601803195000,"last_used_at":0},"recovery_codes":["abcd-efgh-jkm0","abcd-efgh-jkm1"]}'
    ),
}


class TestSession:
    """A person who is logged in."""

    @EACH
    @pytest.mark.parametrize("headers", [BEARER, BY_COOKIE], ids=["bearer", "cookie"])
    async def test_it_is_answered_so(self, script: ScriptedWeidu, path: str, headers: dict[str, str]) -> None:
        response = await ask(script, path, BODIES[path], **headers)
        assert response.content == EXACT[path]
        assert flows(script) == [IN_SESSION[path]]
        assert "token" not in response.headers
        assert cookies(response) == []

    async def test_what_the_flows_are_asked(self, script: ScriptedWeidu) -> None:
        for path, body in BODIES.items():
            await ask(script, path, {**body, "login_ticket": ""}, **BEARER)
        assert [(name, asks[:-1]) for name, asks in script.asked] == [
            ("factors.begin", ("totp", script.live[TOKEN])),
            ("factors.confirm", (Enrolment("totp", "482913"), script.live[TOKEN])),
            ("factors.new_passkey_options", (script.live[TOKEN],)),
            ("factors.add_passkey", (NewPasskey(CREDENTIAL, "Ken's phone"), script.live[TOKEN])),
        ]

    @pytest.mark.parametrize("path", [BEGIN, OPTIONS])
    async def test_none_needs_a_body_to_begin(self, script: ScriptedWeidu, path: str) -> None:
        async with script.client() as client:
            response = await client.post(path, headers=BEARER)
            assert response.content == EXACT[path]
            for junk in (b"{", b"[]", b"null", b" "):
                assert (await client.post(path, headers=BEARER, content=junk)).status_code == 400

    @pytest.mark.attack("CK-3")
    @EACH
    async def test_a_cookie_needs_its_csrf_value_and_a_page_of_ours(self, script: ScriptedWeidu, path: str) -> None:
        for headers in (
            {"cookie": f"menshenAUTHTOKEN={TOKEN}", **PAGE},
            {**BY_COOKIE, **FOREIGN},
            {**BY_COOKIE, "x-csrf-token": "x" * 26},
        ):
            response = await ask(script, path, BODIES[path], **headers)
            assert (response.status_code, response.json()["error"]) == (403, "csrf")
        assert script.asked == []

    @EACH
    async def test_nobody_is_not_logged_in(self, script: ScriptedWeidu, path: str) -> None:
        for headers in ({}, PAGE, {"authorization": f"Bearer {'x' * 26}"}, {"cookie": f"menshenSTEP={BINDS}"}):
            response = await ask(script, path, BODIES[path], **headers)
            assert (response.status_code, response.json()["error"]) == (401, "unauthenticated")
        assert script.asked == []

    @pytest.mark.attack("MF-4")
    @EACH
    async def test_a_stolen_session_needs_a_proof(self, script: ScriptedWeidu, path: str) -> None:
        script.answers[IN_SESSION[path]] = Denied(ProblemCode.PROOF_REQUIRED)
        response = await ask(script, path, BODIES[path], **BEARER)
        assert (response.status_code, response.content) == (
            403,
            '{"code":403,"result":"请先验证身份","error":"proof_required"}'.encode(),
        )


class TestTicket:
    """The holder of a ticket of a login that must enrol."""

    @EACH
    async def test_it_opens_the_enrolment(self, script: ScriptedWeidu, path: str) -> None:
        response = await by_ticket(script, path)
        assert flows(script) == [BY_TICKET[path]]
        if path in {BEGIN, OPTIONS}:
            assert response.content == EXACT[path]
            assert "token" not in response.headers
            return
        login = await ask(script, "/users/login", LOGINS["/users/login"][1])
        shown = ",".join(f'"{code}"' for code in CODES)
        assert response.content == login.content[:-1] + f',"recovery_codes":[{shown}]}}'.encode()
        assert (response.headers["token"], cookies(response)) == (TOKEN, cookies(login))

    async def test_a_sign_up_that_had_to_enrol_is_answered_so(self, script: ScriptedWeidu) -> None:
        script.answers["factors.confirm_by_ticket"] = replace(granted(), began="signup", recovery_codes=CODES[:1])
        response = await by_ticket(script, CONFIRM)
        assert response.content == b'{"code":200,"result":"ok","recovery_codes":["abcd-efgh-jkm0"]}'

    async def test_what_the_flows_are_asked(self, script: ScriptedWeidu) -> None:
        for path in BODIES:
            await by_ticket(script, path, **({"sms_code": "482913"} if path in {BEGIN, OPTIONS} else {}))
        assert [(name, asks[:-1]) for name, asks in script.asked] == [
            ("factors.begin_by_ticket", ("totp", TICKET, "482913")),
            ("factors.confirm_by_ticket", (Enrolment("totp", "482913"), TICKET)),
            ("factors.passkey_options_by_ticket", (TICKET, "482913")),
            ("factors.add_passkey_by_ticket", (NewPasskey(CREDENTIAL, "Ken's phone"), TICKET)),
        ]
        assert {asks[-1].device.device_id for _, asks in script.asked} == {"d1"}

    @pytest.mark.attack("MF-1", "MF-5")
    @EACH
    @pytest.mark.parametrize("headers", [BEARER, BY_COOKIE], ids=["bearer", "cookie"])
    async def test_it_decides_alone_beside_a_session(
        self, script: ScriptedWeidu, path: str, headers: dict[str, str]
    ) -> None:
        """The account of the session must not get the factor that was meant for the account of the ticket."""
        script.log_in(TOKEN, account(number=1))
        await by_ticket(script, path, **headers)
        assert flows(script) == [BY_TICKET[path]]
        origin = script.asked[0][1][-1]
        assert origin.presented == digest(TOKEN)
        assert origin.cookie == (b"" if headers is BEARER else digest(TOKEN))

    @pytest.mark.attack("MF-1", "CK-2")
    @EACH
    async def test_a_foreign_page_enrols_nothing(self, script: ScriptedWeidu, path: str) -> None:
        for headers in (FOREIGN, {**BEARER, **FOREIGN}, {**BY_COOKIE, **FOREIGN}):
            response = await by_ticket(script, path, **headers)
            assert (response.status_code, response.json()["error"]) == (403, "csrf")
        assert script.asked == []

    @pytest.mark.parametrize(
        ("path", "code", "status", "word"),
        [
            (BEGIN, ProblemCode.PROOF_REQUIRED, 403, "proof_required"),
            (BEGIN, ProblemCode.WRONG_CODE, 401, "wrong_code"),
            (BEGIN, ProblemCode.TICKET_INVALID, 401, "ticket_invalid"),
            (CONFIRM, ProblemCode.WRONG_SECOND_FACTOR, 401, "wrong_second_factor"),
            (CONFIRM, ProblemCode.TICKET_INVALID, 401, "ticket_invalid"),
            (OPTIONS, ProblemCode.FORBIDDEN, 403, "forbidden"),
            (OPTIONS, ProblemCode.TICKET_INVALID, 401, "ticket_invalid"),
            (ADD, ProblemCode.WRONG_PASSKEY, 401, "wrong_passkey"),
            (ADD, ProblemCode.ALREADY_TAKEN, 409, "already_taken"),
            (ADD, ProblemCode.TICKET_INVALID, 401, "ticket_invalid"),
        ],
    )
    async def test_a_refusal_leaves_the_cookie(
        self, script: ScriptedWeidu, path: str, code: ProblemCode, status: int, word: str
    ) -> None:
        script.answers[BY_TICKET[path]] = Denied(code)
        response = await by_ticket(script, path, cookie=f"menshenSTEP={BINDS}", **PAGE)
        assert (response.status_code, response.json()["error"]) == (status, word)
        # The cookie may belong to a newer ticket of this browser.
        assert cookies(response) == []

    @EACH
    async def test_a_device_is_judged_as_at_the_login(self, script: ScriptedWeidu, path: str) -> None:
        script.app = replace(APP, hardened=True)
        response = await ask(script, path, {**BODIES[path], "login_ticket": TICKET})
        assert (response.status_code, response.json()["error"]) == (400, "device_required")
        # A session is bound to its device at its login.
        assert (await ask(script, path, BODIES[path], **BEARER)).status_code == 200

    @EACH
    async def test_a_disabled_app_enrols_nothing(self, script: ScriptedWeidu, path: str) -> None:
        script.app = replace(APP, disabled=True)
        assert (await by_ticket(script, path)).status_code == 403
        assert script.asked == []


def by_ticket(script: ScriptedWeidu, path: str, **more: str) -> Any:
    """Send a ticket. What is no header of this file is a field."""
    fields = {name: value for name, value in more.items() if name == "sms_code"}
    headers = {name: value for name, value in more.items() if name not in fields}
    return ask(script, path, {**BODIES[path], "login_ticket": TICKET, "device_id": "d1", **fields}, **headers)
