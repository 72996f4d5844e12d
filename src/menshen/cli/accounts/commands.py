"""Provide `menshen account`. Its commands about risk and second factors have files of their own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from menshen.app.installation.opening import Installation
from menshen.cli.accounts.factors import factors, reset_factors
from menshen.cli.groups import Group
from menshen.cli.opening import (
    RefusedError,
    common_options,
    demand_terminal,
    identifier_argument,
    read_password,
    refuse,
    says_yes,
    with_installation,
)
from menshen.cli.risk import risk
from menshen.cli.showing import as_shown_json, instant, show_record, show_table
from menshen.core.account.accounts import Account, Status
from menshen.core.audit.export import Export
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.sessions import Session

cli = Group("account", help="Accounts.")
_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)


@cli.command()
@click.option("--username", help="4 to 20 letters, digits, _ or -.")
@click.option("--phone", help="A phone number; without +country, of mainland China.")
@click.option("--email", help="An email address.")
@_password_option
@click.option("--verified", is_flag=True, help="Take phone and email as verified.")
@common_options
def add(
    *,
    username: str | None,
    phone: str | None,
    email: str | None,
    password_stdin: bool,
    verified: bool,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Add an account. Without a username it gets a number; without a password it has none."""
    from menshen.flows.admin.accounts import AccountToAdd, add_account

    ask = AccountToAdd(username, phone, email, read_password() if password_stdin else None, verified)

    async def work(here: Installation) -> Account:
        made = await add_account(ask, here.default_app, store=here.store, world=here.world, **_passwords(here))
        if isinstance(made, Denied):
            refuse(made, "account")
        return made.account

    _show(with_installation(data, config, work, creates=True), as_json=as_json)


@cli.command()
@identifier_argument
@common_options
def show(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Show an account."""
    from menshen.flows.admin.accounts import find_account

    async def work(here: Installation) -> Account:
        found = await find_account(identifier, store=here.store)
        if isinstance(found, Denied):
            refuse(found, f"account {identifier}")
        return found

    _show(with_installation(data, config, work), as_json=as_json)


@cli.command()
@identifier_argument
@common_options
def disable(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Disable an account: all logins are refused, and its sessions end."""
    from menshen.flows.admin.accounts import disable_account

    _change(disable_account, identifier, data, config, as_json=as_json)


@cli.command()
@identifier_argument
@common_options
def enable(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Enable a disabled account again."""
    from menshen.flows.admin.accounts import enable_account

    _change(enable_account, identifier, data, config, as_json=as_json)


@cli.command()
@identifier_argument
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@common_options
def delete(identifier: str, *, yes: bool, data: Path, config: Path | None, as_json: bool) -> None:
    """Delete an account for good: its sessions end, and its identifiers become free. It asks before, at a terminal."""
    from menshen.flows.admin.accounts import close_account, find_account

    if not yes:
        demand_terminal("deleting an account cannot be undone: give --yes, or run it at a terminal")

    async def work(here: Installation) -> Account:
        found = await find_account(identifier, store=here.store)
        if isinstance(found, Denied) or found.status is Status.CLOSED:
            refuse(Denied(ProblemCode.NOT_FOUND) if isinstance(found, Account) else found, f"account {identifier}")
        if not yes and not says_yes(f"Delete account #{found.number} ({_names(found)}) for good?"):
            raise RefusedError("nothing was deleted")
        # By its number: what was shown is deleted, also if the name changed its owner meanwhile.
        closed = await close_account(f"#{found.number}", store=here.store, world=here.world)
        if isinstance(closed, Denied):
            refuse(closed, f"account {identifier}")
        return closed.account

    _show(with_installation(data, config, work), as_json=as_json)


@cli.command()
@identifier_argument
@common_options
def export(identifier: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Print all that is kept about an account, as JSON: the document that its owner gets by the API."""
    from menshen.flows.admin.accounts import export_account

    async def work(here: Installation) -> Export:
        made = await export_account(identifier, store=here.store, world=here.world)
        if isinstance(made, Denied):
            refuse(made, f"account {identifier}")
        return made

    print(as_shown_json(asdict(with_installation(data, config, work)), indent=None if as_json else 2), flush=True)


@cli.command()
@identifier_argument
@_password_option
@common_options
def reset_password(
    identifier: str,
    *,
    password_stdin: bool,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Set a new password, from stdin or a random one. All sessions of the account end."""
    from menshen.flows.admin.accounts import draw_password, set_account_password

    given = read_password() if password_stdin else None

    async def work(here: Installation) -> tuple[Account, str | None]:
        drawn = None if given is not None else draw_password(here.world)
        changed = await set_account_password(
            identifier,
            given if drawn is None else drawn,  # type: ignore[arg-type]
            here.default_app,
            store=here.store,
            world=here.world,
            keyring=here.keyring,
            **_passwords(here),
        )
        if isinstance(changed, Denied):
            refuse(changed, f"account {identifier}")
        return changed.account, drawn

    account, drawn = with_installation(data, config, work)
    record: dict[str, Any] = {"id": account.public_id, "username": account.username_shown}
    if drawn is not None:
        record["password"] = drawn
    show_record(record, as_json=as_json)


@cli.command()
@identifier_argument
@click.option("--end", metavar="SESSION", help="End this session first.")
@click.option("--end-all", is_flag=True, help="End all sessions first.")
@common_options
def sessions(
    identifier: str,
    *,
    end: str | None,
    end_all: bool,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """List the sessions of an account. With --end or --end-all, end them first."""
    from menshen.flows.admin.accounts import end_account_sessions, list_account_sessions

    if end is not None and end_all:
        raise RefusedError("--end and --end-all cannot be used together")

    async def work(here: Installation) -> list[Session]:
        if end is not None or end_all:
            ended = await end_account_sessions(identifier, store=here.store, world=here.world, session_id=end)
            if isinstance(ended, Denied):
                refuse(ended, f"account {identifier}")
        found = await list_account_sessions(identifier, store=here.store, world=here.world)
        if isinstance(found, Denied):
            refuse(found, f"account {identifier}")
        return list(found)

    rows = [
        {
            "session": s.session_id,
            "dialect": s.dialect,
            "platform": s.platform,
            "device": s.device_name or s.device_model or s.device_id,
            "ip": s.ip,
            "created": instant(s.created_at),
            "seen": instant(s.seen_at),
            "expires": instant(s.over_at),
        }
        for s in with_installation(data, config, work)
    ]
    show_table(rows, as_json=as_json, nothing="no sessions")


for command in (risk, factors, reset_factors):
    cli.add_command(command)


def _change(flow: Any, identifier: str, data: Any, config: Any, *, as_json: bool) -> None:
    async def work(here: Installation) -> Account:
        changed = await flow(identifier, store=here.store, world=here.world)
        if isinstance(changed, Denied):
            refuse(changed, f"account {identifier}")
        account: Account = changed.account
        return account

    _show(with_installation(data, config, work), as_json=as_json)


def _passwords(here: Installation) -> dict[str, Any]:
    """Return the ports and the policy for checking and hashing a new password."""
    from menshen.app.parts.passwords import blocklist_of, hasher_of
    from menshen.app.settings.reader import policy_of

    policy = policy_of(here.settings)
    hasher = hasher_of(here.settings, here.world, threads=1)
    return {"hasher": hasher, "policy": policy, "blocklist": blocklist_of(policy)}


def _names(account: Account) -> str:
    """Return what identifies an account to an operator."""
    return ", ".join(name for name in (account.username_shown, account.phone, account.email) if name)


def _show(account: Account, *, as_json: bool) -> None:
    record = {
        "number": account.number,
        "id": account.public_id,
        "status": account.status.value,
        "username": account.username_shown,
        "phone": account.phone,
        "phone_verified": account.phone_verified,
        "email": account.email,
        "email_verified": account.email_verified,
        "nickname": account.profile.nickname,
        "roles": account.roles,
        "has_password": bool(account.password_hash),
        "created": instant(account.created_at),
        "last_login": instant(account.login_at),
        "last_login_ip": account.login_ip,
        "closes": instant(account.closes_at),
    }
    show_record(record, as_json=as_json)
