"""Provide `menshen audit`: list the events of the audit log, or count them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final

import click

from menshen.app.installation.opening import Installation
from menshen.app.plugins import near
from menshen.cli.opening import RefusedError, common_options, refuse, with_installation
from menshen.cli.showing import instant, show_table
from menshen.core.audit.events import Event, Tag
from menshen.core.audit.filters import EventFilter, Network
from menshen.core.networks import parse_address
from menshen.core.problems import Denied
from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant

_SPAN: Final = re.compile(r"([0-9]{1,6})([mhd])", re.ASCII)
_UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY}
_SUMMED: Final = DAY
"""How far a summary looks back if nothing is said."""


@click.command()
@click.option("--account", metavar="IDENTIFIER", help="Only events of this account.")
@click.option("--network", metavar="CIDR", help="Only events from this address or network, such as 203.0.113.0/24.")
@click.option("--tag", metavar="TAG", help="Only events of this kind, such as login.failed.")
@click.option("--request", metavar="ID", help="Only events of the request whose answer had this X-Request-Id.")
@click.option("--since", help="Only from then on: 30m, 12h, 7d, 2026-01-31, or 2026-01-31T08:00.")
@click.option("--summary", is_flag=True, help="Count by event, network and reason; of the last day without --since.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=1000,
    help="Maximum number; the newest are kept, of a summary the most frequent.",
)
@common_options
def audit(
    *,
    account: str | None,
    network: str | None,
    tag: str | None,
    request: str | None,
    since: str | None,
    summary: bool,
    limit: int,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """List audit events, newest last, or count them. Conditions combine."""
    if summary and request:
        raise RefusedError("--request names one request: leave out --summary")
    kind = _tag(tag) if tag is not None else None
    if request is not None and not request:
        raise RefusedError("--request: give the X-Request-Id of an answer")
    place = _network(network) if network is not None else None

    async def work(here: Installation) -> Sequence[Mapping[str, Any]]:
        now = here.world.now()
        start = _start(since, now) if since is not None else Instant(max(1, now - _SUMMED)) if summary else None
        number = await _number(account, here) if account is not None else None
        wanted = EventFilter(number, kind, start, place, (request or "").lower())
        if not summary:
            return [_shown(event) for event in await here.store.read.audit.list_events(wanted, limit=limit)]
        from menshen.flows.admin.audit_summary import sum_up

        return [
            {
                "count": line.count,
                "event": line.tag.value,
                "network": line.network,
                "reason": line.reason,
                "last": instant(line.last),
            }
            for line in (await sum_up(wanted, store=here.store))[:limit]
        ]

    show_table(with_installation(data, config, work), as_json=as_json, nothing="no events")


def _shown(event: Event) -> dict[str, Any]:
    return {
        "at": instant(event.at),
        "event": event.tag.value,
        "account": event.account_number,
        "app": event.app_id,
        "dialect": event.source,
        "ip": event.ip,
        "subject": event.subject,
        "reason": event.reason,
        "session": event.session_id,
        "request": event.request_id,
    }


async def _number(account: str, here: Installation) -> int:
    from menshen.flows.admin.accounts import find_account

    found = await find_account(account, store=here.store)
    if isinstance(found, Denied):
        refuse(found, f"account {account}")
    return found.number


def _tag(text: str) -> Tag:
    try:
        return Tag(text)
    except ValueError:
        raise RefusedError(f"--tag {text}: there is no such kind of event{near(text, Tag)}") from None


def _network(text: str) -> Network:
    address = parse_address(text)
    try:
        # The bits behind the prefix do not matter: an operator copies an address and adds the length.
        network = ip_network(address if address is not None else text, strict=False)
    except ValueError:
        raise RefusedError(f"--network {text}: use an address, or a network such as 203.0.113.0/24") from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    # Events hold the IPv4 address of a mapped one.
    return network if mapped is None else ip_network((mapped, max(0, network.prefixlen - 96)), strict=False)


def _start(text: str, now: Instant) -> Instant:
    if span := _SPAN.fullmatch(text):
        return Instant(max(1, now - int(span[1]) * _UNITS[span[2]]))
    try:
        at = datetime.fromisoformat(text)
        return Instant(max(1, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * SECOND)))
    except (ValueError, OverflowError):
        raise RefusedError(f"--since {text}: use 30m, 12h, 7d, or a time such as 2026-01-31T08:00 (UTC)") from None
