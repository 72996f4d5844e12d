"""docs/contracts/factors.md section 11: a login that needs a second step, and second.user.user."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.core.factors.asks import FactorProof, SecondStep
from menshen.core.login.outcomes import StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND
from menshen.testing.dialect_contract import DialectSite
from menshen.testing.scripted_flows import APP, NOW
from menshen.wire.careyshop import DIALECT
from menshen.wire.careyshop.sign import sign_of
from menshen.wire.examples import Answer, Request
from tests.harness import Harness, open_harness
from tests.two_steps import enrol_app
from tests.wire.careyshop.shop import APPKEY, Shop
from tests.wire.careyshop.test_batch import item
from tests.wire.careyshop.test_batch import send as send_batch

TICKET = "00112233445566778899aabbccddeeff"
NEEDED = StepNeeded(TICKET, ("totp", "recovery"), NOW + 300 * SECOND)  # type: ignore[arg-type]
SENTENCE = "账号已开启两步验证，请在新版客户端或网页登录"
SECOND_DATA = f'{{"second":{{"ticket":"{TICKET}","methods":["totp","recovery"],"expires":{NOW // SECOND + 300}}}}}'
WAYS = {"login.user.user": "login.password", "second.user.user": "login.second"}
PROOFS = {
    "login.user.user": {"username": "alice1", "password": "Passw0rd!", "platform": "pc"},
    "second.user.user": {"ticket": TICKET, "code": "044359"},
}


@pytest.fixture
def site() -> DialectSite:
    return DialectSite(DIALECT)


async def call(site: DialectSite, method: str, kind: str = "json", **more: Any) -> Answer:
    """One call, as JSON, signed."""
    whole = {"method": method, "appkey": APP.appkey, "format": kind, **PROOFS[method], **more}
    whole = {name: value for name, value in whole.items() if value is not None}
    body = json.dumps(whole | {"sign": sign_of(whole, APP.secret)}).encode()
    return await site.send(Request("POST", "/api/v1/user", (("content-type", "application/json"),), body))


# --- a login that needs one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "jsonp", "xml"])
async def test_it_is_refused_in_each_format_and_its_data_has_the_ticket(site: DialectSite, kind: str) -> None:
    site.script.answers["login.password"] = NEEDED
    answer = await call(site, "login.user.user", kind)
    written = f'{{"status":500,"message":"{SENTENCE}","data":{SECOND_DATA}}}'
    in_xml = (
        '<?xml version="1.0" encoding="utf-8"?><careyshop><status>500</status>'
        f"<message>{SENTENCE}</message><data><second><ticket>{TICKET}</ticket>"
        '<methods><item id="0">totp</item><item id="1">recovery</item></methods>'
        f"<expires>{NOW // SECOND + 300}</expires></second></data></careyshop>"
    )
    wanted = {"json": written, "jsonp": f"jsonpReturn({written});", "xml": in_xml}[kind]
    assert (answer.status, answer.body.decode()) == (200, wanted)
    assert answer.header("cache-control") == "no-store"
    # Nothing of a login stands beside it.
    assert not answer.header("set-cookie") + answer.header("token")


async def test_who_must_enrol_first_is_told_so_and_nobody_else(site: DialectSite) -> None:
    needed = StepNeeded(TICKET, (), NEEDED.expires_at, enroll=True, phone="138****0001", cookie="c" * 26)
    site.script.answers["login.password"] = needed
    body = json.loads((await call(site, "login.user.user")).body)
    expires = NOW // SECOND + 300
    assert body["data"] == {"second": {"ticket": TICKET, "methods": [], "expires": expires, "enroll": True}}
    assert (body["status"], body["message"]) == (500, SENTENCE)


@pytest.mark.parametrize(
    ("refused", "text", "wait"),
    [
        (Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=4), "验证码错误", ""),
        (Denied(ProblemCode.TOO_MANY_REQUESTS, retry_after=77), "操作过于频繁，请77秒后重试", "77"),
    ],
)
async def test_a_wrong_code_that_came_along_is_told_and_the_ticket_takes_another(
    site: DialectSite, refused: Denied, text: str, wait: str
) -> None:
    site.script.answers["login.password"] = StepNeeded(TICKET, NEEDED.methods, NEEDED.expires_at, refused=refused)
    answer = await call(site, "login.user.user", second_code="000000")
    assert answer.body.decode() == f'{{"status":500,"message":"{text}","data":{SECOND_DATA}}}'
    assert answer.header("retry-after") == wait
    (ask,) = site.script.password_logins()
    assert ask.second_code == "000000"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("0" * 65, "验证码长度不能超过 64"),
        (44359, "验证码格式不符"),
        (["044359"], "验证码格式不符"),
        ({}, "验证码格式不符"),
        (True, "验证码格式不符"),
    ],
)
@pytest.mark.attack("OT-8")
async def test_a_code_is_a_text_and_no_number(site: DialectSite, given: Any, text: str) -> None:
    """A number has lost its leading zeros. It is refused before any flow is asked, whatever the password."""
    for method, name in (("login.user.user", "second_code"), ("second.user.user", "code")):
        answer = await call(site, method, **{name: given})
        assert answer.body.decode() == f'{{"status":500,"message":"{text}","data":null}}'
    assert site.script.asked == []


async def test_a_code_goes_on_as_it_was_typed(site: DialectSite) -> None:
    """Which spellings are right is the factor's affair: none is made right on the way."""
    for code in ("044359", "０４４３５９", " 044359", "044 359", "044359\n", "ab12-cd34-ef56", "x"):
        site.script.asked.clear()
        await call(site, "second.user.user", code=code)
        ((name, (step, _)),) = site.script.asked
        assert (name, step) == ("login.second", SecondStep(TICKET, FactorProof("totp", code)))


# --- second.user.user -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "jsonp", "xml"])
async def test_a_right_step_answers_as_the_login_byte_for_byte(site: DialectSite, kind: str) -> None:
    site.script.grant("careyshop", "0123456789abcdef" * 2)
    site.script.answers["login.second"] = site.script.answers["login.password"]
    first, second = [await call(site, method, kind) for method in WAYS]
    assert second == first
    assert b"0123456789abcdef0123456789abcdef" in second.body


@pytest.mark.parametrize("factor", [None, "", "totp", "recovery", "specimen"])
async def test_the_kind_of_the_factor_is_named_and_is_an_app_by_default(site: DialectSite, factor: str | None) -> None:
    await call(site, "second.user.user", factor=factor)
    ((_, (step, origin)),) = site.script.asked
    assert step.proof.factor == (factor or "totp")
    assert not step.trust_device
    assert origin.rules.dialect == "careyshop"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ticket": None}, "ticket不能为空"),
        ({"ticket": ""}, "ticket不能为空"),
        ({"ticket": ["a"]}, "ticket格式不符"),
        ({"ticket": "0" * 33}, "ticket长度不能超过 32"),
        ({"code": None}, "验证码不能为空"),
        ({"code": ""}, "验证码不能为空"),
        ({"factor": "TOTP"}, "factor格式不符"),
        ({"factor": "a/b"}, "factor格式不符"),
        ({"factor": "totp\n"}, "factor格式不符"),
        ({"factor": 5}, "factor格式不符"),
        ({"factor": {"a": 1}}, "factor格式不符"),
        ({"factor": "a" * 33}, "factor长度不能超过 32"),
        ({"appkey": None}, "appkey已禁用或不存在"),
    ],
)
async def test_what_it_does_not_take(site: DialectSite, changes: dict[str, Any], text: str) -> None:
    answer = await call(site, "second.user.user", **changes)
    assert answer.body.decode() == f'{{"status":500,"message":"{text}","data":null}}'
    assert site.script.asked == []


@pytest.mark.parametrize(
    ("denied", "text"),
    [
        (Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=3), "验证码错误"),
        (Denied(ProblemCode.TICKET_INVALID), "登录已失效，请重新登录"),
        (Denied(ProblemCode.TOO_MANY_REQUESTS, retry_after=60), "操作过于频繁，请60秒后重试"),
        (Denied(ProblemCode.CHALLENGE_EXPIRED), "验证码已失效"),
    ],
)
async def test_its_refusals_have_no_data_and_are_never_401(site: DialectSite, denied: Denied, text: str) -> None:
    """A 401 makes old clients open their dialog: they are not logged in, and lose nothing by it."""
    site.script.answers["login.second"] = denied
    answer = await call(site, "second.user.user")
    assert answer.body.decode() == f'{{"status":500,"message":"{text}","data":null}}'


# --- over the real wire -----------------------------------------------------------------------------------------------


@pytest.fixture
async def protected(shop: Shop) -> Shop:
    """The shop, where alice has a second step."""
    account = await shop.harness.store.read.accounts.find(1)
    await enrol_app(shop.harness, account)
    return shop


async def log_in(h: Harness, password: str = "Passw0rd!", url: str = "http://127.0.0.1:8400") -> httpx.Response:
    async with h.client_from("127.0.0.1", url) as client:
        asked = {"username": "alice1", "password": password, "platform": "pc"}
        return await Shop(h, client).send("login.user.user", **asked)


@pytest.mark.parametrize(("url", "mirror", "status"), [
    ("http://127.0.0.1:8400", False, 200),
    ("http://127.0.0.1:8400", True, 500),
    ("https://127.0.0.1:8400", False, 500),
])  # fmt: skip
async def test_the_http_status_is_that_of_any_refusal(protected: Shop, url: str, mirror: bool, status: int) -> None:
    await protected.harness.change_app(mirror_status=mirror)
    answer = await log_in(protected.harness, url=url)
    body = answer.json()
    assert (answer.status_code, body["status"], body["message"]) == (status, 500, SENTENCE)
    second = body["data"].pop("second")
    assert body["data"] == {}
    assert re.fullmatch("[0-9a-f]{32}", second["ticket"])
    assert second["methods"] == ["totp"]
    assert second["expires"] == protected.harness.clock.now() // 1000 + 300


async def test_the_document_announces_it(protected: Shop) -> None:
    """`Shop.call` holds each answer to the document."""
    body = await protected.call("login.user.user", username="alice1", password="Passw0rd!", platform="pc")
    assert body["message"] == SENTENCE


@pytest.mark.attack("TK-8", "TK-6")
async def test_a_ticket_is_no_token(protected: Shop) -> None:
    """Neither as a token nor as a refresh token, and no token is a ticket."""
    ticket = (await log_in(protected.harness)).json()["data"]["second"]["ticket"]
    headers = {"authorization": f"Bearer {ticket}"}
    assert (await protected.harness.client.get("/auth/verify", headers=headers)).status_code == 401
    assert (await protected.harness.client.get("/auth/verify", headers={"token": ticket})).status_code == 401
    asked = [
        ("get.user.info", {"client_id": "1"}),
        ("logout.user.user", {}),
        ("refresh.user.token", {"refresh": ticket}),
    ]
    for method, more in asked:
        assert await protected.call(method, token=ticket, **more) == {
            "status": 401, "message": "未授权或授权已过期", "data": None,
        }  # fmt: skip


@pytest.mark.attack("OT-16")
async def test_a_batch_holds_neither_of_the_two(protected: Shop) -> None:
    other = await protected.harness.add_account("bob_1", password="Passw0rd!")
    token = (await protected.log_in("bob_1"))["token"]["token"]
    ticket = (await log_in(protected.harness)).json()["data"]["second"]["ticket"]
    items = [
        item("login.user.user", username="alice1", password="Passw0rd!", platform="pc", second_code="044359"),
        *(item("second.user.user", ticket=ticket, code=f"{number:06}") for number in range(10)),
    ]
    body = await send_batch(protected, items, token=token)
    assert {(told["status"], told["message"], told["data"]) for told in body["data"]} == {
        (500, "该接口不支持批量请求", False)
    }
    assert {session.account_number for session in await sessions(protected.harness)} == {other.number}


async def sessions(h: Harness) -> list[Any]:
    return [each for number in (1, 2) for each in await h.store.read.sessions.list_of(number)]


@pytest.fixture(params=[False, True], ids=["own manners", "recorded manners"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    environ = {"MENSHEN_CAREYSHOP__RECORDED_MANNERS": str(request.param).lower()}
    async with open_harness(tmp_path, environ) as harness:
        account = await harness.add_account("alice1", phone="13800000001", password="Passw0rd!")
        await enrol_app(harness, account)
        await harness.add_account("bob_1", password="Passw0rd!")
        yield Shop(harness)


class OldClient:
    """The recorded web client's rule. It knows no second step.

    By the status of the body, also under HTTP 500: 200 is a login, and `data.token.token` is read at once. 401 opens
    its dialog to log in again. Of anything else it shows `message`.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.token = ""
        self.shown: list[str] = []
        self.dialogs = 0

    async def send(self, method: str, **more: Any) -> None:
        token = self.token or None
        body = (await self.shop.send(method, appkey=APPKEY, token=token, **more)).json()
        if body["status"] == 200:
            if method == "login.user.user":
                self.token = body["data"]["token"]["token"]
        elif body["status"] == 401:
            self.dialogs += 1
            self.token = ""
        else:
            self.shown.append(body["message"])

    async def log_in(self, username: str, password: str = "Passw0rd!", platform: str = "web") -> None:
        await self.send("login.user.user", username=username, password=password, platform=platform)


@pytest.mark.parametrize("mirror", [False, True])
async def test_a_client_that_knows_no_second_step_shows_the_sentence_and_loses_nothing(
    either: Shop, mirror: bool
) -> None:
    await either.harness.change_app(mirror_status=mirror)
    client = OldClient(either)
    await client.log_in("bob_1")
    bobs = client.token
    # Somebody tries another account, and nothing that was there before goes.
    await client.log_in("alice1")
    assert (client.shown, client.dialogs, client.token) == ([SENTENCE], 0, bobs)
    await client.send("get.user.info", client_id="1")
    assert (len(client.shown), client.dialogs) == (1, 0)
    (session,) = await sessions(either.harness)
    assert session.account_number == 2
    # The account is as it was: no login is noted.
    alice = await either.harness.store.read.accounts.find(1)
    assert (alice.login_at, alice.previous_login_at) == (0, 0)
    # Typing it again, as people do, is answered alike, and never by the dialog.
    for _ in range(5):
        await client.log_in("alice1")
    assert set(client.shown) == {SENTENCE}
    await client.log_in("alice1", "wrong-one")
    assert client.shown[-1] == "账号或密码错误"
    assert client.dialogs == 0
    await client.send("logout.user.user")
    client.token = ""
    await client.log_in("bob_1")
    assert client.token
