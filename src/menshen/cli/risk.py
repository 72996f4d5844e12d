"""Provide `menshen account risk` and `menshen sms-report`: explain risk decisions and the use of codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from menshen.app.installation.opening import Installation
from menshen.cli.opening import RefusedError, common_options, identifier_argument, with_installation
from menshen.cli.showing import show_json, show_record, show_table
from menshen.core.gates.risk import CAPTCHA_AT, RULES, Assessment
from menshen.core.networks import Listing, parse_address
from menshen.core.time import DAY


@click.command()
@identifier_argument
@click.option("--ip", default="127.0.0.1", help="The client's address at that login.")
@click.option("--device", metavar="ID", default="", show_default=False, help="The device_id in that login.")
@click.option("--app", metavar="NAME", default="default", help="The app of that login.")
@common_options
def risk(
    identifier: str,
    *,
    ip: str,
    device: str,
    app: str,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Explain how the next password login of an account would be judged. Changes nothing."""
    from menshen.app.settings.reader import policy_of
    from menshen.flows.admin.risk_report import RiskReport, explain_risk

    if parse_address(ip) is None:
        raise RefusedError(f"{ip} is no IP address")

    async def work(here: Installation) -> RiskReport:
        known = await here.store.read.apps.find_by_name(app)
        if known is None:
            raise RefusedError(f"there is no app {app}")
        return await explain_risk(
            identifier,
            known,
            ip=ip,
            device_id=device,
            store=here.store,
            world=here.world,
            keyring=here.keyring,
            policy=policy_of(here.settings),
        )

    report = with_installation(data, config, work)
    seen, tries = report.signals, report.signals.tries
    record: dict[str, Any] = {
        "account": report.account.number if report.account else None,
        "network": report.network,
        "listed": seen.listing.value,
        "known_network": seen.known_network,
        "known_device": seen.known_device,
        "idle_days": seen.idle // DAY,
        "tries_here": tries.near.tries,
        "tries_on_network": tries.network.tries,
        "tries_on_account": tries.account.tries,
        "tries_on_account_from_here": tries.share.tries if tries.share else None,
        "accounts_failing_on_network": seen.strangers,
        "before_password": "refused" if seen.listing is Listing.DENY else report.before.verdict.value,
        "points_before": report.before.points,
        "after_right_password": report.proved.verdict.value,
        "points_after": report.proved.points,
        "captcha_at": CAPTCHA_AT,
        "difficulty": report.proved.difficulty,
    }
    rules = _lines(report.proved)
    if as_json:
        show_json({**record, "rules": rules})
        return
    show_record(record, as_json=False)
    print()
    show_table(rules, as_json=False, nothing="")


def _lines(assessment: Assessment) -> list[dict[str, Any]]:
    """Return a row for each rule of the table, with `holds` for those that apply."""
    return [
        {
            "rule": line.word,
            "holds": line in assessment.rules,
            "points": line.shuts.value if line.shuts else line.points,
            "when": "right password" if line.proved else "before",
            "why": line.why,
        }
        for line in RULES
    ]


@click.command()
@click.option("--days", metavar="N", type=click.IntRange(1, 31), default=7, help="Number of days, today included.")
@common_options
def sms_report(
    *,
    days: int,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Report the used part of each code budget, and the share of verified codes for each phone prefix."""
    from menshen.app.settings.reader import policy_of
    from menshen.core.codes.sms_traffic import is_pumped
    from menshen.flows.admin.risk_report import SmsReport
    from menshen.flows.admin.risk_report import sms_report as report_on

    async def work(here: Installation) -> tuple[SmsReport, list[bool]]:
        policy = policy_of(here.settings)
        made = await report_on(days=days, store=here.store, world=here.world, keyring=here.keyring, policy=policy)
        return made, [is_pumped(line, policy.limits) for line in made.traffic]

    report, pumped = with_installation(data, config, work)
    budgets = [{"budget": b.name, "spent_today": b.spent, "of": b.most} for b in report.budgets]
    prefixes = [
        {
            "prefix": line.prefix,
            "country": line.country,
            "sent": line.sent,
            "verified": line.verified,
            "percent": line.verified * 100 // line.sent if line.sent else None,
            "few_verified": few,
        }
        for line, few in zip(report.traffic, pumped, strict=True)
    ]
    if as_json:
        show_json({"budgets": budgets, "prefixes": prefixes})
        return
    show_table(budgets, as_json=False, nothing="")
    print()
    show_table(prefixes, as_json=False, nothing="no codes were sent")
