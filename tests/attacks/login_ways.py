"""The ways in, as tests of all of them take them: what one gets ready, and how one enters, rightly or wrongly.

tests/attacks/test_every_login_path.py compares the list with the routes of the program.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cbor2
import httpx

from menshen.app.discovery import find_dialects
from menshen.core.account.accounts import Account
from menshen.core.apps import SecondFactorRule
from menshen.core.factors.passkeys import HANDLE_BYTES, Passkey
from menshen.flows.catalog import use_cases
from menshen.flows.use_case import FlowKind
from menshen.ports.store.store import WriteTx
from tests.harness import Harness
from tests.softkey import SoftKey
from tests.two_steps import code_of, enrol_app
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

PHONE, FREE_PHONE, EMAIL = "13544285663", "13800138000", "alice@b.example"
WEIDU, SHOP = "/weidu/api/v1/users", "/api/v1/user/method"
ELSEWHERE = "203.0.113.9"
ASKS = "198.51.100.1"
PASSKEY_SITE = {
    "MENSHEN_PASSKEYS__RP_ID": "login.example",
    "MENSHEN_PASSKEYS__ORIGINS": '["https://login.example"]',
}
LOGINS = frozenset(name for name, described in use_cases().items() if described.kind is FlowKind.LOGIN)
"""The use cases that may open a session."""


def login_endpoints(names: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
    """Yield (flow, verb, path) of each endpoint of a login flow, of these dialects or of those that are served."""
    for dialect in find_dialects(names):
        for endpoint in dialect.endpoints:
            if endpoint.flow in LOGINS:
                yield endpoint.flow, endpoint.verb, endpoint.path
        # A call to enrol is one path with two flows: a session's, and that of a ticket, which logs in.
        package = importlib.import_module(f"menshen.wire.{dialect.name}")
        for route in getattr(package, "ROUTES", ()):
            if (flow := getattr(route, "ticket_flow", "")) in LOGINS:
                yield flow, route.verb, dialect.prefix + route.path


@dataclass
class Held:
    """What somebody has in hand before they log in: a code and what it was sent with, or a pair, or nothing."""

    secret: str = ""
    beside: str = ""
    key: SoftKey = field(default_factory=SoftKey)


GetReady = Callable[[Harness, str], Awaitable[Held]]
Enter = Callable[[Harness, Held, str, bool], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Way:
    """One way in. `proof` is what it fingerprints at; `method` what a success is called in the audit trail.

    `who` is the phone or address that a code goes to. `get_ready` begins; `enter` ends it, rightly or wrongly, from
    a network, and tells the answer.
    """

    endpoint: str
    proof: str
    method: str
    dialect: str
    get_ready: GetReady
    enter: Enter
    who: str = ""


async def _nothing(_: Harness, __: str) -> Held:
    return Held()


def _weidu_password(login_id: str) -> Way:
    async def enter(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
        more = {"captcha_token": held.beside} if held.beside else {}
        return await Client(h, ip=ip).log_in(login_id, PASSWORD if right else "wrong-one", **more)

    return Way(f"POST {WEIDU}/login", "password", "password", "weidu", _nothing, enter)


def _shop_password(username: str) -> Way:
    async def enter(h: Harness, _: Held, ip: str, right: bool) -> httpx.Response:
        async with h.client_from(ip) as client:
            password = PASSWORD if right else "wrong-one"
            return await Shop(h, client).send("login.user.user", username=username, password=password, platform="pc")

    return Way(f"GET POST {SHOP}/login.user.user", "password", "password", "careyshop", _nothing, enter)


def _code(path: str, who: str, purpose: str, method: str, names: tuple[str, str], **more: str) -> Way:
    """A call that takes a code: `names` are its fields for the subject and for the code."""

    async def get_ready(h: Harness, to: str) -> Held:
        # From a network of its own, so that the quota of what is sent is not what is tried here.
        return Held(*await Client(h, ip=ASKS).code(to, purpose))

    async def enter(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
        client = Client(h, ip=ip)
        code = held.secret if right else f"{(int(held.secret or 0) + 1) % 1_000_000:06}"
        subject = FREE_PHONE if purpose == "signup" and who != PHONE else who
        token = held.beside or await client.captcha()
        body = {names[0]: subject, names[1]: code, "captcha_token": token, **more}
        return await client.post(path, **body)

    return Way(f"POST {WEIDU}{path.removeprefix('/users')}", "code", method, "weidu", get_ready, enter, who)


async def _pair(h: Harness, _: str) -> Held:
    held = (await Shop(h).log_in("alice1", PASSWORD))["token"]
    return Held(held["refresh"], held["token"])


async def _refresh(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    async with h.client_from(ip) as client:
        refresh = held.secret if right else "f" * 32
        return await Shop(h, client).send("refresh.user.token", token=held.beside, refresh=refresh)


async def _refresh_in_batch(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    item = {
        "version": "v1", "controller": "user", "method": "refresh.user.token",
        "refresh": held.secret if right else "f" * 32,
    }  # fmt: skip
    async with h.client_from(ip) as client:
        asked = Shop(h, client).asked("", batch=[item], token=held.beside)
        return await client.post("/api/batch", json=asked)


async def _ticket(h: Harness, ip: str) -> str:
    """A ticket of alice: it belongs to the network where her password was right."""
    answer = await Client(h, ip=ip).log_in("alice1")
    return str(answer.json()["login_ticket"])


async def _stepped(h: Harness, _: str) -> Held:
    await _protect(h)
    return Held(code_of(h), await _ticket(h, ELSEWHERE))


async def _protect(h: Harness) -> None:
    account = await h.store.read.accounts.find(1)
    await enrol_app(h, account)


async def _step(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    code = held.secret if right else code_of(h, 99)
    return await Client(h, ip=ip).post("/users/login/second", login_ticket=held.beside, code=code)


async def _stepped_shop(h: Harness, _: str) -> Held:
    await _protect(h)
    async with h.client_from(ELSEWHERE) as client:
        asked = {"username": "alice1", "password": PASSWORD, "platform": "pc"}
        answer = await Shop(h, client).send("login.user.user", **asked)
    return Held(code_of(h), answer.json()["data"]["second"]["ticket"])


async def _step_shop(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    async with h.client_from(ip) as client:
        code = held.secret if right else code_of(h, 99)
        return await Shop(h, client).send("second.user.user", ticket=held.beside, code=code)


async def give_passkey(h: Harness, account: Account) -> SoftKey:
    """Give an account a passkey for login.example that logs in alone."""
    key, handle = SoftKey(), os.urandom(HANDLE_BYTES)
    now = h.clock.now()
    passkey = Passkey(
        passkey_id=os.urandom(13).hex(),
        account_number=account.number,
        credential=key.credential,
        public_key=cbor2.dumps(key.public),
        rp_id="login.example",
        name="key",
        counter=0,
        synced=False,
        backed_up=False,
        step_only=False,
        transports="internal",
        created_at=now,
    )

    async def work(tx: WriteTx) -> bytes:
        assert await tx.passkeys.add(passkey)
        return await tx.passkeys.keep_handle(account.number, handle)

    key.handle = await h.store.write(work)
    return key


async def _with_passkey(h: Harness, _: str) -> Held:
    return Held(key=await give_passkey(h, await h.store.read.accounts.find(1)))


async def _passkey(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    client = Client(h, ip=ip)
    options = (await client.post("/users/passkey/options")).json()["public_key"]
    wrong = {} if right else {"signature": b"no signature"}
    more = {"captcha_token": held.beside} if held.beside else {}
    return await client.post("/users/passkey/login", credential=held.key.get(options, **wrong), **more)


async def _may_enrol(h: Harness) -> dict[str, str]:
    """The ticket of a login that must enrol, and the code by SMS that allows it."""
    await h.change_app(second_factor=SecondFactorRule.REQUIRED)
    client, ticket = Client(h, ip=ELSEWHERE), await _ticket(h, ELSEWHERE)
    await client.post("/users/login/second/sms", login_ticket=ticket)
    return {"login_ticket": ticket, "sms_code": (await h.messages())[-1].code}


async def _began(h: Harness, _: str) -> Held:
    allowed = await _may_enrol(h)
    begun = (await Client(h, ip=ELSEWHERE).post("/users/totp/begin", **allowed)).json()
    return Held(code_of(h, secret=begun["secret"]), allowed["login_ticket"])


async def _confirm(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    code = held.secret if right else f"{(int(held.secret) + 1) % 1_000_000:06}"
    return await Client(h, ip=ip).post("/users/totp", login_ticket=held.beside, code=code)


async def _began_passkey(h: Harness, _: str) -> Held:
    allowed, key = await _may_enrol(h), SoftKey()
    options = (await Client(h, ip=ELSEWHERE).post("/users/passkeys/options", **allowed)).json()["public_key"]
    return Held(json.dumps(key.create(options)), allowed["login_ticket"], key)


async def _register(h: Harness, held: Held, ip: str, right: bool) -> httpx.Response:
    credential = json.loads(held.secret)
    if not right:
        credential["response"]["attestationObject"] = "AAAA"
    return await Client(h, ip=ip).post("/users/passkeys", login_ticket=held.beside, credential=credential)


def _way(path: str, proof: str, method: str, get_ready: GetReady, enter: Enter) -> Way:
    return Way(f"POST {WEIDU}{path}", proof, method, "weidu", get_ready, enter)


WAYS = {
    "name and password": _weidu_password("alice1"),
    "phone and password": _weidu_password(PHONE),
    "address and password": _weidu_password(EMAIL),
    "name and password, shop": _shop_password("alice1"),
    "phone and password, shop": _shop_password(PHONE),
    "code by SMS": _code("/users/mobile/login", PHONE, "login", "code", ("login_id", "sms_code")),
    "code by mail": _code("/users/email/login", EMAIL, "login", "code", ("login_id", "email_code")),
    "sign-up": _code("/users/mobile/signup", PHONE, "signup", "signup", ("mobile", "sms_code"), passwd=PASSWORD),
    "refresh": Way(f"GET POST {SHOP}/refresh.user.token", "pair", "", "careyshop", _pair, _refresh),
    "second step": _way("/login/second", "step", "password+totp", _stepped, _step),
    "second step, shop": Way(
        f"GET POST {SHOP}/second.user.user", "step", "password+totp", "careyshop", _stepped_shop, _step_shop
    ),
    "passkey": _way("/passkey/login", "passkey", "passkey", _with_passkey, _passkey),
    "enrolment of an app": _way("/totp", "enrolment", "password+totp", _began, _confirm),
    "enrolment of a passkey": _way("/passkeys", "key", "password+passkey", _began_passkey, _register),
    "refresh in a batch": Way("GET POST /api/batch", "pair", "", "careyshop", _pair, _refresh_in_batch),
}
BY_PASSWORD = [name for name, way in WAYS.items() if way.proof == "password"]
BY_CODE = [name for name, way in WAYS.items() if way.proof == "code"]
BY_PAIR = [name for name, way in WAYS.items() if way.proof == "pair"]


def newcomer(name: str) -> Way:
    """The way as somebody takes it who is let in: one signs up with a phone that nobody has."""
    if name != "sign-up":
        return WAYS[name]
    return _code("/users/mobile/signup", FREE_PHONE, "signup", "signup", ("mobile", "sms_code"), passwd=PASSWORD)
