"""set.user.password and find.user.password: both end every token of the account.

(docs/contracts/careyshop.md section 5.7.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.account.asks import PasswordChange, PasswordReset
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.problems import ProblemCode
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import profile
from menshen.wire.careyshop.problems import settled_as

_WRONG_OLD: Final = frozenset({ProblemCode.WRONG_CREDENTIALS})
# One answer for all: nobody learns by a reset who has an account, or whose number it is.
_NO_RESET: Final = frozenset(
    {
        ProblemCode.WRONG_CODE,
        ProblemCode.CODE_EXPIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.NOT_REGISTERED,
        ProblemCode.ACCOUNT_DISABLED,
        ProblemCode.WRONG_CREDENTIALS,
    }
)


async def set_password(call: Call) -> bool:
    """A new password by the old one."""
    profile.own_account(call)
    chosen = rules.new_password(call.parameters)
    old = rules.password(call.parameters, "password_old", texts.OLD_PASSWORD)
    change = PasswordChange(old, chosen, keep_session=False)
    outcome = await call.flows.account.change_password(change, call.who(), call.origin)
    settled_as(outcome, _WRONG_OLD, texts.WRONG.format(texts.OLD_PASSWORD))
    return True


async def find_password(call: Call) -> bool:
    """A new password by a code, which is verified and consumed here."""
    asked = call.parameters
    code = rules.code(asked, texts.MOBILE_CODE)
    username, mobile, chosen = rules.username(asked), rules.mobile(asked), rules.new_password(asked)
    reset = PasswordReset(Kind.PHONE, mobile, Purpose.VERIFY, code, chosen, username=username)
    settled_as(await call.flows.account.reset_password(reset, call.origin), _NO_RESET, texts.CODE_WRONG)
    return True
