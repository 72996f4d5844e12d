"""Provide the command line, `menshen COMMAND`: one file for each command or family of commands.

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
    check,
    database,
    hashes,
    imports,
    keys,
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


def _print_version(requested: bool) -> None:  # noqa: FBT001 - typer passes it by position
    if requested:
        print(f"menshen {__version__}")
        raise typer.Exit


@cli.callback(help="Menshen, a self-hosted login server.")
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read the options before the command."""


cli.command("serve")(serve.serve)
cli.add_typer(apps.cli, name="app", help="Client apps.")
accounts.cli.command("risk")(risk.risk)
cli.add_typer(accounts.cli, name="account", help="Accounts.")
cli.command("outbox")(outbox.outbox)
cli.command("audit")(audit.audit)
cli.command("sms-report")(risk.sms_report)
cli.command("check")(check.check)
cli.command("migrate")(database.migrate)
cli.command("backup")(database.backup)
cli.command("restore")(database.restore)
cli.command("copy")(database.copy)
cli.add_typer(keys.cli, name="keys", help="The installation's secrets.")
cli.add_typer(hashes.cli, name="hash", help="The cost of password hashes.")
cli.add_typer(imports.cli, name="import", help="Import accounts from another program.")
cli.add_typer(database.epoch, name="epoch", help="End all sessions, codes and captchas.")
cli.command("routes")(reference.routes)
cli.command("openapi")(reference.openapi)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done. 1: refused. 2: wrong usage. 130: ended by Ctrl-C.
    """
    # The objects of a start stay alive: a garbage collection would only take time.
    gc.disable()
    try:
        code = cli(list(arguments) if arguments is not None else None, standalone_mode=False, prog_name="menshen")
        sys.stdout.flush()
    except (RefusedError, SettingsError) as error:
        return _print_error(str(error), REFUSED)
    except Problem as problem:
        return _print_error(f"the database cannot be used now: {problem}", REFUSED)
    except TyperException as error:
        text: str = error.format_message() if hasattr(error, "format_message") else str(error)
        return _print_error(text, MISUSED)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the pipe has gone: Python must not flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except Exception as error:  # noqa: BLE001 - the last resort: a user gets a sentence, never a traceback
        return _print_error(_describe_unexpected(error), REFUSED)
    finally:
        gc.enable()
    return code if isinstance(code, int) else 0


def _print_error(text: str, code: int) -> int:
    """Print one line to stderr and return `code`.

    Unprintable characters are escaped, so that typed text cannot move the terminal's cursor. A usage text is printed
    unchanged.
    """
    if code == MISUSED and text.startswith("Usage: "):
        print(text, file=sys.stderr)
        return code
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    print(f"menshen: {shown}", file=sys.stderr)
    return code


def _describe_unexpected(error: Exception) -> str:
    """Return the sentence for an error that no command expects.

    It shows the error's own text only for known types: the text of other exceptions may hold secrets.
    """
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
