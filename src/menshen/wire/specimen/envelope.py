"""Write the form and the headers of every answer: `{"ok": true, …}` or `{"ok": false, "error": …, "message": …}`.

It must not know accounts, flows or why something was refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.types import Send

from menshen.wire.http.plain import answer

CONTENT_TYPE: Final = b"application/json; charset=utf-8"
Header = tuple[str, str]


class Ok(Struct, frozen=True, kw_only=True):
    """Say that the call succeeded. Answers that say more add their fields behind."""

    ok: bool = True


class Failure(Struct, frozen=True, kw_only=True):
    """Say that the call was refused. `error` is a word for programs, `message` a sentence for people.

    `retry_after` is in seconds.
    """

    ok: bool = False
    error: str
    message: str
    retry_after: int | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an answer before it is sent. `refused` is the error word of a refusal, for the log."""

    status: int
    body: Struct = field(repr=False)
    headers: tuple[Header, ...] = ()
    refused: str = ""


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a whole answer. Its headers forbid caching and guessing at types."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    await answer(send, reply.status, msgspec.json.encode(reply.body), CONTENT_TYPE, raw)
