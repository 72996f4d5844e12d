"""Change accounts from the command line. Each change is audited in its own transaction.

Knows accounts, sessions and codes. Must not know the command line, nor how passwords are entered or shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account, NewAccount, Status, time_ordered_name
from menshen.core.account.asks import Edited
from menshen.core.apps import App
from menshen.core.audit.events import ADMIN, Tag
from menshen.core.audit.export import Export
from menshen.core.delivery.messages import Template
from menshen.core.gates.limits import Tally
from menshen.core.identifiers import (
    Identifier,
    Kind,
    classify,
    parse_email,
    parse_phone,
    shown_username,
)
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.outcomes import Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.sessions import Session
from menshen.core.text.typed import folded
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.account.delete_account import close_out
from menshen.flows.account.export import collect
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import admin_event
from menshen.flows.codes.claims import drop_claims
from menshen.flows.gates.password_attempts import subject_of
from menshen.flows.gates.password_policy import DEFAULT_PASSWORD_MIN, judge_new_password, own_words, words_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.accounts import AccountReader, AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_PUBLIC_ID = 26
_LUCK_BYTES = 3


@dataclass(frozen=True, slots=True)
class AccountToAdd:
    """Hold the input as typed. `verified`: the administrator knows that the phone and email belong to the person."""

    username: str | None = None
    phone: str | None = None
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    verified: bool = False


async def find_account(typed: str, *, store: Store) -> Account | Denied:
    """Find an account by username, phone, email, `#number` or public id. Closed ones are found by the last two only.

    An unverified phone or email finds its account, too, if no other account has it.
    Denied: NOT_FOUND; INVALID_REQUEST with `field` "ambiguous".
    """
    return await _find(store.read.accounts, typed)


async def add_account(
    ask: AccountToAdd,
    app: App,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    policy: Policy,
    blocklist: Blocklist,
) -> Edited | Denied:
    """Create an account. Its default username is a time-ordered number. Without `password` it has no password.

    `app` gives the minimum length of passwords. Denied: INVALID_REQUEST with `field` identifier, username, phone or
    email; WEAK_PASSWORD with the reason as `field`; ALREADY_TAKEN with `field`. (docs/contracts/core.md section 1.2.)
    """
    now = world.now()
    new = _canonical(ask, world, now)
    if isinstance(new, Denied):
        return new
    password_hash = ""
    if ask.password is not None:
        words = own_words(new.username, new.phone, new.email)
        raw = judge_new_password(
            ask.password, app, policy, blocklist, words, minimum=app.password_min or DEFAULT_PASSWORD_MIN
        )
        if isinstance(raw, Denied):
            return raw
        password_hash = await hasher.hash(raw)
    complete = NewAccount(
        public_id=new.public_id,
        username=new.username,
        username_shown=new.username_shown,
        phone=new.phone,
        phone_verified=new.phone_verified,
        email=new.email,
        email_verified=new.email_verified,
        password_hash=password_hash,
        created_at=now,
    )

    async def work(tx: WriteTx) -> Account:
        for kind, canonical in ((Kind.PHONE, new.phone), (Kind.EMAIL, new.email)):
            if canonical and ask.verified:
                identifier = Identifier(kind, canonical)
                if await tx.accounts.find_owner(identifier) is not None:
                    raise AlreadyTaken(kind.value)
                await drop_claims(tx, identifier, None, now)
        account = await tx.accounts.add(complete)
        await tx.audit.append(
            admin_event(Tag.ACCOUNT_REGISTERED, now, account=account.number, subject=new.username, reason=ADMIN)
        )
        return account

    try:
        return Edited(await store.write(work))
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)


async def disable_account(typed: str, *, store: Store, world: World) -> Edited | Denied:
    """Disable an account and end its sessions. It can no longer log in. No change if it is disabled already."""
    return await _switch(typed, Status.DISABLED, Tag.ACCOUNT_DISABLED, store=store, world=world)


async def enable_account(typed: str, *, store: Store, world: World) -> Edited | Denied:
    """Enable an account, so that it can log in again. Its ended sessions stay ended."""
    return await _switch(typed, Status.ACTIVE, Tag.ACCOUNT_ENABLED, store=store, world=world)


async def close_account(typed: str, *, store: Store, world: World) -> Edited | Denied:
    """Close an account for good, as `close_out` does."""
    now = world.now()

    async def work(tx: WriteTx) -> Edited | Denied:
        account = await hold_open(tx, typed)
        if isinstance(account, Denied):
            return account
        await close_out(tx, account, None, now)
        return Edited(await tx.accounts.find(account.number) or account)

    return await store.write(work)


async def export_account(typed: str, *, store: Store, world: World) -> Export | Denied:
    """Return all that is kept about an account, closed ones too, as its owner gets it. Denied as `find_account`."""
    account, now = await find_account(typed, store=store), world.now()
    if isinstance(account, Denied):
        return account
    event = admin_event(Tag.ACCOUNT_EXPORTED, now, account=account.number, subject=account.username or "")
    await store.write(lambda tx: tx.audit.append(event))
    return await collect(account, store=store, now=now)


async def set_account_password(
    typed: str,
    password: str,
    app: App,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
) -> Edited | Denied:
    """Set a new password, end all sessions, delete codes, lift a suspension, and notify the owner.

    Denied: NOT_FOUND, INVALID_REQUEST (ambiguous), WEAK_PASSWORD with the reason as `field`.
    """
    found = await _find_open(store.read.accounts, typed)
    if isinstance(found, Denied):
        return found
    raw = judge_new_password(
        password, app, policy, blocklist, words_of(found), minimum=app.password_min or DEFAULT_PASSWORD_MIN
    )
    if isinstance(raw, Denied):
        return raw
    made, now, number = await hasher.hash(raw), world.now(), found.number
    subject = subject_of(found, None, "")
    suspensions = [keyring.counter_key(tally, subject) for tally in (Tally.PASSWORD_ACCOUNT, Tally.PASSWORD_DEVICES)]

    async def work(tx: WriteTx) -> Edited | Denied:
        account = await hold_open(tx, typed)
        if isinstance(account, Denied) or account.number != number:
            return Denied(ProblemCode.NOT_FOUND)
        await tx.accounts.set_password(number, made, now=now)
        await end_all_sessions(tx, number, None, now, reason="password_reset")
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.counters.clear(suspensions)
        await tx.audit.append(
            admin_event(Tag.PASSWORD_RESET, now, account=number, subject=account.username_shown or "", reason=ADMIN)
        )
        await notify(
            tx,
            account.main_contact,
            Template.PASSWORD_CHANGED,
            now,
            origin=None,
            keyring=keyring,
            policy=policy,
        )
        return Edited(await tx.accounts.find(number) or account)

    return await store.write(work)


def draw_password(world: World) -> str:
    """Draw a random password of 128 bits: 26 characters that are easy to read out."""
    return base32(world.token_bytes(TOKEN_BYTES))


async def list_account_sessions(typed: str, *, store: Store, world: World) -> Sequence[Session] | Denied:
    """List the live sessions of an account, newest first."""
    account = await find_account(typed, store=store)
    if isinstance(account, Denied):
        return account
    now = world.now()
    return [session for session in await store.read.sessions.list_of(account.number) if session.live(now)]


async def end_account_sessions(
    typed: str, *, store: Store, world: World, session_id: str | None = None
) -> Done | Denied:
    """End one session of an account, or all if `session_id` is None. Denied: NOT_FOUND with `field` session."""
    now = world.now()

    async def work(tx: WriteTx) -> Done | Denied:
        account = await _hold(tx, typed)
        if isinstance(account, Denied):
            return account
        if session_id is None:
            await end_all_sessions(tx, account.number, None, now, reason="ended_by_admin")
            return Done()
        if not await tx.sessions.end(session_id, account.number):
            return Denied(ProblemCode.NOT_FOUND, field="session")
        await tx.audit.append(
            admin_event(Tag.SESSION_ENDED, now, account=account.number, reason="ended_by_admin", session_id=session_id)
        )
        return Done()

    return await store.write(work)


async def hold_open(tx: WriteTx, typed: str) -> Account | Denied:
    """Find as `find_account` does, and lock the account. Denied also for a closed one: NOT_FOUND."""
    return _open(await _hold(tx, typed))


# --- parts ------------------------------------------------------------------------------------------------------------


def _canonical(ask: AccountToAdd, world: World, now: Instant) -> NewAccount | Denied:
    """Return the account without its password, or a refusal that names the invalid input."""
    if ask.username is None and ask.phone is None and ask.email is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="identifier")
    random_bits = int.from_bytes(world.token_bytes(_LUCK_BYTES))
    username = time_ordered_name(now, random_bits) if ask.username is None else shown_username(ask.username)
    phone = parse_phone(ask.phone) if ask.phone is not None else None
    email = parse_email(ask.email) if ask.email is not None else None
    if username is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="username")
    if ask.phone is not None and phone is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="phone")
    if ask.email is not None and email is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="email")
    return NewAccount(
        public_id=base32(world.token_bytes(TOKEN_BYTES)),
        username=username.lower(),
        username_shown=username,
        phone=phone,
        phone_verified=phone is not None and ask.verified,
        email=email,
        email_verified=email is not None and ask.verified,
        created_at=now,
    )


async def _find(accounts: AccountReader, typed: str) -> Account | Denied:
    account: Account | None = None
    typed = folded(typed)
    if typed.startswith("#") and typed[1:].isascii() and typed[1:].isdigit() and len(typed) < 20:
        account = await accounts.find(int(typed[1:]))
    elif identifier := classify(typed):
        account = await accounts.find_owner(identifier)
        if account is None:
            claims = await accounts.find_claims(identifier)
            if len(claims) > 1:
                return Denied(ProblemCode.INVALID_REQUEST, field="ambiguous")
            account = claims[0] if claims else None
    elif len(typed) == _PUBLIC_ID:
        account = await accounts.find_by_public_id(typed)
    return account or Denied(ProblemCode.NOT_FOUND)


async def _find_open(accounts: AccountReader, typed: str) -> Account | Denied:
    return _open(await _find(accounts, typed))


def _open(found: Account | Denied) -> Account | Denied:
    if isinstance(found, Account) and found.status is Status.CLOSED:
        return Denied(ProblemCode.NOT_FOUND)
    return found


async def _hold(tx: WriteTx, typed: str) -> Account | Denied:
    """Find an account and lock it. Denied NOT_FOUND if another account is found behind the lock."""
    found = await _find(tx.accounts, typed)
    if isinstance(found, Denied):
        return found
    await tx.accounts.hold(found.number)
    again = await _find(tx.accounts, typed)
    if isinstance(again, Account) and again.number != found.number:
        return Denied(ProblemCode.NOT_FOUND)
    return again


async def _switch(typed: str, status: Status, tag: Tag, *, store: Store, world: World) -> Edited | Denied:
    now = world.now()

    async def work(tx: WriteTx) -> Edited | Denied:
        account = await hold_open(tx, typed)
        if isinstance(account, Denied):
            return account
        if await tx.accounts.set_status(account.number, status, now=now):
            await tx.audit.append(admin_event(tag, now, account=account.number, subject=account.username or ""))
        if status is Status.DISABLED:
            await end_all_sessions(tx, account.number, None, now, reason="account_disabled")
        return Edited(await tx.accounts.find(account.number) or account)

    return await store.write(work)
