"""Flows whose session lives on, operators, apps, imports, and those who want one phone. (RACE-14; decision 0054.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from menshen.core.account.asks import Bind, Edited, PasswordReset, Registration
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import LIFETIME, CodeChallenge, CodeKey, Purpose, Taken
from menshen.core.gates.limits import Hit
from menshen.core.identifiers import Identifier, Kind
from menshen.core.login.asks import CodeLogin, CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.moving_in import Fate, SessionToImport
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, SECOND, after
from menshen.core.tokens import digest
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.apps import manage as app_manage
from menshen.flows.moving_in.sessions import import_sessions
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import WriteTx
from tests.flows.account.calls import registered, sign_up
from tests.flows.behind.interleaving import Interleaving, Play, When, name_of
from tests.flows.behind.scene import (
    SUCCEEDED,
    THIRD_PHONE,
    Part,
    Scene,
    bind_for,
    change_password_of,
    open_scene,
    use_code_for,
)
from tests.flows.site import CAREYSHOP, EMAIL, NEW, OTHER_EMAIL, OTHER_PHONE, PASSWORD, PHONE, Site
from tests.substitutes import raising, store_with

pytestmark = pytest.mark.attack("RACE-14")
BOTH = pytest.mark.parametrize("when", [When.BETWEEN, When.HELD])


async def meet(
    site: Site, url: str, when: When, flow: tuple[Play, str], rival: tuple[Play, str], number: int = 1
) -> Any:
    """Give the flow's answer; the rival has its way."""
    meeting = Interleaving(site, number, when, rival[0], flow[1], rival[1], url)
    answer = await meeting.run(flow[0])
    assert isinstance(meeting.rivals_answer[0], (*SUCCEEDED, Granted)), meeting.rivals_answer
    return answer


def played(part: Part, scene: Scene) -> Play:
    async def play(site: Site, store: Any) -> Any:
        return await part(site, scene, store)

    return play


@BOTH
async def test_a_verified_code_brings_no_phone_back(postgres_site: Site, emptied_url: str, when: When) -> None:
    """One session does both: the code to the old phone was verified before its change."""
    scene = await open_scene(postgres_site)
    flow, rival = played(use_code_for("owner"), scene), played(bind_for("owner", OTHER_PHONE), scene)
    answer = await meet(postgres_site, emptied_url, when, (flow, "use_code.work"), (rival, "bind.work"))
    # The change deleted the code with all others.
    assert answer == Denied(ProblemCode.CODE_EXPIRED)
    assert (await postgres_site.account(scene.account)).proved == (OTHER_PHONE, EMAIL)


@BOTH
async def test_a_verified_code_brings_no_claim_back(postgres_site: Site, emptied_url: str, when: When) -> None:
    """A claim that was replaced by a proved phone: no change deletes its code, which anybody could have asked for."""
    site = postgres_site
    account = await registered(site, "kevin", phone=PHONE)
    await site.ask_code(PHONE, Purpose.VERIFY, site.elsewhere())
    await site.ask_code(OTHER_PHONE, Purpose.BIND, site.elsewhere())
    verify, bind = (message.code for message in (await site.harness.messages())[-2:])
    assert await site.flows.codes.verify(CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, verify), site.origin()) == Done()
    caller = await site.caller(await site.login())

    async def use(where: Site, store: Any) -> Any:
        return await where.flows.codes.use(PHONE, caller, site.origin())

    async def change(where: Site, store: Any) -> Any:
        return await where.flows.account.bind(Bind(Kind.PHONE, OTHER_PHONE, bind), caller, site.origin())

    answer = await meet(site, emptied_url, when, (use, "use_code.work"), (change, "bind.work"), account.number)
    assert answer == Denied(ProblemCode.FORBIDDEN)
    assert (await site.account(account)).proved == (OTHER_PHONE,)


@BOTH
async def test_the_old_password_proves_nothing_after_its_change(
    postgres_site: Site, emptied_url: str, when: When
) -> None:
    scene = await open_scene(postgres_site)
    flow, rival = (
        played(bind_for("owner", THIRD_PHONE, PASSWORD), scene),
        played(change_password_of("owner", NEW), scene),
    )
    answer = await meet(postgres_site, emptied_url, when, (flow, "bind.burn"), (rival, "change_password.work"))
    assert answer == Denied(ProblemCode.WRONG_CREDENTIALS)
    assert (await postgres_site.account(scene.account)).proved == (PHONE, EMAIL)


@BOTH
@pytest.mark.parametrize("flow", ["password", "phone"])
async def test_a_change_tells_and_ends_what_the_account_has_now(
    postgres_site: Site, emptied_url: str, when: When, flow: str
) -> None:
    """The mailbox changes first, by the same session: its code dies and it gets the notice."""
    site, scene = postgres_site, await open_scene(postgres_site)
    await site.ask_code(OTHER_EMAIL, Purpose.LOGIN, site.elsewhere())
    code = (await site.harness.messages())[-1].code
    part, turn = change_password_of("owner", NEW), "change_password.work"
    if flow == "phone":
        part, turn = bind_for("owner", THIRD_PHONE), "bind.work"
    rival = played(bind_for("owner", OTHER_EMAIL), scene)
    answer = await meet(site, emptied_url, when, (played(part, scene), turn), (rival, "bind.work"))
    assert isinstance(answer, Done | Edited)
    told = [message.to for message in await site.harness.messages() if not message.code]
    assert told[-1] == OTHER_EMAIL
    login = await site.flows.login.code(CodeLogin(OTHER_EMAIL, code, await site.captcha()), site.origin())
    assert login == Denied(ProblemCode.WRONG_CODE)


@pytest.mark.parametrize("command", ["disable", "close", "end", "reset"])
async def test_an_operator_means_the_owner_of_what_was_typed(
    postgres_site: Site, emptied_url: str, command: str
) -> None:
    site, scene = postgres_site, await open_scene(postgres_site)
    ports = site.harness.assembled.ports
    turns = {
        "disable": "_switch.work", "close": "close_account.work", "end": "end_account_sessions.work",
        "reset": "set_account_password.work",
    }  # fmt: skip

    async def run(_: Site, store: Any) -> Any:
        if command == "disable":
            return await admin_accounts.disable_account(PHONE, store=store, world=site.clock)
        if command == "close":
            return await admin_accounts.close_account(PHONE, store=store, world=site.clock)
        if command == "end":
            return await admin_accounts.end_account_sessions(PHONE, store=store, world=site.clock)
        return await admin_accounts.set_account_password(
            PHONE, "entirely other words", site.harness.app, store=store, hasher=ports.hasher, world=site.clock,
            keyring=ports.keyring, policy=ports.policy, blocklist=ports.blocklist,
        )  # fmt: skip

    rival = played(bind_for("owner", OTHER_PHONE), scene)
    answer = await meet(site, emptied_url, When.HELD, (run, turns[command]), (rival, "bind.work"))
    assert answer == Denied(ProblemCode.NOT_FOUND)
    account = await site.account(scene.account)
    assert account.active
    assert [one.session_id for one in await site.sessions(account)] == [scene.owner.session.session_id]
    await site.login(OTHER_PHONE)


async def test_of_two_changes_of_an_app_neither_undoes_the_other(postgres_site: Site, emptied_url: str) -> None:
    site = postgres_site
    await site.kevin()

    def change(**given: Any) -> tuple[Play, str]:
        async def run(_: Site, store: Any) -> Any:
            return await app_manage.change_app("default", given, store=store, world=site.clock)

        return run, "change_app.work"

    await meet(site, emptied_url, When.HELD, change(app_name="renamed"), change(disabled=True))
    app = await site.store.read.apps.find_by_name("default")
    assert (app.app_name, app.disabled) == ("renamed", True)


@BOTH
@pytest.mark.parametrize("rival", ["reset", "disabled"])
async def test_no_session_is_imported_past_a_change(
    postgres_site: Site, emptied_url: str, when: When, rival: str
) -> None:
    site = postgres_site
    account = await site.kevin()
    await site.store.write(lambda tx: tx.imports.note("shop", {7: (1, account.number)}))
    code = await site.code(PHONE, Purpose.RESET)
    until = after(site.clock.now(), DAY)
    carried = SessionToImport(1, 7, digest("token"), digest("refresh"), "app", site.clock.now(), until, until)

    async def carry(_: Site, store: Any) -> Any:
        return await import_sessions([carried], "shop", site.harness.app, "careyshop", store=store, world=site.clock)

    async def reset(where: Site, store: Any) -> Any:
        ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=await site.captcha())
        return await where.flows.account.reset_password(ask, site.origin())

    async def disable(_: Site, store: Any) -> Any:
        return await admin_accounts.disable_account("kevin", store=store, world=site.clock)

    overtaking = (reset, "reset_password.work") if rival == "reset" else (disable, "_switch.work")
    (told,) = await meet(site, emptied_url, when, (carry, "import_sessions.work"), overtaking, account.number)
    assert told.fate is Fate.LEFT_OUT
    await admin_accounts.enable_account("kevin", store=site.store, world=site.clock)
    assert await site.sessions(account) == []


@BOTH
@pytest.mark.parametrize("flow", ["sign-up", "registration"])
async def test_what_another_took_meanwhile_is_taken(
    postgres_site: Site, emptied_url: str, when: When, flow: str
) -> None:
    """Unique indexes judge this, at the end of the wait."""
    site = postgres_site
    await site.harness.add_account("other", email=OTHER_EMAIL, password=PASSWORD)
    await site.ask_code(PHONE, Purpose.SIGNUP, site.elsewhere())
    site.clock.advance(61_000)
    await site.ask_code(PHONE, Purpose.BIND, site.elsewhere())
    sign_up_code, bind_code = (message.code for message in (await site.harness.messages())[-2:])
    other = await site.caller(await site.login("other"))

    async def enter(where: Site, store: Any) -> Any:
        ask = CodeSignup(PHONE, sign_up_code, PASSWORD, await site.captcha())
        return await where.flows.login.sign_up(ask, site.origin())

    async def bind(where: Site, store: Any) -> Any:
        return await where.flows.account.bind(Bind(Kind.PHONE, PHONE, bind_code), other, site.origin())

    async def register(where: Site, store: Any) -> Any:
        ask = Registration("kevin", PASSWORD)
        return await where.flows.account.register(ask, site.origin(rules=CAREYSHOP))

    pair = (enter, "sign_up.grant"), (bind, "bind.work")
    if flow == "registration":
        pair = (register, "register.work"), (register, "register.work")
    answer = await meet(site, emptied_url, when, *pair)
    taken = "phone" if flow == "sign-up" else "username"
    assert answer == Denied(ProblemCode.ALREADY_TAKEN, field=taken)
    identifier = Identifier(Kind.PHONE, PHONE) if flow == "sign-up" else Identifier(Kind.USERNAME, "kevin")
    owner = await site.store.read.accounts.find_owner(identifier)
    assert owner.number == (1 if flow == "sign-up" else 2)


async def test_what_is_used_again_is_not_swept(postgres_site: Site, emptied_url: str) -> None:
    """A counter and a code whose rows are old, and are renewed while the sweep waits for them."""
    site = postgres_site
    await site.kevin()
    hit = Hit(b"k", SECOND, 1)
    await site.store.write(lambda tx: tx.counters.hit([hit], site.clock.now()))
    await site.ask_code(PHONE)
    site.clock.advance(3 * DAY)
    now = site.clock.now()

    async def sweeping(_: Site, store: Any) -> Any:
        async def work(tx: WriteTx) -> int:
            return await tx.upkeep.sweep(now, audit_days=90, batch=500)

        return await store.write(work)

    def use(use_it: Callable[[WriteTx], Awaitable[Any]]) -> tuple[Play, str]:
        async def using(_: Site, store: Any) -> Any:
            async def work(tx: WriteTx) -> None:
                await use_it(tx)

            await store.write(work)
            return Done()

        return using, name_of(test_what_is_used_again_is_not_swept) + ".use.using.work"

    sweep = sweeping, name_of(test_what_is_used_again_is_not_swept) + ".sweeping.work"

    key = CodeKey(site.harness.app.app_id, Purpose.LOGIN, PHONE)
    code = CodeChallenge(key, b"mac" * 8, b"", now, after(now, LIFETIME))
    await meet(site, emptied_url, When.HELD, sweep, use(lambda tx: tx.counters.hit([hit], now)))
    await meet(site, emptied_url, When.HELD, sweep, use(lambda tx: tx.codes.put(code)))
    assert await site.store.read.counters.peek(b"k", now) == 1
    assert await site.store.write(lambda tx: tx.codes.take(key, (code.code_mac,), now)) is Taken.MATCHED


@pytest.mark.attack("RACE-14", "AD-8")
async def test_a_code_that_is_sent_again_is_not_cleared_with_the_epoch_before(
    postgres_site: Site, emptied_url: str
) -> None:
    """The row of an older epoch gets a new code while the clearing waits for it."""
    site = postgres_site
    await site.kevin()
    await site.ask_code(PHONE)
    await site.store.write(lambda tx: tx.upkeep.raise_epoch(site.clock.now()))
    now = site.clock.now()
    key = CodeKey(site.harness.app.app_id, Purpose.LOGIN, PHONE)
    code = CodeChallenge(key, b"mac" * 8, b"", now, after(now, LIFETIME))

    async def clearing(_: Site, store: Any) -> Any:
        async def work(tx: WriteTx) -> int | None:
            return await tx.upkeep.clear_epochs(batch=500)

        return await store.write(work)

    async def sending(_: Site, store: Any) -> Any:
        async def work(tx: WriteTx) -> None:
            await tx.codes.put(code)

        await store.write(work)
        return Done()

    here = name_of(test_a_code_that_is_sent_again_is_not_cleared_with_the_epoch_before)
    clear, send = (clearing, f"{here}.clearing.work"), (sending, f"{here}.sending.work")
    await meet(site, emptied_url, When.HELD, clear, send)
    assert await site.store.write(lambda tx: tx.codes.take(key, (code.code_mac,), now)) is Taken.MATCHED


@pytest.mark.parametrize("flow", ["login", "sign-up"])
async def test_who_is_overtaken_again_and_again_is_asked_to_come_back(site: Site, flow: str) -> None:
    """Somebody may register the phone as a claim each time: the caller hears that, and no error of ours."""
    code = await site.code(PHONE, Purpose.LOGIN if flow == "login" else Purpose.SIGNUP)
    crowded = site.over(store=store_with(site.store, accounts={"add": raising(AlreadyTaken("phone"))}))
    with pytest.raises(Problem) as refused:
        await (crowded.try_code(code) if flow == "login" else sign_up(crowded, code=code))
    assert refused.value.denied.code is ProblemCode.UNAVAILABLE
