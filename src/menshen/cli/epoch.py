"""`menshen epoch raise`: what PostgreSQL's own restore leaves to do."""

from __future__ import annotations

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, with_installation
from menshen.cli.showing import show_json
from menshen.ports.store.store import WriteTx

cli = typer.Typer(no_args_is_help=True)


@cli.callback()
def family() -> None:
    """End everything that was ever issued."""


@cli.command("raise")
def raise_(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """End every session, code and captcha issued so far, at once. Run it after restoring a PostgreSQL dump."""

    async def work(here: Installation) -> int:
        async def higher(tx: WriteTx) -> int:
            return await tx.upkeep.raise_epoch()

        return await here.store.write(higher)

    epoch = with_installation(data, config, work)
    if as_json:
        show_json({"epoch": epoch})
    else:
        print(f"epoch {epoch}: everybody must log in again")
