"""Provide `menshen audit`: list the events of the audit log."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, refuse, with_installation
from menshen.cli.showing import instant, show_table
from menshen.core.audit.events import Event
from menshen.core.problems import Denied
from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant

_SPAN = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}


def audit(
    *,
    account: Annotated[str | None, typer.Option(metavar="IDENTIFIER", help="Only events of this account.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from then on: 30m, 12h, 7d, or 2026-01-31T08:00.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number; the newest are kept.")] = 1000,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List audit events, newest last."""
    from menshen.flows.admin.accounts import find_account

    async def work(here: Installation) -> list[Event]:
        number = None
        if account is not None:
            found = await find_account(account, store=here.store)
            if isinstance(found, Denied):
                refuse(found, f"account {account}")
            number = found.number
        start = _start(since, here.world.now()) if since is not None else None
        return list(await here.store.read.audit.list_events(account_number=number, since=start, limit=limit))

    rows = [
        {
            "at": instant(event.at),
            "event": event.tag.value,
            "account": event.account_number,
            "app": event.app_id,
            "dialect": event.source,
            "ip": event.ip,
            "subject": event.subject,
            "reason": event.reason,
            "session": event.session_id,
        }
        for event in with_installation(data, config, work)
    ]
    show_table(rows, as_json=as_json, nothing="no events")


def _start(text: str, now: Instant) -> Instant:
    if span := _SPAN.fullmatch(text):
        return Instant(max(1, now - int(span[1]) * _UNITS[span[2]]))
    try:
        at = datetime.fromisoformat(text)
        return Instant(max(1, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * SECOND)))
    except (ValueError, OverflowError):
        raise RefusedError(f"--since {text}: use 30m, 12h, 7d, or a time such as 2026-01-31T08:00 (UTC)") from None
