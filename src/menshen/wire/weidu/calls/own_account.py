"""Delete the caller's own account: DELETE /users/me. Export what is kept about it: GET /users/export.

A deletion needs a proof in the request: the password, or a code of purpose proof sent to the current phone or email.
An export needs a login of the last ten minutes. (docs/contracts/weidu.md sections 5.11 and 5.12.)
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from menshen.core.account.asks import Deletion
from menshen.core.audit.export import Export
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier, decode
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Header, Ok, Reply, ok

_AS_FILE: Final[tuple[Header, ...]] = (("content-disposition", 'attachment; filename="account.json"'),)


class DeleteRequest(Struct, frozen=True, kw_only=True):
    """Take a proof of identity: one of the two."""

    password: decode.MaybePassword = ""
    proof_code: decode.MaybeProofCode = ""


class ExportAnswer(Ok, frozen=True, kw_only=True):
    """Answer all that is kept about the caller's account."""

    export: Export


async def delete(call: PrivateCall, body: DeleteRequest) -> Reply:
    """Delete the account for good: all sessions end, and phone, email and username are free again."""
    ask = Deletion(body.password or None, body.proof_code or None)
    match await call.flows.account.delete(ask, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok(headers=carrier.clear(call))


async def get_export(call: PrivateCall, body: NoBody) -> Reply:
    """Return all that is kept about the account, as a file."""
    match await call.flows.account.export(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Export() as export:
            return ok(ExportAnswer(export=export), _AS_FILE)
