"""Answer logins: the record of each way to log in, and the answer to its outcome.

A login that took two steps is answered as the one that began, byte for byte. (docs/contracts/weidu.md sections 2 and 3,
docs/contracts/factors.md section 11.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from menshen.core.login.outcomes import Granted, LoginOutcome, StepNeeded
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier, records
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.steps import ask_for_step, refuse

_TrustToken = Annotated[
    str, Meta(description="Takes the place of the step at the next password login; a page gets a cookie instead.")
]
_RecoveryCodes = Annotated[list[str], Meta(description="Shown once, with the first factor of an account.")]


class PasswordLoginAnswer(Ok, frozen=True, kw_only=True):
    """Answer as in the example of the API document."""

    user_info: records.UserInfo
    trust_token: _TrustToken | UnsetType = UNSET
    recovery_codes: _RecoveryCodes | UnsetType = UNSET


class CodeLoginAnswer(Struct, frozen=True, kw_only=True):
    """Answer as in the example of the API document, where `result` comes before `code`."""

    result: Literal["ok"] = "ok"
    code: Literal[200] = 200
    user_info: records.CodeUserInfo
    trust_token: _TrustToken | UnsetType = UNSET
    recovery_codes: _RecoveryCodes | UnsetType = UNSET


class SignupAnswer(Ok, frozen=True, kw_only=True):
    """Answer a sign-up: the bare envelope, and what is shown once."""

    trust_token: _TrustToken | UnsetType = UNSET
    recovery_codes: _RecoveryCodes | UnsetType = UNSET


ANSWERS: Final[tuple[type[Struct], ...]] = (PasswordLoginAnswer, CodeLoginAnswer, SignupAnswer)
"""All forms of a login's answer: a second step is answered in the form of its first."""

Form = Callable[[Granted, str | UnsetType, list[str] | UnsetType], Struct]


def by_password(granted: Granted, trust: str | UnsetType, codes: list[str] | UnsetType) -> Struct:
    """Return the answer of a login with a password or a passkey."""
    return PasswordLoginAnswer(user_info=records.after_login(granted.account), trust_token=trust, recovery_codes=codes)


def by_code(granted: Granted, trust: str | UnsetType, codes: list[str] | UnsetType) -> Struct:
    """Return the answer of a login with a code."""
    return CodeLoginAnswer(user_info=records.after_code_login(granted.account), trust_token=trust, recovery_codes=codes)


def by_signup(granted: Granted, trust: str | UnsetType, codes: list[str] | UnsetType) -> Struct:
    """Return the answer of a sign-up."""
    return SignupAnswer(trust_token=trust, recovery_codes=codes)


_BEGAN: Final[Mapping[str, Form]] = {"code": by_code, "signup": by_signup}


async def answer_login(
    call: Call, outcome: LoginOutcome, form: Form | None = None, names: Mapping[str, str] | None = None
) -> Reply:
    """Return the answer to a login: Token header, cookies and the record of `form`, or why there is none.

    Without `form`, it is that of the login that began. `names` as in `Call.refuse`.
    """
    match outcome:
        case Granted() as granted:
            form = form or _BEGAN.get(granted.began, by_password)
            trust = granted.trust if granted.trust and not call.origin.step.browser else UNSET
            codes = list(granted.recovery_codes) if granted.recovery_codes else UNSET
            return ok(form(granted, trust, codes), carrier.place(granted, call))
        case StepNeeded() as needed:
            return ask_for_step(call, needed)
        case Denied() as denied:
            return await refuse(call, denied, names)
