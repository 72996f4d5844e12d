"""Fifty at once, on two nodes of each store: one code one session, one name one account, one number one owner.

(docs/security/attacks.md RACE-1 to RACE-8.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from menshen.adapters.storage.sql.statements.reader import Statement
from menshen.core.account.accounts import Status
from menshen.core.account.asks import Bind, Deletion, Edited, PasswordChange, PasswordReset, Registration
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, CodeTry
from menshen.core.codes.one_time_codes import TRIES, Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, PasswordLogin
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.tokens import digest
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.site import CAREYSHOP, EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, Site

CROWD = 50
WRONG_CODE = Denied(ProblemCode.WRONG_CODE)


async def crowd(two: list[Site], run: Callable[[Site, int], Awaitable[Any]], size: int = CROWD) -> list[Any]:
    """Started together, half on each node."""
    return await asyncio.gather(*(run(two[n % 2], n) for n in range(size)))


def granted(outcomes: list[Any]) -> list[Granted]:
    return [outcome for outcome in outcomes if isinstance(outcome, Granted)]


@pytest.mark.attack("RACE-1")
async def test_one_code_opens_one_session(two: list[Site]) -> None:
    site = two[0]
    outcomes: list[Any] = []
    for _ in range(3):
        code = await site.code()
        captchas = [await site.captcha() for _ in range(CROWD)]
        outcomes = await crowd(
            two,
            lambda node, n, code=code, captchas=captchas: node.flows.login.code(  # type: ignore[misc]
                CodeLogin(PHONE, code, captchas[n]), node.origin()
            ),
        )
        assert len(granted(outcomes)) == 1
        assert {outcome.code for outcome in outcomes if isinstance(outcome, Denied)} <= {
            ProblemCode.WRONG_CODE, ProblemCode.TOO_MANY_REQUESTS,
        }  # fmt: skip
        site.clock.advance(3_600_000)
    account = granted(outcomes)[0].account
    assert len(await site.sessions(account)) == 3


@pytest.mark.attack("RACE-2")
async def test_guesses_at_once_get_five_tries_and_are_all_counted(two: list[Site]) -> None:
    site = two[0]
    code = await site.code()
    captchas = [await site.captcha() for _ in range(CROWD)]
    codes = [code if n == CROWD - 1 else site.wrong(code) for n in range(CROWD)]
    outcomes = await crowd(
        two, lambda node, n: node.flows.login.code(CodeLogin(PHONE, codes[n], captchas[n]), node.origin())
    )
    assert len(granted(outcomes)) <= 1
    refused = [outcome.code for outcome in outcomes if isinstance(outcome, Denied)]
    # Who finds the code dead is told that it is wrong. Who found it open beside twenty others must wait.
    assert set(refused) <= {ProblemCode.WRONG_CODE, ProblemCode.TOO_MANY_REQUESTS}
    assert len(await site.events(tag=Tag.CODE_REFUSED)) == len(refused)

    async def tried(tx: Any) -> int:
        return int((await tx._run.one(Statement("SELECT tries FROM codes", ()), {}))[0])

    used = await site.store.write(tried)
    assert used <= TRIES
    assert granted(outcomes) or used == TRIES
    assert isinstance(await site.try_code(code), Denied)


@pytest.mark.attack("RACE-7")
async def test_of_fifty_requests_one_code_is_sent(two: list[Site]) -> None:
    site = two[0]
    origins = [site.elsewhere() for _ in range(CROWD)]
    outcomes = await crowd(two, lambda node, n: node.ask_code(origin=origins[n]))
    assert outcomes.count(CodeSent()) == 1
    assert len(await site.harness.messages()) == 1


@pytest.mark.attack("RACE-4")
async def test_fifty_logins_on_a_platform_leave_one_session(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    for size in (CROWD, *[10] * 10):
        outcomes = await crowd(
            two,
            lambda node, _: node.flows.login.password(
                PasswordLogin("kevin", PASSWORD, "web"), node.origin(rules=CAREYSHOP)
            ),
            size=size,
        )
        won = granted(outcomes)
        assert len(won) == size
        assert sum(await site.alive(*won)) == sum(await two[1].alive(*won)) == 1
    assert len(await site.sessions(account)) == 1


async def test_two_logins_that_end_each_others_session_both_succeed(two: list[Site]) -> None:
    """Two browsers, each with the cookie of the other's account, log in again at the same time.

    Each login ends its own account's older session and the one in its cookie: two transactions that delete the same two
    rows in opposite order. A database that ends one of them repeats it.
    """
    for name in ("alice", "robert"):
        await two[0].harness.add_account(name, password=PASSWORD)
    before: list[Granted] = await asyncio.gather(
        *(_log_in_on_web(two[n], name, b"") for n, name in enumerate(("alice", "robert")))
    )
    for _ in range(12):
        alice, robert = before
        now = await asyncio.gather(
            _log_in_on_web(two[0], "alice", digest(robert.token)), _log_in_on_web(two[1], "robert", digest(alice.token))
        )
        assert await two[0].alive(*before) == [False, False]
        # Whichever login came last ended at most the session in its cookie: never its own.
        assert [len(await two[0].sessions(granted.account)) for granted in now] == [1, 1]
        before = list(now)


async def _log_in_on_web(node: Site, name: str, cookie: bytes) -> Granted:
    origin = replace(node.origin(rules=CAREYSHOP), cookie=cookie)
    outcome = await node.flows.login.password(PasswordLogin(name, PASSWORD, "web"), origin)
    assert isinstance(outcome, Granted)
    return outcome


async def test_fifty_people_behind_one_address_all_get_in(two: list[Site]) -> None:
    for n in range(CROWD):
        await two[0].harness.add_account(f"user{n}", password=PASSWORD)
    outcomes = await crowd(two, lambda node, n: node.try_password(f"user{n}"))
    assert len(granted(outcomes)) == CROWD


@pytest.mark.attack("RACE-7")
async def test_a_name_a_phone_and_a_nickname_are_registered_once(two: list[Site]) -> None:
    from menshen.core.account.accounts import Profile

    def registration(kind: str, n: int) -> Registration:
        if kind == "username":
            return Registration("kevin", PASSWORD)
        if kind == "phone":
            return Registration(f"phone{n}", PASSWORD, phone=PHONE)
        return Registration(f"nick{n}", PASSWORD, profile=Profile(nickname="Fox"), unique_nickname=True)

    site = two[0]
    for kind in ("username", "phone", "nickname"):
        origins = [site.elsewhere(CAREYSHOP) for _ in range(30)]
        outcomes = await crowd(
            two,
            lambda node, n, kind=kind, origins=origins: node.flows.account.register(registration(kind, n), origins[n]),  # type: ignore[misc]
            size=30,
        )
        assert [type(outcome) for outcome in outcomes].count(Edited) == 1
        assert outcomes.count(Denied(ProblemCode.ALREADY_TAKEN, field=kind)) == 29


@pytest.mark.attack("RACE-7")
async def test_one_number_goes_to_one_of_those_who_prove_it(two: list[Site]) -> None:
    """Each has a code of its own: by login at two apps, by binding, by verifying. One account owns it in the end."""
    site = two[0]
    app = await site.harness.add_app("second")
    await site.kevin(phone=None)
    await site.harness.add_account("claimant", phone=PHONE, password=PASSWORD, verified=False)
    codes = {}
    for name, purpose, where in (
        ("login", Purpose.LOGIN, site.harness.app), ("other", Purpose.LOGIN, app),
        ("bind", Purpose.BIND, site.harness.app), ("verify", Purpose.VERIFY, site.harness.app),
    ):  # fmt: skip
        site.clock.advance(61_000)
        # One network gets three codes an hour to one number.
        asks = site.elsewhere() if name == "verify" else site.origin()
        assert isinstance(await site.ask_code(PHONE, purpose, replace(asks, app=where)), CodeSent)
        codes[name] = (await site.harness.messages())[-1].code
    binder = await site.caller(await site.login())
    prover = await two[1].caller(await two[1].login("claimant"))
    shop = two[1].origin(rules=CAREYSHOP)
    assert await two[1].flows.codes.verify(CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, codes["verify"]), shop) == Done()
    outcomes = await asyncio.gather(
        site.try_code(codes["login"]),
        two[1].try_code(codes["other"], origin=two[1].origin(app=app)),
        site.flows.account.bind(Bind(Kind.PHONE, PHONE, codes["bind"]), binder, site.origin()),
        two[1].flows.codes.use(PHONE, prover, shop),
    )
    owners = [
        number for number in range(1, 8) if (found := await site.store.read.accounts.find(number)) and found.phone
    ]
    assert len(owners) == 1
    owner = await site.account(owners[0])
    assert owner.proved[0] == PHONE
    for login in granted(list(outcomes)):
        assert login.account.number == owner.number
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Denied)]
    assert {refusal.code for refusal in refusals} <= {ProblemCode.ALREADY_TAKEN}


@pytest.mark.attack("RACE-7", "RACE-8")
async def test_of_two_accounts_binding_one_number_one_gets_it(two: list[Site]) -> None:
    site = two[0]
    callers = []
    for n in range(2):
        await site.harness.add_account(f"user{n}", password=PASSWORD)
    app = await site.harness.add_app("second")
    origins = [site.origin(), site.origin(app=app)]
    codes = []
    for n in range(2):
        site.clock.advance(61_000)
        await site.ask_code(OTHER_PHONE, Purpose.BIND, origins[n])
        codes.append((await site.harness.messages())[-1].code)
        callers.append(await site.caller(await site.login(f"user{n}")))
    outcomes = await crowd(
        two,
        lambda node, n: node.flows.account.bind(Bind(Kind.PHONE, OTHER_PHONE, codes[n]), callers[n], origins[n]),
        size=2,
    )
    assert [type(outcome) for outcome in outcomes].count(Edited) == 1
    assert Denied(ProblemCode.ALREADY_TAKEN, field="phone") in outcomes


@pytest.mark.attack("RACE-8")
async def test_a_reset_code_resets_once(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    code = await site.code(EMAIL, Purpose.RESET)
    captchas = [await site.captcha() for _ in range(20)]
    outcomes = await crowd(
        two,
        lambda node, n: node.flows.account.reset_password(
            PasswordReset(Kind.EMAIL, EMAIL, Purpose.RESET, code, f"{NEW} {n}", captcha=captchas[n]), node.origin()
        ),
        size=20,
    )
    assert outcomes.count(Done()) == 1
    assert (await site.account(account)).password_version == 1
    await site.login(password=f"{NEW} {outcomes.index(Done())}")


@pytest.mark.attack("RACE-5")
async def test_after_a_change_of_password_nothing_of_the_old_lives(two: list[Site]) -> None:
    """Logins and refreshes by the old one race the change. (RACE-5.)"""
    site = two[0]
    await site.kevin()
    password = PASSWORD
    for turn in range(5):
        mine = await site.login(password=password)
        pair = await site.login(password=password, origin=site.origin(rules=CAREYSHOP), platform="web")
        caller = await site.caller(mine)
        new = f"{NEW} {turn}"
        changing = site.flows.account.change_password(
            PasswordChange(password, new, keep_session=False), caller, site.origin()
        )
        racing = [node.try_password(password=password, origin=node.elsewhere()) for node in two for _ in range(4)]
        refreshing = [node.flows.login.refresh(pair.token, pair.refresh, node.origin(rules=CAREYSHOP)) for node in two]
        done, *outcomes = await asyncio.gather(changing, *racing, *refreshing)
        assert done == Done()
        assert not any(await site.alive(mine, pair, *granted(list(outcomes))))
        assert await site.sessions(mine.account) == []
        password = new


@pytest.mark.attack("RACE-8")
@pytest.mark.parametrize("end", [admin_accounts.disable_account, admin_accounts.close_account])
async def test_ending_an_account_beats_whatever_races_it(two: list[Site], end: Any) -> None:
    site = two[0]
    for _ in range(5):
        account = await site.kevin()
        pair = await site.login(origin=site.origin(rules=CAREYSHOP), platform="web")
        code = await site.code(EMAIL)
        racing = [node.try_password(origin=node.elsewhere()) for node in two for _ in range(4)]
        refreshing = [node.flows.login.refresh(pair.token, pair.refresh, node.origin(rules=CAREYSHOP)) for node in two]
        ending = end("kevin", store=two[1].store, world=site.clock)
        _, *outcomes = await asyncio.gather(ending, *racing, *refreshing, site.try_code(code, EMAIL))
        assert not any(await site.alive(pair, *granted(list(outcomes))))
        assert await site.sessions(account) == []
        # The next turn takes the name, the phone and the address anew.
        await admin_accounts.close_account(f"#{account.number}", store=site.store, world=site.clock)


@pytest.mark.attack("RACE-8", "AD-9")
@pytest.mark.parametrize("proof", ["password", "code"])
async def test_a_deletion_beats_whatever_races_it(two: list[Site], proof: str) -> None:
    """Many at once: logins of all ways, refreshes and other deletions. One deletes, and no session lives."""
    site = two[0]
    for _ in range(4):
        account = await site.kevin()
        pair = await site.login(origin=site.origin(rules=CAREYSHOP), platform="web")
        login_code, proof_code = await site.code(EMAIL), await site.code(purpose=Purpose.PROOF)
        callers = [await site.caller(await site.login()) for _ in range(4)]
        ask = Deletion(PASSWORD) if proof == "password" else Deletion(None, proof_code)
        deleting = [two[n % 2].flows.account.delete(ask, who, site.origin()) for n, who in enumerate(callers)]
        # Fewer than an account may have sessions: else a login ends the session that deletes.
        racing = [node.try_password(origin=node.elsewhere()) for node in two for _ in range(6)]
        refreshing = [node.flows.login.refresh(pair.token, pair.refresh, node.origin(rules=CAREYSHOP)) for node in two]
        outcomes = await asyncio.gather(
            *deleting, *racing, *refreshing, site.try_code(login_code, EMAIL), return_exceptions=True
        )
        refused = [got for got in outcomes[:4] if got != Done()]
        assert len(refused) == 3, outcomes[:4]
        assert {_code_of(got) for got in refused} <= {ProblemCode.UNAUTHENTICATED, ProblemCode.WRONG_CODE}
        assert not [got for got in outcomes[4:] if isinstance(got, BaseException)]
        assert not any(await site.alive(pair, *granted(list(outcomes[4:]))))
        assert not any(await two[1].alive(pair, *granted(list(outcomes[4:]))))
        assert await site.sessions(account) == []
        closed = await site.account(account)
        assert (closed.status, closed.phone, closed.email, closed.username) == (Status.CLOSED, None, None, None)
        assert (await site.tags(account)).count(Tag.ACCOUNT_CLOSED) == 1


def _code_of(got: object) -> ProblemCode:
    assert isinstance(got, Denied | Problem), got
    return got.code if isinstance(got, Denied) else got.denied.code


@pytest.mark.attack("RACE-10")
async def test_a_captcha_serves_one_of_those_who_bring_it(two: list[Site]) -> None:
    site = two[0]
    code = await site.code()
    captcha = await site.captcha()
    outcomes = await crowd(
        two, lambda node, _: node.flows.login.code(CodeLogin(PHONE, code, captcha), node.origin()), size=20
    )
    assert len(granted(outcomes)) == 1
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Denied)] == [ProblemCode.CAPTCHA_INVALID] * 19
    assert WRONG_CODE not in outcomes
