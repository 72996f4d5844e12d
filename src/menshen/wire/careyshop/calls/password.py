"""Set a new password: set.user.password and find.user.password. Both end all tokens of the account.

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
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import Reworded, settled_as

_WRONG_OLD: Final = Reworded(frozenset({ProblemCode.WRONG_CREDENTIALS}), texts.WRONG.format(texts.OLD_PASSWORD))
# All refusals get one answer: a reset must not show if an account exists or which number it has.
_NO_RESET: Final = Reworded(
    frozenset(
        {
            ProblemCode.WRONG_CODE,
            ProblemCode.CODE_EXPIRED,
            ProblemCode.NOT_FOUND,
            ProblemCode.NOT_REGISTERED,
            ProblemCode.ACCOUNT_DISABLED,
            ProblemCode.WRONG_CREDENTIALS,
        }
    ),
    texts.CODE_WRONG,
)


@reads(fields.CLIENT_ID, fields.PASSWORD_OLD, fields.PASSWORD, fields.PASSWORD_CONFIRM, reworded=_WRONG_OLD)
async def set_password(call: Call) -> bool:
    """Set a new password with the old one as proof."""
    profile.own_account(call)
    chosen = rules.new_password(call.parameters)
    old = rules.password(call.parameters, "password_old", texts.OLD_PASSWORD)
    change = PasswordChange(old, chosen, keep_session=False)
    outcome = await call.flows.account.change_password(change, call.who(), call.origin)
    settled_as(outcome, _WRONG_OLD)
    return True


@reads(
    fields.USERNAME,
    fields.MOBILE,
    fields.CODE,
    fields.PASSWORD,
    fields.PASSWORD_CONFIRM,
    reworded=_NO_RESET,
)
async def find_password(call: Call) -> bool:
    """Set a new password with a code as proof. The code is verified and consumed."""
    asked = call.parameters
    code = rules.code(asked, texts.MOBILE_CODE)
    username, mobile, chosen = rules.username(asked), rules.mobile(asked), rules.new_password(asked)
    reset = PasswordReset(Kind.PHONE, mobile, Purpose.VERIFY, code, chosen, username=username)
    settled_as(await call.flows.account.reset_password(reset, call.origin), _NO_RESET)
    return True
