"""`Flows`: one typed callable per use case, ports already bound. It is all that the wire ever sees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Bind, Edited, PasswordChange, PasswordReset, ProfileEdit, Registration
from menshen.core.apps import App
from menshen.core.codes.asks import CodeSent, CodeTry, SendCode
from menshen.core.gates.captcha import (
    Action,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    Presented,
    ProofOfWork,
    SolvedChallenge,
)
from menshen.core.identifiers import Identifier
from menshen.core.login.asks import CodeLogin, CodeSignup, PasswordLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated, Bearer
from menshen.core.sessions.sessions import ListedSession
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """The use cases. Each returns its outcome; refusals are `Denied`, broken preconditions raise `Problem`."""

    policy: Policy
    now: Callable[[], Instant]
    csrf_fits: Callable[[str, str], bool]
    """(session_id, presented) -> whether it is that session's CSRF value, in constant time."""

    # who is asking
    app_by_host: Callable[[str], Awaitable[App]]
    """Host header (lower case) -> the app whose `host` it is, else `default`."""
    serves_host: Callable[[str], Awaitable[bool]]
    """Host header (lower case) -> whether requests under it are for an app of ours at all."""
    app_by_key: Callable[[str], Awaitable[App | None]]
    """CareyShop appkey -> app (also a disabled one), None when unknown."""
    check_token: Callable[[str], Awaitable[Bearer | None]]
    """The hot path: token text -> who, None for every token that is not good now. Slides sessions that slide."""
    recall_token: Callable[[str], Bearer | None] = lambda _: None
    """The hottest path: as `check_token` for tokens that were checked lately; None says only that it must be asked."""
    authenticate: Callable[[str], Awaitable[Authenticated | Denied]]
    """Token text -> session and account. Denied: UNAUTHENTICATED, or SESSION_EXPIRED for a known, lapsed token."""

    # logging in
    crowded: Callable[[str], bool]
    """(dialect) -> whether no password can be judged now, so that a login may be refused before it is read."""
    login_password: Callable[[PasswordLogin, Origin], Awaitable[LoginOutcome]]
    login_code: Callable[[CodeLogin, Origin], Awaitable[LoginOutcome]]
    refresh: Callable[[str, str, Origin], Awaitable[LoginOutcome]]
    """(token, refresh) -> a new pair. Denied: UNAUTHENTICATED, REFRESH_INVALID, REFRESH_EXPIRED."""

    # codes and captchas
    send_code: Callable[[SendCode, Origin], Awaitable[CodeSent | Denied]]
    verify_code: Callable[[CodeTry, Origin], Awaitable[ActionOutcome]]
    """Mark a code verified, to be consumed by `use_code`. Denied: WRONG_CODE, CODE_EXPIRED."""
    use_code: Callable[[str, Authenticated | None, Origin], Awaitable[ActionOutcome]]
    """Consume the verified code of a phone or email (canonical); with a caller, mark it verified on their account."""
    new_challenge: Callable[[Origin], Awaitable[ProofOfWork]]
    solve_challenge: Callable[[SolvedChallenge, Origin], Awaitable[CaptchaPass | Denied]]
    spend_captcha: Callable[[Presented | None, Action, Origin], Awaitable[ActionOutcome]]
    """Spend a captcha on an action. Denied: CAPTCHA_REQUIRED, CAPTCHA_INVALID."""
    image_captcha: Callable[[Origin], Awaitable[CaptchaTicket | Denied]]
    """Whether this app and network must solve an image at login, and the session id to draw it under."""
    draw_captcha: Callable[[str, Origin], Awaitable[CaptchaImage | Denied]]
    """Session id -> a fresh image (the answer drawn before is forgotten)."""

    # becoming somebody
    register: Callable[[Registration, Origin], Awaitable[Edited | Denied]]
    """Denied: ALREADY_TAKEN with `field` username | phone | nickname, WEAK_PASSWORD, INVALID_REQUEST with `field`."""
    sign_up: Callable[[CodeSignup, Origin], Awaitable[LoginOutcome]]
    exists: Callable[[Identifier, Presented | None, Origin], Awaitable[bool | Denied]]
    """The account oracle, counted and behind a captcha after `exist_free` calls of a network and hour."""
    taken: Callable[[str, str, int | None, Origin], Awaitable[bool | Denied]]
    """(field username|phone|nickname, canonical value, account number to leave out) -> is it taken; counted."""

    # changing things
    change_password: Callable[[PasswordChange, Authenticated, Origin], Awaitable[ActionOutcome]]
    reset_password: Callable[[PasswordReset, Origin], Awaitable[ActionOutcome]]
    bind: Callable[[Bind, Authenticated, Origin], Awaitable[Edited | Denied]]
    edit_profile: Callable[[ProfileEdit, Authenticated, Origin], Awaitable[Edited | Denied]]
    find_account: Callable[[str], Awaitable[Account | None]]
    """Public id -> an open account, for public fields only."""

    # sessions
    list_sessions: Callable[[Authenticated], Awaitable[Sequence[ListedSession]]]
    log_out: Callable[[Authenticated, Origin], Awaitable[ActionOutcome]]
    end_session: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]]
    """Opaque session id of the caller's own account. Denied: NOT_FOUND."""
    end_other_sessions: Callable[[Authenticated, Origin], Awaitable[ActionOutcome]]

    # health
    ready: Callable[[], Awaitable[bool]]
    """Whether the database takes writes."""
