"""Provide `menshen --show-completion`, and the answers that its script asks for. Click makes both."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any, Final

import click

NAME: Final = "menshen"
SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_MENSHEN_COMPLETE"


def answer_shell(cli: click.Command) -> int | None:
    """Print what a script of completion asks for, and return the exit code. Return None when none asks."""
    asked = os.environ.get(_VARIABLE)
    if not asked:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, NAME, _VARIABLE, asked)


def _show(context: click.Context, _option: click.Parameter, given: str | None) -> None:
    if given is None or context.resilient_parsing:
        return
    from click.shell_completion import get_completion_class

    shell = given or PurePath(os.environ.get("SHELL", "")).name
    completion = get_completion_class(shell) if shell in SHELLS else None
    if completion is None:
        raise click.BadParameter(f"{shell!r} is not one of {', '.join(map(repr, SHELLS))}.")
    script: Any = completion(context.command, {}, NAME, _VARIABLE)
    click.echo(script.source(), nl=False)
    context.exit()


completion_option = click.option(
    "--show-completion",
    metavar=f"[{'|'.join(SHELLS)}]",
    is_flag=False,
    # The option without a value means the shell of the user.
    flag_value="",
    is_eager=True,
    expose_value=False,
    callback=_show,
    help="Print the completion script of this shell; by default of $SHELL.",
)
