"""Walk the command line: every command with its arguments and options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import click

from menshen.cli import cli

COMMON: Final = ("data", "config", "as_json")
"""Names of the parameters that nearly every command takes."""


@dataclass(frozen=True, slots=True)
class Command:
    """Hold one command. `words` is what is typed; `parameters` pairs each argument or option with its help."""

    words: str
    help: str
    parameters: tuple[tuple[str, str], ...]


def commands() -> Iterator[Command]:
    """Give every command, in the order of `menshen --help`."""
    yield from _below(_root(), ())


def common() -> dict[str, str]:
    """Give the options that nearly every command takes, each with its help."""
    root = _root()
    serve = cli.get_command(root, "serve")
    assert serve is not None
    return dict(_records(serve, root, [option for option in serve.params if option.name in COMMON]))


def _root() -> click.Context:
    return click.Context(cli, **cli.context_settings)


def _below(context: click.Context, path: tuple[str, ...]) -> Iterator[Command]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        words = (*path, name)
        if isinstance(command, click.Group):
            yield from _below(click.Context(command, parent=context), words)
            continue
        own = [parameter for parameter in command.params if parameter.name not in COMMON]
        yield Command(" ".join(words), command.help or "", _records(command, context, own))


def _records(
    command: click.Command, parent: click.Context, parameters: Iterable[click.Parameter]
) -> tuple[tuple[str, str], ...]:
    context = click.Context(command, parent=parent)
    return tuple(record for parameter in parameters if (record := parameter.get_help_record(context)))
