"""Answer what people may do with all of their data: take a copy along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from menshen.core.account.export_tickets import ExportTicket
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, ProofNeeded, Raw
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.moments import day, moment
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/data"
_JSON: Final = "application/json; charset=utf-8"


async def get(call: Call) -> Answer:
    """Show the exports that can be fetched, and the way to close the account."""
    return await _show(call)


async def post_export(call: Call) -> Answer:
    """Order an export."""
    ordered = await call.flows.account.order_export(call.member, call.origin)
    return await _refuse(call, ordered) if isinstance(ordered, Denied) else call.go(PAGE, said="data.ordered")


async def get_export(call: Call) -> Answer:
    """Answer an export as a file. It is made now: no copy of it rests."""
    export = await call.flows.account.fetch_export(call.resource, call.member, call.origin)
    if isinstance(export, Denied):
        return await _refuse(call, export)
    name = f'attachment; filename="account-{day(call.now)}.json"'
    return Raw(msgspec.json.format(msgspec.json.encode(export)), _JSON, headers=(("content-disposition", name),))


async def _refuse(call: Call, denied: Denied) -> Answer:
    if denied.code is ProblemCode.PROOF_REQUIRED:
        raise ProofNeeded
    return await _show(call, denied)


async def _show(call: Call, error: Denied | None = None) -> Answer:
    found = await call.flows.account.exports(call.member, call.origin)
    tickets: Sequence[ExportTicket] = ()
    if isinstance(found, Denied):
        error = error or found
    else:
        tickets = found
    shown = [(ticket.id, moment(call.words, ticket.expires_at, call.now)) for ticket in tickets]
    return call.page("account/data.html", error=error, tickets=shown)


ROUTES: Final = (
    Route("GET", PAGE, get, "account.exports", Access.PRIVATE),
    Route("POST", f"{PAGE}/export", post_export, "account.order_export", Access.PRIVATE),
    Route("GET", f"{PAGE}/export/{{id}}", get_export, "account.fetch_export", Access.PRIVATE),
)
