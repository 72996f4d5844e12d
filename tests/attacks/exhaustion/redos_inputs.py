"""Texts that a regular expression nearly takes, made out of the expression itself.

Each repetition in it is blown up in turn while the rest stays as short as may be, and what follows spoils it: that is
what makes a pattern that can read one text in many ways try them all.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

LONG = 50_000
_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")
_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}
_CATEGORIES = {
    _constants.CATEGORY_DIGIT: "1", _constants.CATEGORY_SPACE: " ", _constants.CATEGORY_WORD: "a",
    _constants.CATEGORY_NOT_DIGIT: "a", _constants.CATEGORY_NOT_SPACE: "a", _constants.CATEGORY_NOT_WORD: " ",
}  # fmt: skip
_SPOILERS = ("", "\0")
_ANYTHING = "a1 -_.\"'\\[](){}\n\0é"


def almost_matching(pattern: str | bytes, flags: int, long: int = LONG) -> Iterator[str]:
    """At most `long` characters each, and some thousands of texts at the most for any pattern of ours."""
    tree = _parser.parse(pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern, flags)
    repeats = sum(1 for _ in _repeats_in(tree))
    seen = set()
    for pumped in range(repeats):
        for choice in range(3):
            grown = _Writer(pumped, choice, long).write(tree)[:long]
            for spoiler in _SPOILERS:
                if (text := grown[: long - 1] + spoiler) not in seen:
                    seen.add(text)
                    yield text


def _repeats_in(tree: Any) -> Iterator[Any]:
    for op, argument in tree:
        if op in _REPEATS:
            yield argument
            yield from _repeats_in(argument[2])
        elif op is _constants.SUBPATTERN:
            yield from _repeats_in(argument[3])
        elif op is _constants.BRANCH:
            for branch in argument[1]:
                yield from _repeats_in(branch)
        elif op is _constants.ATOMIC_GROUP:
            yield from _repeats_in(argument)
        elif op in {_constants.ASSERT, _constants.ASSERT_NOT}:
            yield from _repeats_in(argument[1])


class _Writer:
    """Writes one text that fits, the repetition numbered `pumped` as long as can be."""

    def __init__(self, pumped: int, choice: int, long: int) -> None:
        self._long = long
        self._pumped = pumped
        self._choice = choice
        self._next = 0
        self._groups: dict[int, str] = {}

    def write(self, tree: Any) -> str:
        return "".join(self._one(op, argument) for op, argument in tree)

    def _one(self, op: Any, argument: Any) -> str:
        if op is _constants.LITERAL:
            return chr(argument)
        if op in {_constants.NOT_LITERAL, _constants.IN, _constants.ANY}:
            return self._member(op, argument)
        if op in _REPEATS:
            return self._repeat(*argument)
        if op is _constants.SUBPATTERN:
            text = self.write(argument[3])
            self._groups[argument[0]] = text
            return text
        if op is _constants.BRANCH:
            written = [self.write(branch) for branch in argument[1]]
            longest = max(written, key=len)
            return longest if len(longest) > 1000 else written[self._choice % len(written)]
        if op is _constants.ATOMIC_GROUP:
            return self.write(argument)
        if op is _constants.GROUPREF:
            return self._groups.get(argument, "")
        if op is _constants.ASSERT:
            return self.write(argument[1])
        assert op in {_constants.AT, _constants.ASSERT_NOT}, op
        return ""

    def _repeat(self, least: int, most: Any, inner: Any) -> str:
        mine = self._next == self._pumped
        self._next += 1
        text = self.write(inner)
        if mine:
            return text * (self._long // max(1, len(text)))
        return text * min(max(least, 1), 20) if most else ""

    def _member(self, op: Any, argument: Any) -> str:
        if op is _constants.ANY:
            return _ANYTHING[self._choice]
        if op is _constants.NOT_LITERAL:
            return next(c for c in _ANYTHING[self._choice :] if ord(c) != argument)
        if argument[0][0] is _constants.NEGATE:
            return next(c for c in _ANYTHING[self._choice :] if not any(_has(item, c) for item in argument[1:]))
        op, value = argument[self._choice % len(argument)]
        if op is _constants.LITERAL:
            return chr(value)
        return chr(value[0]) if op is _constants.RANGE else _CATEGORIES[value]


def _has(item: tuple[Any, Any], character: str) -> bool:
    op, value = item
    if op is _constants.LITERAL:
        return bool(ord(character) == value)
    if op is _constants.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    return _CATEGORIES[value] == character
