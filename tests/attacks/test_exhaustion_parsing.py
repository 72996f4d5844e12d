"""2H in one process: no text takes a pattern, a parser or a password check longer than its length. (RS-5 to RS-7.)

What hangs fails every run; bounds by the clock, on one thread's processor, are for `make timing`. The figures are shown
in the summary.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
from menshen.wire.careyshop.parameters import of_body, of_path, of_query
from menshen.wire.careyshop.problems import Refused
from menshen.wire.careyshop.sign import sign_of
from tests.architecture.test_house_rules import is_possessive
from tests.attacks.hash_work import Hashed
from tests.attacks.near_misses import LONG, near_misses
from tests.cost import Judge, cpu_seconds, judged, steps
from tests.dialects.careyshop.shop import Shop
from tests.dialects.weidu.client import PASSWORD, Client, said
from tests.figures import Figure
from tests.harness import Harness

PREFIX = "/weidu/api/v1"
COMPILING = {"compile", "fullmatch", "match", "search", "sub", "split", "findall", "finditer"}
MADE_OF_ARGUMENTS = {
    # A pattern of a `Whole`, which is tried where it is written.
    "menshen.wire.weidu.decode",
    # As many columns as a table has: patterns of that module, joined by commas.
    "menshen.adapters.importing.mysqldump.reader",
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


def test_rs_5_all_patterns_are_found() -> None:
    assert len(PATTERNS) > 60
    assert any("Whole" in place or "weidu.profile" in place for place, _ in PATTERNS)


bad_ones = pytest.mark.parametrize(("bad", "enough"), [(r"(?:a+)+b", 18), (r"(?:a|a)*b", 18), (r"\s*\s*y", 3_000)])


@bad_ones
def test_rs_5_near_misses_are_long_runs_that_do_not_fit(bad: str, enough: int) -> None:
    runs = [text for text in near_misses(bad, 0) if len(set(text[:-1])) == 1]
    assert max(map(len, runs)) == LONG
    assert any(re.fullmatch(bad, text[:enough] + text[-1:]) is None for text in runs)


@pytest.mark.timing
@bad_ones
def test_rs_5_near_misses_find_a_bad_pattern(bad: str, enough: int) -> None:
    """The test of the test: of patterns that can read one text in many ways, twice as much text is far more work."""
    compiled = re.compile(bad)
    slower = []
    for text in near_misses(bad, 0):
        half, whole = (text[: enough // part] + text[-1:] for part in (2, 1))
        slower.append(cpu_seconds(partial(compiled.fullmatch, whole)) / cpu_seconds(partial(compiled.fullmatch, half)))
    assert max(slower) > 2.8


def misses(pattern: re.Pattern[Any], long: int) -> Iterator[Any]:
    flags = pattern.flags & (re.DOTALL | re.ASCII | re.IGNORECASE | re.VERBOSE)
    for text in near_misses(pattern.pattern, flags, long):
        yield text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text


def ends(judge: Judge, pattern: re.Pattern[Any], given: Any, seconds: float, place: str) -> float:
    matches = (pattern.fullmatch, pattern.match)
    return max(judge.hold(partial(match, given), seconds, (place, given[:10], given[-1:])) for match in matches)


def test_rs_5_no_pattern_put_together_is_possessive() -> None:
    """The rule of the house reads pieces; here they are whole."""
    assert [place for place, pattern in PATTERNS if is_possessive(pattern.pattern, pattern.flags)] == []
    assert is_possessive("a*" + "+b")


@judged
def test_rs_5_no_pattern_is_slow_on_what_nearly_fits(figure: Figure, judge: Judge) -> None:
    slowest, tried, where = 0.0, 0, ""
    for place, pattern in PATTERNS:
        # What an operator's own dump is read with may be slower: a file is no request.
        bound = 0.05 if ".importing." in place else 0.01
        took = 0.0
        for given in misses(pattern, LONG):
            tried += 1
            took = max(took, ends(judge, pattern, given, bound, place))
        if took > bound:
            # This machine is slow, or the pattern is: what is quadratic takes minutes for a text eight times as long.
            for given in misses(pattern, 8 * LONG):
                ends(judge, pattern, given, 8 * bound, place)
        if took > slowest:
            slowest, where = took, place
    figure(f"RS-5: {len(PATTERNS)} patterns, {tried} near misses of 50 kB: at most {slowest * 1000:.2f} ms ({where})")


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


@pytest.mark.parametrize("depth", DEPTHS)
@judged
def test_rs_6_depth_is_refused_before_it_is_parsed(
    figure: Figure, monkeypatch: pytest.MonkeyPatch, depth: int, judge: Judge
) -> None:
    # Whatever would parse fails.
    monkeypatch.setattr(strict_json, "json", None)
    taken = []
    for what, raw in deep(depth).items():

        def read(raw: bytes = raw) -> None:
            with pytest.raises(NotStrictError, match="too deep"):
                read_object(raw)

        taken.append(judge.hold(read, 0.005, what))
    figure(f"RS-6: JSON {depth} deep: at most {max(taken) * 1000:.3f} ms")


@pytest.mark.parametrize("depth", DEPTHS)
@judged
def test_rs_6_depth_of_forms_paths_and_signs_too(figure: Figure, depth: int, judge: Judge) -> None:
    form = b"application/x-www-form-urlencoded".decode()
    calls: dict[str, Callable[[], object]] = {
        "form": partial(of_body, b"a" + b"[b]" * depth + b"=1", form),
        "form, same brackets": partial(of_body, b"a" + b"[]" * depth + b"=1", form),
        "query": partial(of_query, b"a" + b"%5Bb%5D" * depth + b"=1"),
        "path": partial(of_path, [b"a" + b"[b]" * depth, b"1"]),
        "json": partial(of_body, deep(depth)["objects"], "application/json"),
        "json by its look": partial(of_body, deep(depth)["objects"], "text/plain"),
    }
    taken = {}
    for what, call in calls.items():

        def read(call: Callable[[], object] = call) -> None:
            with suppress(Refused):
                call()

        # A body has 16 KiB: what is deeper than that does not come this far.
        taken[what] = judge.hold(read, 0.005 if depth <= 1_000 else 0.5, what)
    longest = max(taken, key=lambda what: taken[what])
    figure(f"RS-6: forms {depth} deep: at most {taken[longest] * 1000:.3f} ms ({longest})")


@pytest.mark.parametrize("depth", DEPTHS)
async def test_rs_6_every_door_says_no_to_depth_and_lives(harness: Harness, depth: int) -> None:
    json_kind = {"content-type": "application/json"}
    for what, raw in deep(depth).items():
        for path in (f"{PREFIX}/users/login", f"{PREFIX}/users/mobile/sms", f"{PREFIX}/users/behavior/verification"):
            answer = await harness.client.post(path, content=raw, headers=json_kind)
            assert answer.status_code == (400 if len(raw) <= 16_384 else 413), what
        for path in ("/api/v1/user", "/api/v1/verification", "/api/batch"):
            answer = await harness.client.post(path, content=raw, headers=json_kind)
            assert answer.json()["status"] in {403, 500}, what
    nested: Any = "x"
    for _ in range(min(depth, 500)):
        nested = {"a": nested}
    # Where the device and signed parameters stand.
    body = {"login_id": "a", "password": "b", "device_id": nested, "device_sign": nested}
    answer = await harness.client.post(f"{PREFIX}/users/login", content=json.dumps(body), headers=json_kind)
    assert answer.status_code == 400
    told = await Shop(harness).client.post("/api/v1/user", json={"method": "login.user.user", "sign": nested})
    assert told.json()["status"] in {403, 500}
    assert said(await Client(harness).log_in("nobody1"))[0] == 401


def many_parameters(count: int) -> dict[str, Any]:
    return {f"p{number}": "x" * 200 for number in range(count)} | {"sign": "y", "deep": {"a": ["b"] * 100}}


def test_rs_6_a_sign_is_made_in_linear_time() -> None:
    one, twice = (steps(partial(sign_of, many_parameters(count), "s" * 32)) for count in (64, 128))
    assert 64 < one < twice <= 2 * one


@pytest.mark.timing
def test_rs_6_a_sign_is_made_in_no_time(figure: Figure) -> None:
    taken = cpu_seconds(partial(sign_of, many_parameters(64), "s" * 32))
    figure(f"RS-6: the sign of 64 parameters of 200: {taken * 1000:.3f} ms")
    assert taken < 0.005


# --- long passwords ---------------------------------------------------------------------------------------------------


class _Nothing:
    def __contains__(self, password: object) -> bool:
        return False


@pytest.mark.parametrize("letter", ["x", "é", "e\u0301", "\ufdfa", "İ"])
@judged
def test_rs_7_judging_a_huge_password_is_cheap(figure: Figure, letter: str, judge: Judge) -> None:
    """No similarity is measured that grows with the square; and what is longer than 16 KiB is no body at all."""
    app, words = App(1, "a", "11111111", "s" * 32), ("alice1", "13544285663", letter * 63 + "?")

    def verdict(size: int) -> bytes | Denied:
        password = letter * (size // len(letter.encode()))
        return judge_new_password(password, app, Policy(), _Nothing(), words, minimum=8)

    assert letter != "x" or isinstance(verdict(1_024), bytes)
    assert isinstance(verdict(16_384), Denied)
    of_body_size = judge.hold(partial(verdict, 16_384), 0.01) * 1000
    # Sixty times as much in some hundred times as long: never in 3600.
    of_a_megabyte = judge.hold(partial(verdict, 1_000_000), 0.5) * 1000
    figure(f"RS-7: judging 16 KiB of {letter!a}: {of_body_size:.2f} ms, a MB: {of_a_megabyte:.1f} ms")


@contextmanager
def hasher_and_hashes() -> Iterator[tuple[Argon2idHasher, dict[str, str]]]:
    """A hasher, and a stored hash of each kind."""
    hasher = Argon2idHasher(Parameters(8 * 1024, 2), threads=1)
    yield hasher, {"today's": hasher._hash(b"short"), "careyshop's": careyshop_hash(b"Passw0rd!"), "nobody's": ""}
    hasher.close()


def test_rs_7_a_long_password_takes_the_same_hashes_as_a_short_one(hashed: list[Hashed]) -> None:
    with hasher_and_hashes() as (hasher, kinds):
        for name, stored in kinds.items():
            for size in (1, 1024):
                hashed.clear()
                hasher._verify(stored, b"x" * size)
                assert hashed == [("verify", 8 * 1024 * 2)], (name, size)


@pytest.mark.timing
def test_rs_7_a_long_password_is_hashed_no_longer_than_a_short_one(figure: Figure) -> None:
    times = {}
    with hasher_and_hashes() as (hasher, kinds):
        for name, stored in kinds.items():
            short = cpu_seconds(partial(hasher._verify, stored, b"x"))
            long = cpu_seconds(partial(hasher._verify, stored, b"x" * 1024))
            times[name] = (short, long)
            assert long < 1.5 * short + 0.001, name
    told = ", ".join(f"{name} {a * 1000:.1f} and {b * 1000:.1f} ms" for name, (a, b) in times.items())
    figure(f"RS-7: verifying 1 and 1024 bytes: {told}")


async def test_rs_7_a_password_beyond_the_limit_is_not_hashed_and_still_takes_one_hash(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    asked: list[bytes | None] = []
    verify = harness.assembled.hasher.verify

    async def seen(stored: str, password: bytes | None) -> Any:
        asked.append(password)
        return await verify(stored, password)

    harness.assembled.hasher.verify = seen  # type: ignore[method-assign]
    for number, size in enumerate((1_025, 4_096, 15_000)):
        answer = await Client(harness, ip=f"192.0.{number}.1").log_in("alice1", "x" * size)
        assert answer.status_code in {400, 401}
    assert all(password is None or len(password) <= 1_024 for password in asked)
    told = await Shop(harness).call("login.user.user", username="alice1", password="é" * 3_000, platform="p")
    assert told["status"] == 500
