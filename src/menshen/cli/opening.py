"""Provide the first and last steps of every command: options, settings, an open installation, and refusals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from getpass import getpass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click
from msgspec.structs import replace

from menshen.app.installation.opening import Installation, open_installation, why_missing
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.problems import Denied, ProblemCode

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

DEFAULT_DATA: Final = Path("data")

A_PATH: Final = click.Path(readable=False, path_type=Path)
"""The type of a file's name. Each command checks the file itself."""


def _directory(_context: click.Context, _option: click.Parameter, given: str | Path) -> Path:
    if not str(given):
        # An empty variable in a script would else mean the working directory.
        raise click.BadParameter("the name of a directory is needed")
    return Path(given)


data_option = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(readable=False),
    default=DEFAULT_DATA,
    callback=_directory,
    envvar="MENSHEN_DATA",
    show_envvar=True,
    help="The installation's directory.",
)
config_option = click.option(
    "--config",
    type=A_PATH,
    envvar="MENSHEN_CONFIG",
    show_envvar=True,
    help="A settings file (TOML).",
)
identifier_argument = click.argument(
    "identifier", metavar="IDENTIFIER", help="Username, phone, email, public id or '#number'.  [required]"
)


def file_argument(help_: str) -> Callable[[C], C]:
    """Return the decorator that adds the argument FILE as `file`."""
    return click.argument("file", metavar="FILE", type=A_PATH, help=f"{help_}  [required]")


def json_option(*, default: bool = False) -> Callable[[C], C]:
    """Return the decorator that adds `--json` as `as_json`."""
    return click.option("--json/--no-json", "as_json", default=default, help="Answer in JSON.")


def common_options(command: C) -> C:
    """Add the options of nearly every command: `data`, `config` and `as_json`."""
    return data_option(config_option(json_option()(command)))


class RefusedError(Exception):
    """Report that a command is refused, and why, in one sentence."""


def settings_of(data: Path, config: Path | None, *, serves: bool = False) -> Settings:
    """Return the settings of a command, which waits longer for the database than one that `serves`.

    Raises SettingsError.
    """
    settings = load_settings(config, os.environ, data)
    return settings if serves else replace(settings, patience=settings.patience.of_commands)


def with_installation(
    data: Path, config: Path | None, work: Callable[[Installation], Awaitable[T]], *, creates: bool = False
) -> T:
    """Run `work` on the installation and return its result.

    Without an installation, `creates` makes a new one. Else the command is refused: a mistyped directory
    holds nothing to read or change. Raises RefusedError, and as `open_installation`.
    """
    settings = settings_of(data, config)
    if not creates and (missing := why_missing(settings)):
        raise RefusedError(f"{missing}; `menshen serve` or `menshen migrate` creates one")

    async def run() -> T:
        async with open_installation(settings, SystemWorld()) as here:
            return await work(here)

    return asyncio.run(run())


def read_password() -> str:
    """Read one line of stdin, without its line end. At a terminal, prompt for it without echo.

    Raises RefusedError for an empty line.
    """
    line = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline()
    password = line.rstrip("\r\n")
    if not password:
        raise RefusedError("no password was given on stdin")
    return password


def demand_terminal(sentence: str) -> None:
    """Raise RefusedError with `sentence` if stdin is no terminal, where a person can be asked."""
    if not sys.stdin.isatty():
        raise RefusedError(sentence)


def says_yes(question: str) -> bool:
    """Ask on stderr, and return whether one line of stdin says yes. Ctrl-C ends it at once.

    Raises EOFError at the end of stdin.
    """
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    # asyncio only cancels its task at the first Ctrl-C, which a line that is waited for does not notice.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        line = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
    if not line:
        raise EOFError
    return line.strip().lower() in {"y", "yes"}


_WEAK: Final = {
    "short": "the password is too short",
    "long": "the password is longer than 1024 bytes or holds a NUL",
    "common": "the password is a common one",
    "own_words": "the password is too similar to a name of the account or the product",
}


def refuse(denied: Denied, what: str) -> NoReturn:
    """Raise RefusedError with the reason why `what` ("account alice", "app shop") was refused."""
    match denied.code, denied.field:
        case ProblemCode.NOT_FOUND, None:
            raise RefusedError(f"there is no {what}")
        case ProblemCode.NOT_FOUND, field:
            raise RefusedError(f"{what} has no such {field}")
        case ProblemCode.ALREADY_TAKEN, field:
            raise RefusedError(f"{what}: this {field} is already taken")
        case ProblemCode.WEAK_PASSWORD, field:
            raise RefusedError(_WEAK.get(field or "", "the password is too weak"))
        case ProblemCode.INVALID_REQUEST, "ambiguous":
            raise RefusedError(f"{what} is an unverified name of several accounts: give the id or the #number of one")
        case ProblemCode.INVALID_REQUEST, "identifier":
            raise RefusedError(f"{what} needs a username, a phone or an email")
        case ProblemCode.INVALID_REQUEST, field:
            raise RefusedError(f"{what}: {(field or 'the value').replace('_', '-')} has no valid form")
        case code, _:
            raise RefusedError(f"{what}: {code.value.replace('_', ' ')}")
