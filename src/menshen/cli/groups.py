"""Provide the groups that hold the commands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Group(click.Group):
    """List commands in the order in which they are declared."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


class LazyGroup(click.Group):
    """Import each command at its first use, so that a start loads only the command that it runs.

    `places` pairs the word of each command, in the order of the help, with its module and the name there.
    """

    def __init__(self, name: str | None = None, *, places: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(name, **options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        module, name = self._places[cmd_name]
        command: click.Command = getattr(import_module(f"menshen.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # Click proposes similar words only from the commands that it has loaded.
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self._places, ctx=ctx) from None
