"""Provide `menshen account`: add, show, disable, enable, delete, reset-password, sessions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import (
    DEFAULT_DATA,
    AsJson,
    Config,
    Data,
    RefusedError,
    read_password,
    refuse,
    with_installation,
)
from menshen.cli.showing import instant, show_record, show_table
from menshen.core.account.accounts import Account
from menshen.core.problems import Denied
from menshen.core.sessions.sessions import Session

cli = typer.Typer(no_args_is_help=True)
Identifier = Annotated[
    str, typer.Argument(metavar="IDENTIFIER", help="Username, phone, email, public id or '#number'.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]


@cli.command()
def add(
    *,
    username: Annotated[str | None, typer.Option(help="4 to 20 letters, digits, _ or -.")] = None,
    phone: Annotated[str | None, typer.Option(help="A phone number; without +country, of mainland China.")] = None,
    email: Annotated[str | None, typer.Option(help="An email address.")] = None,
    password_stdin: PasswordStdin = False,
    verified: Annotated[bool, typer.Option("--verified", help="Take phone and email as verified.")] = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
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
def show(identifier: Identifier, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Show an account."""
    from menshen.flows.admin.accounts import find_account

    async def work(here: Installation) -> Account:
        found = await find_account(identifier, store=here.store)
        if isinstance(found, Denied):
            refuse(found, f"account {identifier}")
        return found

    _show(with_installation(data, config, work), as_json=as_json)


@cli.command()
def disable(
    identifier: Identifier, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Disable an account: all logins are refused, and its sessions end."""
    from menshen.flows.admin.accounts import disable_account

    _change(disable_account, identifier, data, config, as_json=as_json)


@cli.command()
def enable(
    identifier: Identifier, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Enable a disabled account again."""
    from menshen.flows.admin.accounts import enable_account

    _change(enable_account, identifier, data, config, as_json=as_json)


@cli.command()
def delete(
    identifier: Identifier, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Delete an account for good: its sessions end, and its identifiers become free."""
    from menshen.flows.admin.accounts import close_account

    _change(close_account, identifier, data, config, as_json=as_json)


@cli.command()
def reset_password(
    identifier: Identifier,
    *,
    password_stdin: PasswordStdin = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
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
def sessions(
    identifier: Identifier,
    *,
    end: Annotated[str | None, typer.Option(metavar="SESSION", help="End this session first.")] = None,
    end_all: Annotated[bool, typer.Option("--end-all", help="End all sessions first.")] = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
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
            "expires": instant(min(s.expires_at, s.ends_at)),
        }
        for s in with_installation(data, config, work)
    ]
    show_table(rows, as_json=as_json, nothing="no sessions")


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
    from menshen.app.assemble import blocklist_of, hasher_of
    from menshen.app.settings.reader import policy_of

    policy = policy_of(here.settings)
    hasher = hasher_of(here.settings, here.world, threads=1)
    return {"hasher": hasher, "policy": policy, "blocklist": blocklist_of(policy)}


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
    }
    show_record(record, as_json=as_json)
