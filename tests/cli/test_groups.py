"""Commands are loaded at their first use, and found by their words."""

import subprocess
import sys

import click

from menshen.cli import COMMANDS, cli


def test_each_command_has_its_word_as_its_name() -> None:
    context = click.Context(cli)
    assert cli.list_commands(context) == [*COMMANDS]
    for word in COMMANDS:
        command = cli.get_command(context, word)
        assert command is not None
        assert command.name == word
    assert cli.get_command(context, "nothing") is None


def test_a_start_of_the_server_loads_no_other_command() -> None:
    code = (
        "import sys\n"
        "from menshen.cli import main\n"
        "assert main(['serve', '--help']) == 0\n"
        "print(*[name for name in sys.modules if name.startswith('menshen.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("menshen.cli.") for name in done.stdout.splitlines()[-1].split()}
    assert loaded & {module for module, _ in COMMANDS.values()} == {"serve"}
