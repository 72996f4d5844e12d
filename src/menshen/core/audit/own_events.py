"""Say which audit events the owner of an account should read, and how they are shown. (decision 0080.)

The words stand in the texts of pages, under `event`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from menshen.core.audit.events import Event, Tag
from menshen.core.networks import shortened
from menshen.core.plain_text import plain
from menshen.core.time import Instant

MOST: Final = 50
"""How many events an owner sees, the newest."""

MOST_TRIES: Final = 10
"""How many of them may be tries that failed. Strangers cause these: they must not push the others out."""

TRIES: Final = frozenset({Tag.LOGIN_FAILED, Tag.STEP_FAILED, Tag.PASSWORD_SUSPENDED, Tag.TOTP_SUSPENDED})
"""Events that a stranger can cause who knows no more than a name, or a password without the second step."""

ACTS: Final = frozenset(
    {
        Tag.LOGIN_SUCCEEDED,
        Tag.STEP_ELSEWHERE,
        Tag.FACTOR_ADDED,
        Tag.FACTOR_REMOVED,
        Tag.FACTOR_RENAMED,
        Tag.FACTORS_RESET,
        Tag.SECOND_STEP_ON,
        Tag.SECOND_STEP_OFF,
        Tag.RECOVERY_MADE,
        Tag.RECOVERY_USED,
        Tag.PASSKEY_CLONE_SUSPECTED,
        Tag.DEVICE_TRUSTED,
        Tag.TRUST_REVOKED,
        Tag.SESSION_ENDED,
        Tag.REFRESH_REUSED,
        Tag.ACCOUNT_REGISTERED,
        Tag.NOT_ME,
        Tag.ACCOUNT_DISABLED,
        Tag.ACCOUNT_ENABLED,
        Tag.ACCOUNT_CLOSING,
        Tag.CLOSING_TAKEN_BACK,
        Tag.ACCOUNT_EXPORTED,
        Tag.EXPORT_ORDERED,
        Tag.ACCOUNT_IMPORTED,
        Tag.PROFILE_CHANGED,
        Tag.IDENTIFIER_BOUND,
        Tag.IDENTIFIER_DROPPED,
        Tag.IDENTIFIER_REMOVED,
        Tag.PASSWORD_CHANGED,
        Tag.PASSWORD_RESET,
        Tag.IDENTITY_PROVED,
        Tag.TERMS_AGREED,
    }
)
"""What happened to the account, and who came in."""

ACTS_READ: Final = 4 * MOST
"""How many acts are read. Some of them say nothing beside another one, and are left out."""

_FOLLOWS: Final = frozenset(
    {
        "account_closed",
        "account_closing",
        "account_disabled",
        "factor_changed",
        "newer_login",
        "not_me_link",
        "password_changed",
        "password_reset",
        "refresh_reused",
    }
)
"""Reasons for which a session ends beside an event of its own."""


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """Hold an event as the owner sees it.

    `network` is the address after a fresh proof, else shortened; "" for what no request did. Of a try that failed it
    is always shortened: a stranger may have caused it. `reason` is a stable word, and `session_id` cannot
    authenticate. `app` is "" if there is none any more.
    """

    tag: Tag
    at: Instant
    app: str
    network: str
    reason: str
    session_id: str


def own_events(
    acts: Iterable[Event], tries: Iterable[Event], apps: Mapping[int, str], *, in_full: bool
) -> list[OwnEvent]:
    """Return the events of an account as its owner sees them, the newest first.

    `acts` and `tries` are its newest events of `ACTS` and `TRIES`, oldest first. `apps` maps numbers of apps to names.
    """
    told = [event for event in acts if event.tag is not Tag.SESSION_ENDED or event.reason not in _FOLLOWS]
    newest = sorted([*told, *tries], key=lambda event: event.at)[::-1]
    return [
        OwnEvent(
            tag=event.tag,
            at=event.at,
            app="" if event.app_id is None else apps.get(event.app_id, ""),
            network=_shown(event, in_full=in_full),
            reason=plain(event.reason),
            session_id=event.session_id,
        )
        for event in newest[:MOST]
    ]


def text_ids(tag: Tag, reason: str) -> tuple[str, ...]:
    """Return the ids of texts for an event, the best first: one for its reason may be missing, the last one is not.

    "login.succeeded" by "code" gives `event.login_succeeded_code` and `event.login_succeeded`.
    """
    base = f"event.{tag.replace('.', '_')}"
    word = reason.partition("+")[0].partition(":")[0]
    return (f"{base}_{word}", base) if word else (base,)


def _shown(event: Event, *, in_full: bool) -> str:
    if not event.ip:
        return ""
    return event.ip if in_full and event.tag not in TRIES else shortened(event.ip)
