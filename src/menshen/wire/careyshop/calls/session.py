"""Give the tokens of a login, refresh them, and log out: refresh.user.token and logout.user.user.

(docs/contracts/careyshop.md sections 5.1 and 5.2.)
"""

from __future__ import annotations

from menshen.core.login.outcomes import Granted
from menshen.core.time import SECOND
from menshen.wire.careyshop import rules
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import profile
from menshen.wire.careyshop.described.answers import Login, Refreshed, TokenPair
from menshen.wire.careyshop.described.fields import REFRESH, reads
from menshen.wire.careyshop.problems import granted, settled
from menshen.wire.careyshop.settings import Settings


def fields(opened: Granted, shop: Settings) -> TokenPair:
    """Return the five fields of `token`, with expiries in unix seconds."""
    return {
        "group_id": shop.group_id,
        "token": opened.token,
        "token_expires": opened.session.expires_at // SECOND,
        "refresh": opened.refresh,
        "refresh_expires": opened.session.refresh_expires_at // SECOND,
    }


def login_fields(opened: Granted, shop: Settings) -> Login:
    """Return what each login answers: the account and its tokens."""
    return {"user": profile.fields(opened.account, shop), "token": fields(opened, shop)}


@reads(REFRESH)
async def refresh(call: Call) -> Refreshed:
    """Return a new pair of tokens for the old one, also when its token has expired."""
    spent = rules.refresh(call.parameters)
    renewed = granted(await call.flows.login.refresh(call.token, spent, call.origin))
    return {"token": fields(renewed, call.settings)}


@reads()
async def logout(call: Call) -> bool:
    """End the session of this token only."""
    settled(await call.flows.sessions.log_out(call.who(), call.origin))
    return True
