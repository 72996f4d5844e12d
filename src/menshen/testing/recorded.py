"""Read recorded exchanges of a vendor: what was sent, byte for byte, and what came back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from menshen.ports.outward import Answer, Request

STATUSES_WITHOUT_VERDICT: Final = (301, 302, 307, 404, 429, 500, 502, 503)
"""Statuses that say nothing about the question, for any body."""

BODIES_WITHOUT_VERDICT: Final = (
    b"", b" ", b"null", b"true", b"1", b"[]", b"{}", b'"success"', b"<html>success</html>", b"\xff\xfe",
    b"\xef\xbb\xbf{}",     b"{" * 5000,
    b'{"a":' * 5000,
)  # fmt: skip
"""Bodies that no vendor means as a verdict."""

WRONG_VALUES: Final[tuple[Any, ...]] = (
    None,
    "",
    "x",
    "true",
    "false",
    "1",
    0,
    1,
    -1,
    1.5,
    2**62,
    [],
    ["x"],
    {},
    {"x": 1},
    "x" * 5000,
)
"""Values that a careless reader takes for something."""


def request_of(recorded: Mapping[str, Any]) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, URL, headers and body of a recorded request."""
    return recorded["method"], recorded["url"], recorded["headers"], recorded["body"].encode()


def sent(request: Request) -> tuple[str, str, dict[str, str], bytes]:
    """Return the same of a request that was made."""
    return request.method, request.url, dict(request.headers), request.body


def answer_of(recorded: Mapping[str, Any]) -> Answer:
    """Return a recorded answer. Without a status it is a 200."""
    return Answer(recorded.get("status", 200), {}, recorded["body"].encode())


def altered(answer: Answer) -> Iterator[tuple[str, Any, Answer]]:
    """Yield an answer of JSON with each of its keys left out (`...`) and given each wrong value."""
    said = json.loads(answer.body)
    for key in said:
        yield key, ..., Answer(answer.status, {}, json.dumps({k: v for k, v in said.items() if k != key}).encode())
        for value in WRONG_VALUES:
            if value != said[key] or type(value) is not type(said[key]):
                yield key, value, Answer(answer.status, {}, json.dumps({**said, key: value}).encode())


def doubled(answer: Answer) -> Iterator[Answer]:
    """Yield an answer of JSON with each of its keys standing twice, once with another value before."""
    for key, value in json.loads(answer.body).items():
        twice = f"{{{json.dumps(key)}: {json.dumps(not value)}, {answer.body.decode().lstrip().removeprefix('{')}"
        yield Answer(answer.status, {}, twice.encode())
