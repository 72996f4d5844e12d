"""Show the requests that a sender would make, and make none. What is secret in them is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from menshen.core.delivery.messages import Message
from menshen.core.secret import Secret
from menshen.core.text.hidden import MASK, Hider
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import NotReached, Outcome, Request

_SHORTEST: Final = 6
"""Digits of a number that can be one without its country."""

_PROOF: Final = re.compile(r"(?i)((?:signature|passworddigest)=\"?)[^\s\"&,]+|\b(basic|bearer) +\S+", re.ASCII)
"""What proves a request in `Authorization`, in other headers and in a query: without the secret it says nothing."""


@dataclass(frozen=True, slots=True)
class RecordingOutward:
    """Keep requests, and tell that none was made. Implements `menshen.ports.outward.Outward`."""

    requests: list[Request] = field(default_factory=list)

    async def exchange(self, request: Request) -> Outcome:
        self.requests.append(request)
        return NotReached("dry run")


async def rehearse(sender: Sender, handover: Handover) -> str:
    """Let a sender make its requests. It has a `RecordingOutward`. Return why it ended."""
    try:
        await sender.send(handover)
    except (DeliveryFailed, DeliveryUnknown) as ended:
        return str(ended)
    return ""


def hider_of(settings: Any, message: Message, others: Iterable[str] = ()) -> Hider:
    """Return what hides the secrets of the settings and `others`, and the number and the code of a message."""
    digits = message.to.lstrip("+")
    # With its country or without: a prefix of a country has one to three digits.
    numbers = (message.to, *(digits[start:] for start in range(4) if len(digits) - start >= _SHORTEST))
    return Hider([*secrets_in(settings), *others, *numbers, message.code])


def secrets_in(value: Any) -> Iterator[str]:
    """Yield each secret in a record of settings and in all that it holds."""
    if isinstance(value, Secret):
        yield from [str(value)] if value else []
    elif isinstance(value, Struct):
        yield from secrets_in([getattr(value, one.name) for one in msgspec.structs.fields(value)])
    elif is_dataclass(value):
        yield from secrets_in([getattr(value, one.name) for one in fields(value)])
    elif isinstance(value, Mapping):
        yield from secrets_in([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | frozenset | set):
        for inner in value:
            yield from secrets_in(inner)


def shown_request(request: Request, hider: Hider) -> dict[str, Any]:
    """Return a request as people and programs see it. A signature is hidden too: it would prove the request."""
    headers = {name: _without_proof(name, hider.hide(value)) for name, value in request.headers.items()}
    return {
        "method": request.method,
        "url": _PROOF.sub(_masked, hider.hide(request.url)),
        "headers": {hider.hide(name): value for name, value in headers.items()},
        "body": hider.hide(request.body.decode("utf-8", "replace")),
    }


def _without_proof(name: str, value: str) -> str:
    # A digest of the body would tell each guess of the code.
    return MASK if name.lower().endswith(("signature", "content-sha256")) else _PROOF.sub(_masked, value)


def _masked(found: re.Match[str]) -> str:
    return f"{found[2]} {MASK}" if found[2] else f"{found[1]}{MASK}"
