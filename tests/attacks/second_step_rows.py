"""What each login flow must answer in each state of the second step, and how each endpoint is driven there. (MF-2.)

`ROWS` says what must come, `DRIVERS` how a client gets there. tests/attacks/test_second_step_matrix.py compares both
with the program: a login flow without a row fails, and so does an endpoint that nobody drives.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx

from menshen.core.account.accounts import Account
from menshen.core.apps import SecondFactorRule
from menshen.core.problems import ProblemCode
from menshen.core.time import SECOND
from menshen.wire.careyshop import problems as shop_problems
from menshen.wire.careyshop import texts
from menshen.wire.specimen import problems as specimen_problems
from menshen.wire.weidu import problems as weidu_problems
from tests.attacks.login_ways import EMAIL, FREE_PHONE, PHONE
from tests.harness import Harness
from tests.softkey import SoftKey
from tests.wire.careyshop.shop import Shop
from tests.wire.two_steps import code_of, enrol_app, give_recovery_codes
from tests.wire.weidu.client import PASSWORD, Client


class State(StrEnum):
    """Why a second step is due. In the first three, alice has an app and recovery codes."""

    ON = "second step on"
    BY_SMS = "second step on, SMS allowed"
    LAXER = "second step on, at an app that is off"
    ENROLLED = "required, and enrolled"
    REQUIRED = "required, and nothing enrolled"


RULES: Final = {State.LAXER: SecondFactorRule.OFF, State.ENROLLED: SecondFactorRule.REQUIRED} | {
    State.REQUIRED: SecondFactorRule.REQUIRED
}


@dataclass(frozen=True)
class Asks:
    """A second step is asked, by one of these methods in this order; or an enrolment, where there are none."""

    methods: tuple[str, ...]


@dataclass(frozen=True)
class Opens:
    """A session is opened, of this level, and `why` that is right."""

    level: int
    why: str


@dataclass(frozen=True)
class Refuses:
    """Nothing is opened, and `why` that is right."""

    code: ProblemCode
    why: str


Wanted = Asks | Opens | Refuses

_APP: Final = Asks(("totp", "recovery"))
_ANY: Final = Asks(("totp", "sms", "recovery"))
_ENROLS: Final = Asks(())
_TWO: Final = Opens(2, "two proofs were given")
_ALONE: Final = Opens(2, "a passkey that verified its user is two proofs")
_KEPT: Final = Opens(1, "a refresh proves nothing new: the session keeps its level, and no factor is asked again")
_TAKEN: Final = Refuses(ProblemCode.ALREADY_TAKEN, "the phone has an account: one logs in to it")
_NOT_THIS: Final = Refuses(
    ProblemCode.TICKET_INVALID, "the ticket of an enrolment opens nothing else, and no other one"
)

ROWS: Final[Mapping[str, Mapping[State, Wanted]]] = {
    "login.password": dict.fromkeys(State, _APP) | {State.BY_SMS: _ANY, State.REQUIRED: _ENROLS},
    # After an SMS another one is the same phone twice.
    "login.code": dict.fromkeys(State, _APP) | {State.REQUIRED: _ENROLS},
    "login.sign_up": dict.fromkeys(State, _TAKEN) | {State.REQUIRED: _ENROLS},
    "login.refresh": dict.fromkeys(State, _KEPT),
    "login.second": dict.fromkeys(State, _TWO) | {State.REQUIRED: _NOT_THIS},
    "login.passkey": dict.fromkeys(State, _ALONE),
    "factors.confirm_by_ticket": dict.fromkeys(State, _NOT_THIS) | {State.REQUIRED: _TWO},
    "factors.add_passkey_by_ticket": dict.fromkeys(State, _NOT_THIS) | {State.REQUIRED: _TWO},
}
BY_MAIL: Final[Mapping[State, Wanted]] = {**ROWS["login.code"], State.BY_SMS: _ANY}
"""A mailbox is no phone: an SMS is another thing then."""
TYPED: Final[Mapping[State, Wanted]] = {**ROWS["login.password"], State.BY_SMS: _APP}
"""CareyShop names what its clients can type, and has no call that sends a code for a ticket."""


@dataclass
class Alice:
    """The person who logs in, over one harness."""

    h: Harness
    account: Account
    state: State
    held: dict[str, Any] = field(default_factory=dict)
    """What a way in got before the second step was turned on."""

    @property
    def phone(self) -> str:
        """Hers. Who signs up has a new one where that is what the row is about."""
        return PHONE if ROWS["login.sign_up"][self.state] == _TAKEN else FREE_PHONE


Act = Callable[[Alice], Awaitable[httpx.Response]]


async def _nothing(_: Alice) -> None: ...


@dataclass(frozen=True)
class Driver:
    """How an endpoint is driven: `before` while no step is asked, then `act`. `rows` override the flow's."""

    act: Act
    before: Callable[[Alice], Awaitable[None]] = _nothing
    rows: Mapping[State, Wanted] | None = None


async def prepare(h: Harness, state: State, driver: Driver) -> Alice:
    """Make alice, and bring her and the app into a state."""
    account = await h.add_account("alice1", phone=PHONE, email=EMAIL, password=PASSWORD)
    alice = Alice(h, account, state)
    await driver.before(alice)
    if state is not State.REQUIRED:
        await enrol_app(h, account, step=state is not State.ENROLLED)
        await give_recovery_codes(h, account)
    rule = RULES.get(state, SecondFactorRule.OPTIONAL)
    await h.change_app(second_factor=rule, sms_step=state is State.BY_SMS)
    return alice


# --- weidu ------------------------------------------------------------------------------------------------------------


async def _password(alice: Alice) -> httpx.Response:
    return await Client(alice.h).log_in("alice1")


async def _by_sms(alice: Alice) -> httpx.Response:
    return await Client(alice.h).log_in_by_code(PHONE)


async def _by_mail(alice: Alice) -> httpx.Response:
    client = Client(alice.h)
    code, token = await client.code(EMAIL)
    return await client.post("/users/email/login", login_id=EMAIL, email_code=code, captcha_token=token)


async def _sign_up(alice: Alice) -> httpx.Response:
    client = Client(alice.h)
    code, token = await client.code(alice.phone, "signup")
    asked = {"mobile": alice.phone, "sms_code": code, "captcha_token": token, "passwd": PASSWORD}
    return await client.post("/users/mobile/signup", **asked)


async def _ticket(alice: Alice) -> str:
    answer = await _password(alice)
    assert answer.status_code == 428, answer.text
    return str(answer.json()["login_ticket"])


async def _second(alice: Alice) -> httpx.Response:
    return await Client(alice.h).post("/users/login/second", login_ticket=await _ticket(alice), code=code_of(alice.h))


async def _allowed(alice: Alice) -> dict[str, str]:
    """A ticket, and the code by SMS that allows its enrolment; of a ticket for a step there is none."""
    client, ticket = Client(alice.h), await _ticket(alice)
    answer = await client.post("/users/login/second/sms", login_ticket=ticket)
    # A ticket for a step gets a code where the app allows it. That is no leave to enrol.
    sms = (await alice.h.messages())[-1].code if answer.status_code == 200 else "000000"
    return {"login_ticket": ticket, "sms_code": sms}


async def _enrol_app(alice: Alice) -> httpx.Response:
    client, allowed = Client(alice.h), await _allowed(alice)
    begun = await client.post("/users/totp/begin", **allowed)
    code = "000000"
    if begun.status_code == 200:
        alice.h.canary.learn("secret of a factor", begun.json()["secret"])
        code = code_of(alice.h, secret=begun.json()["secret"])
    return await client.post("/users/totp", login_ticket=allowed["login_ticket"], code=code)


def _key() -> SoftKey:
    return SoftKey()


async def _enrol_passkey(alice: Alice) -> httpx.Response:
    client, allowed = Client(alice.h), await _allowed(alice)
    made = await client.post("/users/passkeys/options", **allowed)
    # Without options of its own, it answers some that it made up.
    own = {"challenge": "AAAA", "rp": {"id": "login.example"}, "user": {"id": "AAAA"}}
    options = made.json()["public_key"] if made.status_code == 200 else own
    return await client.post(
        "/users/passkeys", login_ticket=allowed["login_ticket"], credential=_key().create(options), name="key"
    )


async def _get_passkey(alice: Alice) -> None:
    """While no step is asked, alice registers a passkey in a session."""
    client, key = Client(alice.h), _key()
    assert (await client.log_in("alice1")).status_code == 200
    options = (await client.post("/users/passkeys/options")).json()["public_key"]
    answer = await client.post("/users/passkeys", credential=key.create(options), name="key")
    assert answer.status_code == 200, answer.text
    alice.held["key"] = key


async def _by_passkey(alice: Alice) -> httpx.Response:
    client = Client(alice.h)
    options = (await client.post("/users/passkey/options")).json()["public_key"]
    return await client.post("/users/passkey/login", credential=alice.held["key"].get(options))


# --- CareyShop and the specimen ---------------------------------------------------------------------------------------


async def _shop_password(alice: Alice) -> httpx.Response:
    return await Shop(alice.h).send("login.user.user", username="alice1", password=PASSWORD, platform="pc")


async def _shop_second(alice: Alice) -> httpx.Response:
    ticket = (await _shop_password(alice)).json()["data"]["second"]["ticket"]
    return await Shop(alice.h).send("second.user.user", ticket=ticket, code=code_of(alice.h))


async def _get_pair(alice: Alice) -> None:
    alice.held |= (await Shop(alice.h).log_in("alice1", PASSWORD))["token"]


async def _refresh(alice: Alice) -> httpx.Response:
    alice.h.clock.advance(SECOND)
    pair = alice.held
    return await Shop(alice.h).send("refresh.user.token", token=pair["token"], refresh=pair["refresh"])


async def _specimen_password(alice: Alice) -> httpx.Response:
    return await alice.h.client.post("/specimen/login", json={"username": "alice1", "password": PASSWORD})


_WEIDU, _SHOP = "/weidu/api/v1/users", "/api/v1/user/method"
DRIVERS: Final[Mapping[tuple[str, str], Driver]] = {
    ("login.password", f"{_WEIDU}/login"): Driver(_password),
    ("login.code", f"{_WEIDU}/mobile/login"): Driver(_by_sms),
    ("login.code", f"{_WEIDU}/email/login"): Driver(_by_mail, rows=BY_MAIL),
    ("login.sign_up", f"{_WEIDU}/mobile/signup"): Driver(_sign_up),
    ("login.second", f"{_WEIDU}/login/second"): Driver(_second),
    ("login.passkey", f"{_WEIDU}/passkey/login"): Driver(_by_passkey, _get_passkey),
    ("factors.confirm_by_ticket", f"{_WEIDU}/totp"): Driver(_enrol_app),
    ("factors.add_passkey_by_ticket", f"{_WEIDU}/passkeys"): Driver(_enrol_passkey),
    ("login.password", f"{_SHOP}/login.user.user"): Driver(_shop_password, rows=TYPED),
    ("login.second", f"{_SHOP}/second.user.user"): Driver(_shop_second),
    ("login.refresh", f"{_SHOP}/refresh.user.token"): Driver(_refresh, _get_pair),
    ("login.password", "/specimen/login"): Driver(_specimen_password),
}
"""(flow, path) -> how it is driven."""


# --- what was answered ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """An answer: the token of a session, or the methods of a step (None where the dialect names none), or a refusal."""

    token: str = ""
    asked: bool = False
    methods: tuple[str, ...] | None = None
    enroll: bool = False
    ticket: str = ""
    refused: Any = None


def read(answer: httpx.Response) -> Seen:
    """Read an answer of any dialect."""
    path, body = answer.request.url.path, answer.json()
    if path.startswith("/weidu"):
        return _of_weidu(answer, body)
    return _of_specimen(answer, body) if path.startswith("/specimen") else _of_shop(body)


def _of_weidu(answer: httpx.Response, body: dict[str, Any]) -> Seen:
    if answer.status_code == 200:
        return Seen(token=answer.headers["token"])
    assert "token" not in answer.headers
    assert not answer.headers.get_list("set-cookie")
    if (answer.status_code, body["error"]) != (428, "second_factor_required"):
        return Seen(refused=body["error"])
    return Seen("", True, tuple(body["methods"]), body.get("enroll", False), body["login_ticket"])


def _of_shop(body: dict[str, Any]) -> Seen:
    if body["status"] == 200:
        return Seen(token=body["data"]["token"]["token"])
    if body["data"] is None:
        return Seen(refused=body["message"])
    assert (body["status"], body["message"]) == (500, texts.SECOND_STEP)
    second = body["data"]["second"]
    return Seen("", True, tuple(second["methods"]), second.get("enroll", False), second["ticket"])


def _of_specimen(answer: httpx.Response, body: dict[str, Any]) -> Seen:
    if body["ok"]:
        return Seen(token=body["token"])
    return Seen(asked=answer.status_code == 403 and body["error"] == "second_step", refused=body["error"])


def word_of(code: ProblemCode, path: str) -> str:
    """What a dialect calls a refusal."""
    if path.startswith("/weidu"):
        return weidu_problems.TABLE[code].word
    if path.startswith("/specimen"):
        return specimen_problems.TABLE[code].word
    return shop_problems.TABLE[code][1]
