"""Provide the command line, `menshen COMMAND`: one file for each command or family of commands.

`main` turns every refusal into one sentence on stderr and a non-zero exit code. (docs/contracts/core.md section 5.3.)
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from menshen import __version__
from menshen.app.settings.reader import SettingsError
from menshen.cli.completion import NAME, answer_shell, completion_option
from menshen.cli.groups import LazyGroup
from menshen.cli.opening import RefusedError
from menshen.core.problems import Problem

REFUSED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130

COMMANDS: Final = {
    "serve": ("serve", "serve"),
    "outbox": ("outbox", "outbox"),
    "sms": ("sms.commands", "cli"),
    "audit": ("audit", "audit"),
    "sms-report": ("risk", "sms_report"),
    "check": ("check", "check"),
    "migrate": ("database", "migrate"),
    "backup": ("database", "backup"),
    "restore": ("database", "restore"),
    "copy": ("database", "copy"),
    "routes": ("reference", "routes"),
    "openapi": ("reference", "openapi"),
    "app": ("apps.commands", "cli"),
    "account": ("accounts.commands", "cli"),
    "keys": ("keys", "cli"),
    "hash": ("hashes", "cli"),
    "import": ("imports", "cli"),
    "epoch": ("database", "epoch"),
    "clock": ("database", "clock"),
}
"""The module of each command or family of commands, and its name there."""


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    help="Menshen, a self-hosted login server.",
    context_settings={"show_default": True},
)
@click.version_option(__version__, message=f"{NAME} %(version)s")
@completion_option
def cli() -> None:
    """Read the options before the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done. 1: refused. 2: wrong usage. 130: ended by Ctrl-C.
    """
    # The objects of a start stay alive: a garbage collection would only take time.
    gc.disable()
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except (RefusedError, SettingsError) as error:
        return _print_error(str(error), REFUSED)
    except Problem as problem:
        return _print_error(f"the database cannot be used now: {problem}", REFUSED)
    except click.ClickException as error:
        return _print_error(error.format_message(), MISUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except EOFError:
        # Ctrl-D at a prompt leaves the cursor behind it.
        print(file=sys.stderr)
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


def _run(arguments: list[str]) -> Any:
    """Run one command, or answer a shell that completes one.

    Click's own `main` also prints errors and catches Ctrl-C and broken pipes. Here `main` above does that.
    """
    answered = answer_shell(cli)
    if answered is not None:
        return answered
    try:
        with cli.make_context(NAME, arguments) as context:
            return cli.invoke(context)
    except click.exceptions.Exit as end:
        # `--help` and others that print a text and end.
        return end.exit_code


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
    from menshen.adapters.storage.sql.schema.marks import SchemaError
    from menshen.ports.sealing import SealBroken

    if isinstance(error, SchemaError):
        return str(error)
    if isinstance(error, SealBroken):
        return f"a sealed value of the database is {error}: put the key back that was taken out"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_globals.get('__name__')} line {trace.tb_lineno}" if trace else ""
    return f"a fault of the program, please report it: {type(error).__name__}{place}"
