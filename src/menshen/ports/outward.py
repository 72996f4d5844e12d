"""Define one HTTP exchange with a service outside: the request, and the three ways in which it can end.

Every outgoing call goes through this port. The outcome says whether the first byte of the request may have left.
This decides whether the caller may repeat the call. (Decision 0036.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

MOST_ANSWER: Final = 64 * 1024
"""Bytes of an answer's body. A longer answer is not read to its end."""


@dataclass(frozen=True, slots=True)
class Request:
    """Hold one request. Only `method` is shown in a repr: the rest may hold numbers, codes and keys.

    `url` is http or https; its path and query are sent as they stand. `seconds` bounds the whole exchange, resolving
    the name included; within them, the request must begin to leave after `connect_seconds`. `own_host` says that the
    operator's settings alone name the host, so that it may lie in a private network.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float = 5.0
    connect_seconds: float = 2.0
    own_host: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a whole answer of any status; a redirect is an answer too. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class NotReached:
    """Say that no byte of the request left: a repetition cannot act twice. `reason` is a word for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Say that the first byte may have left, and no whole answer came: a repetition may act twice."""

    reason: str


Outcome = Answer | NotReached | Unknown


class Outward(Protocol):
    """Make HTTP exchanges."""

    async def exchange(self, request: Request) -> Outcome:
        """Send `request` once and wait for the whole answer. Nothing is repeated, no redirect is followed.

        Raises:
            ValueError: `url` is no http or https address.
        """
        ...
