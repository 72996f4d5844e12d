"""Set a new password with a code to the account's phone or email. This does not log the user in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from menshen.core.account.accounts import Account
from menshen.core.account.asks import PasswordReset
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Event, Tag
from menshen.core.delivery.messages import Template
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
from menshen.flows.codes.attempts import CODE_REFUSALS, code_key, dead_proof_event, redeem_code
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS
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
    device_rule=True,
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
    """Set a new password, end all sessions, delete the account's codes, and lift its suspensions.

    Denied: WEAK_PASSWORD, CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE. Only after a correct code
    also NOT_REGISTERED, ACCOUNT_DISABLED, and WEAK_PASSWORD for words of the account that the request did not contain.
    WEAK_PASSWORD spends neither captcha nor code. With `username` given (CareyShop) NOT_REGISTERED and ACCOUNT_DISABLED
    become WRONG_CODE. (docs/contracts/weidu.md section 5.3, docs/contracts/careyshop.md section 5.7.)
    """
    now = world.now()
    identifier = Identifier(ask.kind, ask.subject)

    def judge_password(words: Iterable[str | None]) -> bytes | Denied:
        return judge_new_password(ask.password, origin.app, policy, blocklist, words, minimum=origin.password_min)

    raw = judge_password(_told(ask))
    if isinstance(raw, Denied):
        return raw
    key = code_key(origin, ask.purpose, ask.subject)
    proof = None if policy.test_number(ask.subject, now) else key

    async def burn(tx: WriteTx) -> Denied | None:
        refusal = await redeem_code(
            tx, key, ask.code, ask.captcha, Action.RESET, origin, keyring=keyring, policy=policy, now=now
        )
        if refusal is None:
            # Checked only after a correct code: an earlier answer would reveal the account's username to a stranger.
            _insist_on(judge_password(_words_of(await tx.accounts.find_owner(identifier), ask.username)))
        return refusal

    if refusal := await _unless_too_weak(store, burn, _too_weak(ask, origin, now), keyring=keyring, origin=origin):
        return refusal
    made = await hasher.hash(raw)

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await tx.accounts.hold_owner(identifier)
        # A change of the account that came between the two transactions has deleted its codes.
        stands = proof is None or await tx.codes.stands(proof)
        refusal = _refusal_of(account, ask.username) if stands else ProblemCode.WRONG_CODE
        if not stands:
            await tx.audit.append(dead_proof_event(key, origin, now))
        if account is None or refusal:
            return Denied(refusal or ProblemCode.NOT_REGISTERED)
        await tx.accounts.set_password(account.number, made, now=now)
        await end_all_sessions(tx, account.number, origin, now, reason="password_reset")
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.counters.clear(suspension_keys(keyring, account, origin))
        await tx.audit.append(event_of(Tag.PASSWORD_RESET, origin, now, account=account.number, subject=ask.subject))
        await notify(
            tx,
            [ask.subject],
            Template.PASSWORD_CHANGED,
            now,
            origin=origin,
            keyring=keyring,
            policy=policy,
            act=SecurityAct(account.number),
        )
        return Done()

    return await store.write(work)


class _TooWeakError(Exception):
    """Roll the transaction back: the code was correct, and stays valid for another password."""

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
    """Run `burn` in a transaction, and return its refusal.

    If the password is too weak, the transaction is rolled back with its audit events. Then `event` is appended, which
    records that a correct code was used.
    """
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
    """Return the words of the account that the request itself contains."""
    if ask.kind is Kind.PHONE:
        return own_words(ask.username, phone=ask.subject)
    return own_words(ask.username, email=ask.subject)


def _words_of(account: Account | None, username: str | None) -> tuple[str | None, ...]:
    """Return the words of the account that will get the password, () if there is none."""
    return words_of(account) if account and _fits(account, username) else ()


def _refusal_of(account: Account | None, username: str | None) -> ProblemCode | None:
    if username is not None and not _fits(account, username):
        return ProblemCode.WRONG_CODE
    if account is None:
        return ProblemCode.NOT_REGISTERED
    return None if account.active else ProblemCode.ACCOUNT_DISABLED


def _fits(account: Account | None, username: str | None) -> bool:
    """Check whether the account may get a new password. If the request has a username, it must be the account's."""
    if account is None or not account.active:
        return False
    return username is None or account.username == parse_username(username)
