"""docs/operate/commands.md names every command and every option, and no other."""

import re
from pathlib import Path

from tests.cli.conftest import Menshen
from tests.cli.test_manners import COMMANDS, WITHOUT_DATA

PAGE = (Path(__file__).parents[2] / "docs" / "operate" / "commands.md").read_text("utf-8")


def options_of(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.-])--[a-z][a-z-]+", text))


def test_the_page_names_every_option_and_no_other(menshen: Menshen) -> None:
    helps = [menshen(*command, "--help", data=None).out for command in [(), *COMMANDS, *WITHOUT_DATA]]
    known = {option for text in helps for option in options_of(text)}
    # A switch turned back is told once for all.
    told = options_of(PAGE) - {"--no-"}
    assert told <= known
    assert {option for option in known - told if not option.startswith("--no-")} == {"--help"}


def test_the_page_names_every_command() -> None:
    for command in [*COMMANDS, *WITHOUT_DATA]:
        assert re.search(rf"`[^`]*\b{command[-1]}\b[^`]*`", PAGE), command
