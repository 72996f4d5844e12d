"""Judge what the tables of `make docs` find: what is new in the code appears, and what has no sentence is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

from menshen.core.login.outcomes import LoginOutcome
from menshen.core.outcomes import ActionOutcome
from menshen.core.sessions.sessions import Lifetimes
from menshen.core.time import DAY, MINUTE
from tools.docs import command_line, sources
from tools.docs.markdown import duration, table
from tools.docs.sources import UndocumentedError
from tools.docs.tables import algorithms, life_times, log_lines, ways_in


def module_of(path: Path, text: str) -> ModuleType:
    """Make a module of its source, as a table finds it."""
    path.write_text(text)
    module = ModuleType("menshen.core.new")
    module.__file__ = str(path)
    exec(text, vars(module))
    return module


def test_a_new_constant_appears_with_its_docstring(tmp_path: Path) -> None:
    module = module_of(tmp_path / "new.py", 'WAIT = 90_000\n"""Time to wait (ms)."""\n\nMOST = 7\n_HIDDEN = 1_000\n')
    module.LIVES = Lifetimes(idle=DAY, absolute=2 * DAY, sliding=True)  # type: ignore[attr-defined]
    with pytest.raises(UndocumentedError, match=r"menshen.core.new.LIVES needs a docstring"):
        [*life_times.spans_of(module)]
    del module.LIVES
    assert [*life_times.spans_of(module)] == [("`core.new.WAIT`", "90 s", "Time to wait.")]


def test_life_times_show_each_of_their_spans(tmp_path: Path) -> None:
    source = "from menshen.core.sessions.sessions import Lifetimes\n"
    source += 'LIVES = Lifetimes(idle=60_000, absolute=120_000, sliding=True)\n"""Of a guest."""\n'
    module = module_of(tmp_path / "new.py", source)
    assert [*life_times.spans_of(module)] == [("`core.new.LIVES`", "idle 1 min, absolute 2 min", "Of a guest.")]


class Colour(StrEnum):
    RED = "red"
    """As a rose."""
    BLUE = "blue"


def test_a_member_without_a_docstring_is_named() -> None:
    with pytest.raises(UndocumentedError, match=r"Colour\.BLUE needs a docstring"):
        sources.member_docs(Colour)


# --- ways in ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inner:
    knock: Callable[[str], Awaitable[LoginOutcome]]
    look: Callable[[str], Awaitable[ActionOutcome]]


@dataclass(frozen=True)
class Outer:
    door: Inner
    ring: Callable[[str], Awaitable[LoginOutcome]]
    now: Callable[[], int]


def test_a_new_way_in_is_found_by_what_it_answers() -> None:
    assert [*ways_in.granting_flows(Outer)] == ["door.knock", "ring"]


# --- cryptography -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import hashlib\nhashlib.md5(b'')", {"hashlib.md5"}),
        ("from hashlib import sha1", {"hashlib.sha1"}),
        ("import hmac\nhmac.new(b'', b'', 'md5')\nhmac.compare_digest(b'', b'')", {"hmac.new"}),
        ("from nacl.secret import Aead", {"nacl.secret.Aead"}),
        ("def f():\n    import random", {"random"}),
        ("from cryptography.hazmat import x", {"cryptography"}),
    ],
)
def test_new_cryptography_is_found(source: str, found: set[str]) -> None:
    assert algorithms.algorithms_of(source) == found


def test_new_cryptography_needs_a_purpose_and_old_loses_it() -> None:
    known = {name: ["core/x.py"] for name in algorithms.PURPOSES}
    algorithms.check_purposes(known)
    with pytest.raises(AssertionError, match=r"say in .*PURPOSES what it is for: \{'jwt': \['core/y.py'\]\}"):
        algorithms.check_purposes(known | {"jwt": ["core/y.py"]})
    del known["bcrypt"]
    with pytest.raises(AssertionError, match=r"nothing uses \['bcrypt'\]"):
        algorithms.check_purposes(known)


# --- lines of the log -------------------------------------------------------------------------------------------------


def test_a_new_line_of_the_log_is_found() -> None:
    assert log_lines.lines_of("_log.warning('disk.full', left=1)\nother.info('x')\n") == {("disk.full", "warning")}


@pytest.mark.parametrize(
    ("source", "told"), [("log.info()", "without an event"), ("log.info(f'{x}')", "not a word of the program")]
)
def test_a_line_whose_event_is_no_word_of_the_program_is_refused(source: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        log_lines.lines_of(source)


def test_a_line_needs_a_sentence_and_a_sentence_a_line() -> None:
    known = {name: {"info"} for name in log_lines.WHEN}
    log_lines.check_lines(known)
    with pytest.raises(AssertionError, match=r"say in .*WHEN when these lines are written: \['disk.full'\]"):
        log_lines.check_lines(known | {"disk.full": {"error"}})
    del known["stopped"]
    with pytest.raises(AssertionError, match=r"nothing writes \['stopped'\]"):
        log_lines.check_lines(known)


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_a_command_shows_its_arguments_and_its_own_options() -> None:
    (risk,) = [command for command in command_line.commands() if command.words == "account risk"]
    names = [name for name, _ in risk.parameters]
    assert names == ["IDENTIFIER", "--ip TEXT", "--device ID", "--app NAME"]
    assert [name.partition(" ")[0] for name in command_line.common()] == ["--data", "--config", "--json"]


def test_cells_keep_their_bars_and_lose_their_line_breaks() -> None:
    assert table(("a", "b"), [("x|y", "one\n two")]) == "| a | b |\n|---|---|\n| x\\|y | one two |\n"


SPANS = [(0, "0 ms"), (1500, "1500 ms"), (90_000, "90 s"), (MINUTE, "1 min"), (30 * DAY, "30 d")]


@pytest.mark.parametrize(("ms", "shown"), SPANS)
def test_a_span_is_shown_in_its_largest_whole_unit(ms: int, shown: str) -> None:
    assert duration(ms) == shown
