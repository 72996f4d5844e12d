"""2H in one process: no text takes a pattern, a parser or a password check longer than its length. (RS-5 to RS-7.)

What hangs fails every run; bounds by the clock, on one thread's processor, are for `make timing`. The figures are shown
in the summary.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import menshen
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.hashing.legacy import careyshop_hash
from menshen.core import strict_json
from menshen.core.apps import App
from menshen.core.policy import Policy
from menshen.core.problems import Denied
from menshen.core.strict_json import NotStrictError, read_object
from menshen.flows.gates.password_policy import judge_new_password
from menshen.wire.careyshop.sign import sign_of
from tests.architecture.test_house_rules import is_possessive
from tests.attacks.exhaustion.redos_inputs import LONG, almost_matching
from tests.attacks.hash_costs import Hashed
from tests.cost import TimeBudget, budgeted, cpu_seconds, steps
from tests.figures import Figure

PREFIX = "/weidu/api/v1"
COMPILING = {"compile", "fullmatch", "match", "search", "sub", "split", "findall", "finditer"}
MADE_OF_ARGUMENTS = {
    # A pattern of a `Whole`, which is tried where it is written.
    "menshen.wire.weidu.decode",
    # As many columns as a table has: patterns of that module, joined by commas.
    "menshen.adapters.importing.mysqldump.reader",
    # The characters of values in the settings, each in its forms. Only a command of operators uses it.
    "menshen.core.text.hidden",
    # A pattern for each mark that a text may stand in: found in the module's own table of them.
    "menshen.adapters.importing.mysqldump.literals",
}


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """(place, pattern) of every regular expression of the sources, those of schemas included."""
    root = Path(menshen.__file__).parent
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root.parent).with_suffix("").parts)
        if "migrations" in name or "versions" in path.parts:
            continue
        module = importlib.import_module(name.removesuffix(".__init__"))
        for table in vars(module).values():
            if isinstance(table, dict):
                yield from ((name, made) for made in table.values() if isinstance(made, re.Pattern))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = ast.unparse(node.func)
            if called != "Whole" and called not in {f"re.{verb}" for verb in COMPILING}:
                continue
            try:
                pattern = eval(ast.unparse(node.args[0]), dict(vars(module)))
            except NameError:
                assert name in MADE_OF_ARGUMENTS, f"{name}:{node.lineno}: what is this pattern made of?"
                continue
            flags = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
            flags += [arg for arg in node.args[1:] if called == "re.compile"]
            flag = eval(ast.unparse(flags[0]), {"re": re}) if flags else re.NOFLAG
            yield f"{name}:{node.lineno}", re.compile(pattern, flag)


PATTERNS = list(patterns())


@pytest.mark.attack("RS-5")
def test_all_patterns_are_found() -> None:
    assert len(PATTERNS) > 60
    assert any("Whole" in place or "weidu.calls.profile" in place for place, _ in PATTERNS)


bad_ones = pytest.mark.parametrize(("bad", "enough"), [(r"(?:a+)+b", 18), (r"(?:a|a)*b", 18), (r"\s*\s*y", 3_000)])


@pytest.mark.attack("RS-5")
@bad_ones
def test_near_misses_are_long_runs_that_do_not_fit(bad: str, enough: int) -> None:
    runs = [text for text in almost_matching(bad, 0) if len(set(text[:-1])) == 1]
    assert max(map(len, runs)) == LONG
    assert any(re.fullmatch(bad, text[:enough] + text[-1:]) is None for text in runs)


@pytest.mark.attack("RS-5")
@pytest.mark.timing
@bad_ones
def test_near_misses_find_a_bad_pattern(bad: str, enough: int) -> None:
    """The test of the test: of patterns that can read one text in many ways, twice as much text is far more work."""
    compiled = re.compile(bad)
    slower = []
    for text in almost_matching(bad, 0):
        half, whole = (text[: enough // part] + text[-1:] for part in (2, 1))
        slower.append(cpu_seconds(partial(compiled.fullmatch, whole)) / cpu_seconds(partial(compiled.fullmatch, half)))
    assert max(slower) > 2.8


def misses(pattern: re.Pattern[Any], long: int) -> Iterator[Any]:
    flags = pattern.flags & (re.DOTALL | re.ASCII | re.IGNORECASE | re.VERBOSE)
    for text in almost_matching(pattern.pattern, flags, long):
        yield text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text


def ends(budget: TimeBudget, pattern: re.Pattern[Any], given: Any, seconds: float, place: str) -> float:
    matches = (pattern.fullmatch, pattern.match)
    return max(budget.hold(partial(match, given), seconds, (place, given[:10], given[-1:])) for match in matches)


@pytest.mark.attack("RS-5")
def test_no_pattern_put_together_is_possessive() -> None:
    """The rule of the house reads pieces; here they are whole."""
    assert [place for place, pattern in PATTERNS if is_possessive(pattern.pattern, pattern.flags)] == []
    assert is_possessive("a*" + "+b")


@pytest.mark.attack("RS-5")
@budgeted
def test_no_pattern_is_slow_on_what_nearly_fits(figure: Figure, budget: TimeBudget) -> None:
    slowest, tried, where = 0.0, 0, ""
    for place, pattern in PATTERNS:
        # What an operator's own dump is read with may be slower: a file is no request.
        bound = 0.05 if ".importing." in place else 0.01
        took = 0.0
        for given in misses(pattern, LONG):
            tried += 1
            took = max(took, ends(budget, pattern, given, bound, place))
        if took > bound:
            # This machine is slow, or the pattern is: what is quadratic takes minutes for a text eight times as long.
            for given in misses(pattern, 8 * LONG):
                ends(budget, pattern, given, 8 * bound, place)
        if took > slowest:
            slowest, where = took, place
    figure(f"RS-5: {len(PATTERNS)} patterns, {tried} near misses of 50 kB: at most {slowest * 1000:.2f} ms ({where})")


@pytest.mark.attack("TY-11")
def test_patterns_match_whole_texts_of_ascii_digits() -> None:
    """`$` lets a line feed by and `\\d` takes every script's digits: the sources use neither for input."""
    offences: list[str] = []
    for path in Path(menshen.__file__).parent.rglob("*.py"):
        # Our own files and their names are no input.
        if {"schema", "statements"} & set(path.parts) or path.name == "metrics.py":
            continue
        text = path.read_text("utf-8")
        found = re.findall(r"re\.(?:match|search)\([^\n]*", text)
        classes = re.findall(r're\.compile\(\s*rb?"[^"\n]*\\[dw][^\n]*', text)
        offences += [f"{path.name}: {line}" for line in [*found, *(c for c in classes if "re.ASCII" not in c)]]
    assert offences == []


# --- depth ------------------------------------------------------------------------------------------------------------

DEPTHS = (9, 33, 1_000, 100_000)


def deep(depth: int) -> dict[str, bytes]:
    return {
        "objects": b'{"a":' * depth + b"1" + b"}" * depth,
        "lists": b'{"login_id":' + b"[" * depth + b"]" * depth + b"}",
        "objects without an end": b'{"a":' * depth,
        "lists without an end": b"[" * depth,
        "behind a string of brackets": b'{"a":"' + b"[" * depth + b'","b":' + b"[" * depth + b"]" * depth + b"}",
    }


@pytest.mark.attack("RS-6")
@pytest.mark.parametrize("depth", DEPTHS)
@budgeted
def test_depth_is_refused_before_it_is_parsed(
    figure: Figure, monkeypatch: pytest.MonkeyPatch, depth: int, budget: TimeBudget
) -> None:
    # Patched: without the parser of the standard library, what would parse fails.
    monkeypatch.setattr(strict_json, "json", None)
    taken = []
    for what, raw in deep(depth).items():

        def read(raw: bytes = raw) -> None:
            with pytest.raises(NotStrictError, match="too deep"):
                read_object(raw)

        taken.append(budget.hold(read, 0.005, what))
    figure(f"RS-6: JSON {depth} deep: at most {max(taken) * 1000:.3f} ms")


def many_parameters(count: int) -> dict[str, Any]:
    return {f"p{number}": "x" * 200 for number in range(count)} | {"sign": "y", "deep": {"a": ["b"] * 100}}


@pytest.mark.attack("RS-6")
def test_a_sign_is_made_in_linear_time() -> None:
    one, twice = (steps(partial(sign_of, many_parameters(count), "s" * 32)) for count in (64, 128))
    assert 64 < one < twice <= 2 * one


# --- long passwords ---------------------------------------------------------------------------------------------------


class _Nothing:
    def __contains__(self, password: object) -> bool:
        return False


@pytest.mark.attack("RS-7")
@pytest.mark.parametrize("letter", ["x", "é", "e\u0301", "\ufdfa", "İ"])
@budgeted
def test_judging_a_huge_password_is_cheap(figure: Figure, letter: str, budget: TimeBudget) -> None:
    """No similarity is measured that grows with the square; and what is longer than 16 KiB is no body at all."""
    app, words = App(1, "a", "11111111", "s" * 32), ("alice1", "13544285663", letter * 63 + "?")

    def verdict(size: int) -> bytes | Denied:
        password = letter * (size // len(letter.encode()))
        return judge_new_password(password, app, Policy(), _Nothing(), words, minimum=8)

    assert letter != "x" or isinstance(verdict(1_024), bytes)
    assert isinstance(verdict(16_384), Denied)
    of_body_size = budget.hold(partial(verdict, 16_384), 0.01) * 1000
    # Sixty times as much in some hundred times as long: never in 3600.
    of_a_megabyte = budget.hold(partial(verdict, 1_000_000), 0.5) * 1000
    figure(f"RS-7: judging 16 KiB of {letter!a}: {of_body_size:.2f} ms, a MB: {of_a_megabyte:.1f} ms")


@contextmanager
def hasher_and_hashes() -> Iterator[tuple[Argon2idHasher, dict[str, str]]]:
    """A hasher, and a stored hash of each kind."""
    hasher = Argon2idHasher(Parameters(8 * 1024, 2), threads=1)
    yield hasher, {"today's": hasher._hash(b"short"), "careyshop's": careyshop_hash(b"Passw0rd!"), "nobody's": ""}
    hasher.close()


@pytest.mark.attack("RS-7")
def test_a_long_password_takes_the_same_hashes_as_a_short_one(hashed: list[Hashed]) -> None:
    with hasher_and_hashes() as (hasher, kinds):
        for name, stored in kinds.items():
            for size in (1, 1024):
                hashed.clear()
                hasher._verify(stored, b"x" * size)
                assert hashed == [("verify", 8 * 1024 * 2)], (name, size)
