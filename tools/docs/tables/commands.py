"""The commands of `menshen`."""

from tools.docs.command_line import commands
from tools.docs.markdown import code, table


def render() -> str:
    """Give each command with what it does."""
    return table(("command", "what it does"), [(code(command.words), command.help) for command in commands()])
