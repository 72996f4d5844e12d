"""What every command does first: options, settings, an open installation; and how a command says no."""

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


def _folder(given: str | Path) -> Path:
    if not str(given):
        # An empty variable in a script would else mean the folder it happens to run in.
        raise typer.BadParameter("name a folder")
    return Path(given)


Data = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", parser=_folder, envvar="MENSHEN_DATA", help="The installation's directory."),
]
Config = Annotated[Path | None, typer.Option("--config", envvar="MENSHEN_CONFIG", help="A settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json/--no-json", help="Answer in JSON.")]


class RefusedError(Exception):
    """The command is refused: one sentence."""


def settings_of(data: Path, config: Path | None) -> Settings:
    """The settings of a command. Raises SettingsError."""
    return load_settings(config, os.environ, data)


def with_installation(
    data: Path, config: Path | None, work: Callable[[Installation], Awaitable[T]], *, makes: bool = False
) -> T:
    """Run `work` on the installation.

    When it is not there yet, a command that brings something in `makes` it, and any other is refused: a mistyped folder
    holds nothing to read or change. Raises RefusedError, and as `open_installation`.
    """
    settings = settings_of(data, config)
    if not makes and (missing := why_missing(settings)):
        raise RefusedError(f"{missing}; `menshen serve` or `menshen migrate` makes one")

    async def run() -> T:
        async with open_installation(settings, SystemWorld()) as here:
            return await work(here)

    return asyncio.run(run())


def read_password() -> str:
    """One line of stdin without its line end; asked for without echo at a terminal."""
    line = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline()
    password = line.rstrip("\r\n")
    if not password:
        raise RefusedError("no password came in on stdin")
    return password


_WEAK: Final = {
    "short": "the password is too short",
    "long": "the password is too long, at most 1024 bytes, or holds a NUL",
    "common": "the password is one that everybody tries first",
    "own_words": "the password leans on the account's or the product's own name",
}


def refuse(denied: Denied, what: str) -> NoReturn:
    """Say why `what` ("account alice", "app shop") was refused. Raises RefusedError."""
    match denied.code, denied.field:
        case ProblemCode.NOT_FOUND, None:
            raise RefusedError(f"there is no {what}")
        case ProblemCode.NOT_FOUND, field:
            raise RefusedError(f"{what} has no such {field}")
        case ProblemCode.ALREADY_TAKEN, field:
            raise RefusedError(f"{what}: another one has this {field}")
        case ProblemCode.WEAK_PASSWORD, field:
            raise RefusedError(_WEAK.get(field or "", "the password is too weak"))
        case ProblemCode.INVALID_REQUEST, "ambiguous":
            raise RefusedError(
                f"{what} stands on several accounts that did not prove it: name one by its id or #number"
            )
        case ProblemCode.INVALID_REQUEST, "identifier":
            raise RefusedError(f"{what} needs a username, a phone or an email")
        case ProblemCode.INVALID_REQUEST, field:
            raise RefusedError(f"{what}: {(field or 'that').replace('_', '-')} cannot be used in this form")
        case code, _:
            raise RefusedError(f"{what}: {code.value.replace('_', ' ')}")
