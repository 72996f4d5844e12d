"""The command line: `menshen COMMAND`. One file a command or family of commands.

`main` turns every refusal into one sentence on stderr and a non-zero exit code. (docs/contracts/core.md section 5.3.)
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from menshen import __version__
from menshen.app.settings.reader import SettingsError
from menshen.cli import (
    accounts,
    apps,
    audit,
    backup,
    check,
    copy,
    epoch,
    hashes,
    imports,
    keys,
    migrate,
    outbox,
    reference,
    risk,
    serve,
)
from menshen.cli.opening import RefusedError
from menshen.core.problems import Problem

REFUSED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130

cli = typer.Typer(
    name="menshen",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - typer hands it over so
    if asked:
        print(f"menshen {__version__}")
        raise typer.Exit


@cli.callback(help="Menshen, a self-hosted login server.")
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take what stands before the command."""


cli.command("serve")(serve.serve)
cli.add_typer(apps.cli, name="app", help="Client apps.")
accounts.cli.command("risk")(risk.risk)
cli.add_typer(accounts.cli, name="account", help="Accounts.")
cli.command("outbox")(outbox.outbox)
cli.command("audit")(audit.audit)
cli.command("sms-report")(risk.sms_report)
cli.command("check")(check.check)
cli.command("migrate")(migrate.migrate)
cli.command("backup")(backup.backup)
cli.command("restore")(backup.restore)
cli.command("copy")(copy.copy)
cli.add_typer(keys.cli, name="keys", help="The installation's secrets.")
cli.add_typer(hashes.cli, name="hash", help="The cost of password hashes.")
cli.add_typer(imports.cli, name="import", help="Take in what another program kept.")
cli.add_typer(epoch.cli, name="epoch", help="End everything that was ever issued.")
cli.command("routes")(reference.routes)
cli.command("openapi")(reference.openapi)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0, 1 when it was refused, 2 when it was misspelt, 130 after Ctrl-C."""
    # What a start loads is there to stay: looking for garbage in it only takes time.
    gc.disable()
    try:
        code = cli(list(arguments) if arguments is not None else None, standalone_mode=False, prog_name="menshen")
        sys.stdout.flush()
    except (RefusedError, SettingsError) as error:
        return _say(str(error), REFUSED)
    except Problem as problem:
        return _say(f"the database cannot be used now: {problem}", REFUSED)
    except TyperException as error:
        said: str = error.format_message() if hasattr(error, "format_message") else str(error)
        return _say(said, MISUSED)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone; nothing may be flushed to them at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except Exception as error:  # noqa: BLE001 - the last resort: a user gets a sentence, never a traceback
        return _say(_unexpected(error), REFUSED)
    finally:
        gc.enable()
    return code if isinstance(code, int) else 0


def _say(text: str, code: int) -> int:
    """One line, in which nothing that was typed moves the terminal's cursor; the help as it is."""
    if code == MISUSED and text.startswith("Usage: "):
        print(text, file=sys.stderr)
        return code
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    print(f"menshen: {shown}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> str:
    """A fault of ours, or one that its own text explains; the text of a stranger's exception may hold secrets."""
    from menshen.adapters.storage.sql.schema.migrate import SchemaTooNewError

    if isinstance(error, SchemaTooNewError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_globals.get('__name__')} line {trace.tb_lineno}" if trace else ""
    return f"a fault of the program, please report it: {type(error).__name__}{place}"
