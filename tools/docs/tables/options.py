"""The arguments and options of the commands."""

from tools.docs.command_line import commands, common
from tools.docs.markdown import code, table


def render() -> str:
    """Give each argument and option. The name of the command stands in its first row."""
    rows = [("(nearly all)", code(name), text) for name, text in common().items()]
    for command in commands():
        firsts = [code(command.words), *[""] * len(command.parameters)]
        rows += [(first, code(name), text) for first, (name, text) in zip(firsts, command.parameters, strict=False)]
    return table(("command", "argument or option", "meaning"), rows)
