"""Walk the command line: every command with its arguments and options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import typer.main

from menshen.cli import cli

COMMON: Final = ("data", "config", "as_json")
"""Names of the parameters that nearly every command takes."""

_TYPES: Final = {"<str>": "TEXT", "<path>": "PATH", "<int>": "N", "<int range>": "N"}


@dataclass(frozen=True, slots=True)
class Command:
    """Hold one command. `words` is what is typed; `parameters` pairs each argument or option with its help."""

    words: str
    help: str
    parameters: tuple[tuple[str, str], ...]


def commands() -> Iterator[Command]:
    """Give every command, in the order of `menshen --help`."""
    yield from _below(typer.main.get_command(cli), ())


def common() -> dict[str, str]:
    """Give the options that nearly every command takes, each with its help."""
    serve = _context(typer.main.get_command(cli).commands["serve"])  # type: ignore[attr-defined]
    return dict(_record(serve, parameter) for parameter in serve.command.params if parameter.name in COMMON)


def _below(group: Any, path: tuple[str, ...]) -> Iterator[Command]:
    for name, command in group.commands.items():
        words = (*path, name)
        if hasattr(command, "commands"):
            yield from _below(command, words)
            continue
        context = _context(command)
        shown = [parameter for parameter in command.params if parameter.name not in COMMON]
        yield Command(" ".join(words), command.help, tuple(_record(context, parameter) for parameter in shown))


def _context(command: Any) -> Any:
    return command.context_class(command)


def _record(context: Any, parameter: Any) -> tuple[str, str]:
    name, text = parameter.get_help_record(context)
    if parameter.param_type_name == "argument":
        return name.partition(" <")[0], text
    for shown, word in _TYPES.items():
        name = name.replace(shown, word)
    return name, text
