"""Complete a login by its second step: second.user.user. (docs/contracts/factors.md section 11.)

Factors are enrolled and removed elsewhere: this dialect has no call for it.
"""

from __future__ import annotations

from menshen.core.factors.asks import FactorProof, SecondStep
from menshen.wire.careyshop import rules
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import session
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.answers import Login
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import granted


@reads(fields.TICKET, fields.STEP_CODE, optional=(fields.FACTOR,))
async def complete(call: Call) -> Login:
    """Return what the login would have returned. The ticket knows the platform.

    The kind of the factor is named `factor`, because `method` is the name of the call.
    """
    asked = call.parameters
    ticket, code, factor = rules.ticket(asked), rules.step_code(asked), rules.factor(asked)
    step = SecondStep(ticket, FactorProof(factor, code=code))
    return session.login_fields(granted(await call.flows.login.second(step, call.origin)), call.settings)
