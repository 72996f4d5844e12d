"""Set a new password by a code to the account's phone or email. Nobody is logged in by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from menshen.core.account.accounts import Account
from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Event, Tag
from menshen.core.codes.messages import Template
from menshen.core.gates.captcha import Action
from menshen.core.identifiers import Identifier, Kind, parse_username
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.codes.attempts import CODE_REFUSALS, burn_code_captcha, code_key, try_code
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.gates.password_attempts import suspension_keys
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, own_words, words_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    WEAK_PASSWORD
    | CAPTCHA_REFUSALS
    | SIGN_REFUSALS
    | CODE_REFUSALS
    | {ProblemCode.NOT_REGISTERED, ProblemCode.ACCOUNT_DISABLED, ProblemCode.OVERLOADED},
    deny_list=True,
)
async def reset_password(
    ask: PasswordReset,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
) -> ActionOutcome:
    """A new password; every session of the account ends, outstanding codes die, suspensions are lifted.

    Denied: WEAK_PASSWORD (nothing is burnt then), CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE;
    and only after a right code WEAK_PASSWORD for words of the account that the request did not tell (nothing is burnt
    then either), NOT_REGISTERED, ACCOUNT_DISABLED. With `username` given (CareyShop) those two
    are WRONG_CODE too. (docs/contracts/weidu.md section 5.3, docs/contracts/careyshop.md section 5.7.)
    """
    now = world.now()
    identifier = Identifier(ask.kind, ask.subject)

    def judge_password(words: Iterable[str | None]) -> bytes | Denied:
        return judge_new_password(ask.password, origin.app, policy, blocklist, words, minimum=origin.password_min)

    raw = judge_password(_told(ask))
    if isinstance(raw, Denied):
        return raw
    key = code_key(origin, ask.purpose, ask.subject)

    async def burn(tx: WriteTx) -> Denied | None:
        refusal: Denied | None = None
        if ask.purpose.needs_captcha:
            refusal = await burn_code_captcha(tx, ask.captcha, Action.RESET, key, origin, keyring=keyring, now=now)
        refusal = refusal or await spend_sign(tx, origin)
        refusal = refusal or await try_code(tx, key, ask.code, origin, keyring=keyring, policy=policy, now=now)
        if refusal is None:
            # Only now: before the code was right, the answer would tell a stranger what the account is called.
            _insist_on(judge_password(_words_of(await tx.accounts.find_owner(identifier), ask.username)))
        return refusal

    if refusal := await _unless_too_weak(store, burn, _too_weak(ask, origin, now), keyring=keyring, origin=origin):
        return refusal
    made = await hasher.hash(raw)

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await tx.accounts.find_owner(identifier)
        if ask.username is not None and not _fits(account, ask.username):
            return Denied(ProblemCode.WRONG_CODE)
        if account is None:
            return Denied(ProblemCode.NOT_REGISTERED)
        if not account.active:
            return Denied(ProblemCode.ACCOUNT_DISABLED)
        await tx.accounts.set_password(account.number, made, now=now)
        await end_all_sessions(tx, account.number, origin, now, reason="password_reset")
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.counters.clear(suspension_keys(keyring, account, origin))
        await tx.audit.append(event_of(Tag.PASSWORD_RESET, origin, now, account=account.number, subject=ask.subject))
        await notify(tx, [ask.subject], Template.PASSWORD_CHANGED, origin.language, now)
        return Done()

    return await store.write(work)


class _TooWeakError(Exception):
    """Takes the burning back: the code was right, and is good for another password."""

    def __init__(self, denied: Denied) -> None:
        super().__init__()
        self.denied = denied


async def _unless_too_weak(
    store: Store,
    burn: Callable[[WriteTx], Awaitable[Denied | None]],
    event: Event,
    *,
    keyring: Keyring,
    origin: Origin,
) -> Denied | None:
    """What burning said. Where it is taken back its events go with it: a right code was used, and `event` tells so."""
    try:
        return await store.write(burn)
    except _TooWeakError as weak:
        await store.write(lambda tx: append_refusal(tx, event, origin, keyring))
        return weak.denied


def _too_weak(ask: PasswordReset, origin: Origin, now: Instant) -> Event:
    return event_of(Tag.CODE_REFUSED, origin, now, subject=ask.subject, reason=f"{ask.purpose.value}:weak_password")


def _insist_on(judged: bytes | Denied) -> None:
    if isinstance(judged, Denied):
        raise _TooWeakError(judged)


def _told(ask: PasswordReset) -> tuple[str | None, ...]:
    """What the request itself says of the account."""
    if ask.kind is Kind.PHONE:
        return own_words(ask.username, phone=ask.subject)
    return own_words(ask.username, email=ask.subject)


def _words_of(account: Account | None, username: str | None) -> tuple[str | None, ...]:
    """Of the account that will get the password, if one does."""
    return words_of(account) if account and _fits(account, username) else ()


def _fits(account: Account | None, username: str | None) -> bool:
    """Whether the account may get a new password, under the name that was told with the code if any."""
    if account is None or not account.active:
        return False
    return username is None or account.username == parse_username(username)
