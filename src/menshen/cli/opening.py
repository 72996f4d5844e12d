"""Provide the first and last steps of every command: options, settings, an open installation, and refusals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from getpass import getpass
from pathlib import Path
from typing import Annotated, Final, NoReturn, TypeVar

import typer

from menshen.app.installation.opening import Installation, open_installation, why_missing
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.problems import Denied, ProblemCode

T = TypeVar("T")

DEFAULT_DATA: Final = Path("data")


def _directory(given: str | Path) -> Path:
    if not str(given):
        # An empty variable in a script would else mean the working directory.
        raise typer.BadParameter("the name of a directory is needed")
    return Path(given)


Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", parser=_directory, envvar="MENSHEN_DATA", help="The installation's directory."
    ),
]
Config = Annotated[Path | None, typer.Option("--config", envvar="MENSHEN_CONFIG", help="A settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json/--no-json", help="Answer in JSON.")]


class RefusedError(Exception):
    """Report that a command is refused, and why, in one sentence."""


def settings_of(data: Path, config: Path | None) -> Settings:
    """Return the settings of a command. Raises SettingsError."""
    return load_settings(config, os.environ, data)


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
