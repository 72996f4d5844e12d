"""Ask vendors of captchas, and read what they say: what the files of the vendors share.

A vendor's words become a verdict only where its file lists them. (docs/contracts/vendors.md section 4.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode, urlsplit

from menshen.core.findings import Finding, error
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.strict_json import NotStrictError, read_object
from menshen.core.time import SECOND, Instant
from menshen.ports.captcha import Failed
from menshen.ports.outward import Answer, NotReached, Outcome, Request, Unknown

LONGEST_PAYLOAD: Final = 8192
"""Characters of what a client sends of a solved test, at any vendor."""

FORM: Final = "application/x-www-form-urlencoded"

_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)", re.ASCII)


class Blame(Enum):
    """Say who caused an error that a vendor reports."""

    CLIENT = auto()
    OURS = auto()


def is_token(value: object, longest: int = LONGEST_PAYLOAD) -> TypeGuard[str]:
    """Return whether `value` is a text of 1 to `longest` printable ASCII characters, as the pages of vendors make."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()


def read_payload(payload: str) -> dict[str, Any] | None:
    """Return the fields of a payload that is the JSON text of an object, else None."""
    if not is_token(payload):
        return None
    try:
        return read_object(payload.encode())
    except NotStrictError:
        return None


def form_request(url: str, fields: Mapping[str, str], seconds: float, *, own_host: bool) -> Request:
    """Return a POST of a form. Its fields keep their order; `seconds` bounds the whole exchange."""
    return Request("POST", url, {"Content-Type": FORM}, urlencode(fields).encode(), seconds=seconds, own_host=own_host)


def said_of(outcome: Outcome) -> dict[str, Any] | NotReached | Unknown:
    """Return the object that a vendor answers with. Only a 200 is an answer."""
    match outcome:
        case Answer(status=200, body=body):
            return said_in(body) or Unknown("no JSON")
        case Answer(status=status):
            return Unknown(f"HTTP {status}")
        case NotReached() | Unknown() as unanswered:
            return unanswered


def said_in(body: bytes) -> dict[str, Any]:
    """Return the strict JSON object in a body, {} for anything else."""
    try:
        return read_object(body)
    except NotStrictError:
        return {}


def blamed(errors: object, words: Mapping[str, Blame]) -> Failed | Unknown:
    """Return the verdict for a token that was not taken. `errors` is what the vendor says of it, `words` its table.

    One error of ours, or one that is not in the table, makes the vendor's answer worthless.
    """
    listed = [word for word in errors if isinstance(word, str) and word in words] if isinstance(errors, list) else []
    ours = [word for word in listed if words[word] is Blame.OURS]
    if not listed or ours or listed != errors:
        return Unknown(ours[0] if ours else "unlisted")
    return Failed(listed[0])


def instant_of(stamp: object) -> Instant | None:
    """Return the instant of a time in UTC such as `2026-01-01T00:00:00.000Z`, None for anything else."""
    found = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    if not found:
        return None
    try:
        seconds = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return Instant(int(seconds) * SECOND + int(f"{found[2] or ''}000"[:3]))


def is_fresh(solved_at: int | None, now: Instant, oldest: int) -> bool:
    """Return whether a test was solved at most `oldest` ms ago. The vendor's clock may be ahead by as much."""
    return solved_at is not None and now - oldest <= solved_at <= now + oldest


def shown_on(hostname: object, hosts: frozenset[str]) -> bool:
    """Return whether the page of a test, as the vendor names it, is one of `hosts`."""
    return isinstance(hostname, str) and hostname in hosts


def find_empty(**values: str) -> Iterator[Finding]:
    """Find the keys of a vendor that are empty; each is given by its name."""
    for key, value in values.items():
        if not value:
            yield error(key, "must not be empty")


def find_root_problems(key: str, url: str) -> Iterator[Finding]:
    """Find what is wrong with an endpoint that is a host alone: such a vendor signs the path `/` and no other."""
    problems = [*find_endpoint_problems(key, url)]
    yield from problems
    if not problems and url.removesuffix("/").rpartition("//")[2] != urlsplit(url).netloc.rpartition("@")[2]:
        yield error(key, "must be a host without a path")


def root_of(url: str) -> str:
    """Return such an endpoint with its `/` at the end."""
    return f"{url.removesuffix('/')}/"
