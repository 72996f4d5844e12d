"""Answer a login whose first proof was right, and that needs a second step. (docs/contracts/factors.md section 11.)"""

from __future__ import annotations

from msgspec import UNSET

from menshen.core.login.outcomes import StepNeeded
from menshen.core.time import seconds_until
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.envelope import Failure, Reply, fail
from menshen.wire.weidu.problems import SECOND_FACTOR_REQUIRED, TABLE
from menshen.wire.weidu.texts import sentence


def ask_for_step(call: Call, needed: StepNeeded) -> Reply:
    """Return 428 with the ticket, or 401 where a `second_code` of the request was wrong."""
    refused = needed.refused
    rule = SECOND_FACTOR_REQUIRED if refused is None else TABLE[refused.code]
    failure = Failure(
        code=rule.status,
        result=sentence(rule.message, call.origin.language, seconds=(refused and refused.retry_after) or 0),
        error=rule.word,
        login_ticket=needed.ticket,
        methods=list(needed.methods),
        expires_in=seconds_until(needed.expires_at, call.flows.now()),
        enroll=needed.enroll or UNSET,
        mobile=needed.phone or UNSET,
        tries_left=UNSET if refused is None or refused.tries_left is None else refused.tries_left,
    )
    return fail(failure)
