"""Provide `menshen account factors` and `menshen account reset-factors`: what protects an account beside a password."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from menshen.app.installation.opening import Installation
from menshen.cli.opening import common_options, identifier_argument, refuse, with_installation
from menshen.cli.showing import instant, show_json, show_record, show_table
from menshen.core.factors.outcomes import Holdings
from menshen.core.problems import Denied

if TYPE_CHECKING:
    from menshen.flows.admin.factors import AccountFactors, FactorsReset


@click.command()
@identifier_argument
@common_options
def factors(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Show the second factors, passkeys, recovery codes and trusted devices of an account. No secret is shown."""
    from menshen.flows.admin.factors import show_factors

    async def work(here: Installation) -> AccountFactors:
        found = await show_factors(identifier, store=here.store, world=here.world)
        if isinstance(found, Denied):
            refuse(found, f"account {identifier}")
        return found

    found = with_installation(data, config, work)
    record: dict[str, Any] = {
        "id": found.account.public_id,
        "username": found.account.username_shown,
        "second_step": found.account.second_step,
        "recovery_codes_left": found.holdings.codes_left,
    }
    tables = _tables(found.holdings)
    if as_json:
        show_json({**record, **tables})
        return
    show_record(record, as_json=False)
    for name, rows in tables.items():
        print()
        show_table(rows, as_json=False, nothing=f"no {name.replace('_', ' ')}")


@click.command()
@identifier_argument
@common_options
def reset_factors(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Remove all second factors of an account whose owner lost them. Its sessions end, and the owner gets a notice.

    Its next login needs one proof, or enrols a factor where the app requires one.
    """
    from menshen.app.settings.reader import policy_of
    from menshen.flows.admin.factors import reset_factors as reset

    async def work(here: Installation) -> FactorsReset:
        done = await reset(
            identifier,
            store=here.store,
            world=here.world,
            keyring=here.keyring,
            policy=policy_of(here.settings),
        )
        if isinstance(done, Denied):
            refuse(done, f"account {identifier}")
        return done

    done = with_installation(data, config, work)
    removed = done.removed
    record: dict[str, Any] = {
        "id": done.account.public_id,
        "username": done.account.username_shown,
        "reset": done.changed,
        "factors": len(removed.factors),
        "passkeys": len(removed.passkeys),
        "recovery_codes": removed.codes_left,
        "trusted_devices": len(removed.trusted),
    }
    if not done.changed and not as_json:
        print("the account has no second factor: nothing was removed")
        return
    show_record(record, as_json=as_json)


def _tables(held: Holdings) -> dict[str, list[dict[str, Any]]]:
    return {
        "factors": [
            {"kind": each.kind, "created": instant(each.created_at), "used": instant(each.used_at)}
            for each in held.factors
        ],
        "passkeys": [
            {
                "passkey": each.passkey_id,
                "name": each.name,
                "rp_id": each.rp_id,
                "synced": each.synced,
                "step_only": each.step_only,
                "created": instant(each.created_at),
                "used": instant(each.used_at),
            }
            for each in held.passkeys
        ],
        "trusted_devices": [
            {
                "device": each.trust_id,
                "name": each.name,
                "ip": each.ip,
                "created": instant(each.created_at),
                "used": instant(each.used_at),
                "expires": instant(each.expires_at),
            }
            for each in held.trusted
        ],
    }
