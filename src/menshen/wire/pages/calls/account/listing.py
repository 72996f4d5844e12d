"""Say the sessions of an account in words: the device, the app, the way in, the network and the times.

What ends sessions is in `devices` and `apps`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.problems import Denied
from menshen.core.sessions.sessions import ListedSession, Session
from menshen.wire.pages.call import RULES, Call
from menshen.wire.pages.calls.account.moments import Moment, moment
from menshen.wire.pages.look.words import Words

_KINDS: Final = (
    ("tablet", re.compile(r"ipad|tablet|\bpad\b")),
    ("phone", re.compile(r"iphone|android|phone|\bios\b|harmony|mobile|pixel|galaxy|huawei|honor|redmi|oppo|vivo")),
    ("desktop", re.compile(r"windows|mac|linux|\bpc\b|desktop|web|chrome|firefox|safari|edge|browser")),
)
_PASSKEYS: Final = frozenset({"hwk", "swk"})


@dataclass(frozen=True, slots=True)
class ShownSession:
    """Hold one session as its owner reads it. `kind` names its picture, and `own` says that it is this browser's.

    `way` and `place` are "" if they are not known.
    """

    id: str
    device: str
    kind: str
    app: str
    app_key: str
    way: str
    place: str
    network: str
    first: Moment | None
    last: Moment | None
    seen_at: int
    own: bool


async def shown_sessions(call: Call) -> Sequence[ShownSession] | Denied:
    """Return the live sessions of the caller: this browser's first, then those that were used last."""
    found = await call.flows.sessions.list(call.member, call.origin)
    if isinstance(found, Denied):
        return found
    names = {listed.session.app_id: await _app_name(call, listed) for listed in found}
    shown = [_shown(call, listed, names[listed.session.app_id]) for listed in found]
    return sorted(shown, key=lambda one: (not one.own, -one.seen_at))


async def _app_name(call: Call, listed: ListedSession) -> str:
    """Return the name of an app as people know it, else the one that operators gave it."""
    if listed.session.app_id == call.app.app_id:
        return call.app_name
    settings = await call.flows.pages.of_app(listed.session.app_id)
    return settings.name(call.words.tag) or listed.app


def _shown(call: Call, listed: ListedSession, app: str) -> ShownSession:
    session, words, now = listed.session, call.words, call.now
    own = session.session_id == call.member.session.session_id
    # The use of this browser's session is written back later than its page is made.
    seen_at = now if own else session.seen_at
    return ShownSession(
        id=session.session_id,
        device=device_of(words, session),
        kind=kind_of(session),
        app=app,
        app_key=listed.app,
        way=way_of(words, session.methods),
        place="",
        network=session.ip,
        first=moment(words, session.created_at, now),
        last=moment(words, seen_at, now),
        seen_at=seen_at,
        own=own,
    )


def device_of(words: Words, session: Session) -> str:
    """Return the name of a session's device, else its model or platform, else a word for what is not known."""
    # A client that names no platform has the name of its dialect there.
    platform = session.platform if session.platform != session.dialect else ""
    of_browser = "browser" if session.dialect == RULES.dialect else "unknown"
    return session.device_name or session.device_model or platform or words(f"devices.{of_browser}")


def kind_of(session: Session) -> str:
    """Return the kind of a session's device by the words in its names: phone, tablet, desktop or program."""
    told = f"{session.platform} {session.device_model} {session.device_name}".casefold()
    if session.dialect == RULES.dialect:
        told += " browser"
    return next((kind for kind, words in _KINDS if words.search(told)), "program")


def way_of(words: Words, methods: str) -> str:
    """Return how a session was opened, in words, such as "Password + code". Methods that have no words are left out."""
    said: list[str] = []
    for place, method in enumerate(methods.split()):
        name = "passkey" if method in _PASSKEYS else "mail" if method == "otp" and place == 0 else method
        if words.has(f"devices.way_{name}") and (text := words(f"devices.way_{name}")) not in said:
            said.append(text)
    line = " + ".join(said)
    return line[:1].upper() + line[1:]
