"""Define the common part of every answer: its JSON form and its headers.

Must not know accounts, flows or reasons of refusals. (docs/contracts/weidu.md section 1.2.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.types import Send

CONTENT_TYPE: Final = "application/json; charset=utf-8"
Header = tuple[str, str]

_SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Ok(Struct, frozen=True):
    """Answer success. Larger answers add their fields after these."""

    code: Literal[200] = 200
    result: Literal["ok"] = "ok"


class Failure(Struct, frozen=True, kw_only=True):
    """Answer a refusal: `code` is the HTTP status, `result` is for people, `error` is a stable word for programs."""

    code: Annotated[int, Meta(ge=400, le=599)]
    result: Annotated[str, Meta(min_length=1)]
    error: Annotated[str, Meta(min_length=1)]
    field: Annotated[str, Meta(description="The field that is at fault.")] | UnsetType = UNSET
    retry_after: Annotated[int, Meta(ge=0, description="Seconds to wait before trying again.")] | UnsetType = UNSET
    challenge: Annotated[dict[str, Any], Meta(description="A behaviour test ready to solve.")] | UnsetType = UNSET
    login_ticket: Annotated[str, Meta(description="The ticket of the login that waits.")] | UnsetType = UNSET
    methods: Annotated[list[str], Meta(description="The factors that may complete it.")] | UnsetType = UNSET
    expires_in: Annotated[int, Meta(ge=0, description="Seconds until the ticket ends.")] | UnsetType = UNSET
    enroll: Annotated[bool, Meta(description="The account must enrol a factor first.")] | UnsetType = UNSET
    allowed: Annotated[list[str], Meta(description="What may be enrolled.")] | UnsetType = UNSET
    mobile: Annotated[str, Meta(description="The masked phone that a code must prove before.")] | UnsetType = UNSET
    tries_left: Annotated[int, Meta(ge=0, description="Steps that are left.")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an answer to send. `headers` follow Content-Type, in their order.

    `refused` is the error word of a refusal, for the log.
    """

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()
    refused: str = ""


_PLAIN_OK: Final = msgspec.json.encode(Ok())
_encoder: Final = msgspec.json.Encoder()


def ok(answer: Struct | None = None, headers: Iterable[Header] = ()) -> Reply:
    """Return a success: the bare envelope, or `answer`, which holds the envelope's fields itself."""
    return Reply(200, _PLAIN_OK if answer is None else _encoder.encode(answer), tuple(headers))


def fail(failure: Failure, headers: tuple[Header, ...] = ()) -> Reply:
    """Return a refusal. Its `code` is also the HTTP status."""
    return Reply(failure.code, _encoder.encode(failure), headers, failure.error)


async def send_reply(send: Send, reply: Reply, request_id: str, more: Iterable[Header] = ()) -> None:
    """Send a reply with its headers: Content-Type, the reply's own, then the dialect's."""
    raw = [] if reply.status == 204 else [(b"content-type", CONTENT_TYPE.encode())]
    raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    raw += _SECURITY_HEADERS
    raw += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in more]
    raw.append((b"x-request-id", request_id.encode("ascii")))
    if reply.status != 204:
        raw.append((b"content-length", str(len(reply.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})
