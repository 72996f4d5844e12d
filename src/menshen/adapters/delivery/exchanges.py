"""Turn the ways in which an exchange with a vendor ends into the exceptions of senders."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from menshen.core.delivery.verdicts import Verdict
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.ports.outward import Answer, NotReached, Outward, Request, Unknown

_MOST_FIELDS: Final = 64


async def answer_of(outward: Outward, request: Request) -> Answer:
    """Make one exchange and return its answer, of any status.

    Raises:
        DeliveryFailed: no byte of the request left.
        DeliveryUnknown: the request may have left, and no whole answer came.
    """
    match await outward.exchange(request):
        case NotReached(reason):
            raise DeliveryFailed(reason)
        case Unknown(reason):
            raise DeliveryUnknown(reason)
        case Answer() as answer:
            return answer


def refuse(verdict: Verdict, status: int, code: str, retry_after: float = 0) -> NoReturn:
    """Raise what a verdict other than ACCEPTED means.

    `code` is the entry of the sender's own table that matched: text of a vendor may repeat number and key. It is shown
    for a refusal only. `retry_after` is in seconds.

    Raises:
        DeliveryFailed: the vendor refused.
        DeliveryUnknown: nothing proves that it did.
    """
    if verdict in {Verdict.UNKNOWN, Verdict.ACCEPTED}:
        raise DeliveryUnknown(f"HTTP {status}")
    raise DeliveryFailed(f"HTTP {status} {code}", verdict, code=code, retry_after=retry_after)


def object_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, {} for anything else."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def seconds_in(header: str) -> float:
    """Return the seconds that `Retry-After` asks for, 0 where it gives none in digits."""
    return float(header) if header.isascii() and header.isdigit() and len(header) <= 6 else 0


def form_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form in a body, {} for anything else and for a form that has a name twice."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}
