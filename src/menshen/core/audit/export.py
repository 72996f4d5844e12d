"""Define the document of all that is kept about an account and that its owner may have. (decision 0063.)

Hashes, tokens, digests, keyed counters, and the secrets and keys of factors are not in it.
Instants are epoch ms, 0 = never; empty text is "".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.account.accounts import Account, Profile
from menshen.core.account.agreements import AgreedTerms
from menshen.core.audit.events import Event
from menshen.core.factors.outcomes import EnrolledFactor, Holdings
from menshen.core.networks import site_of
from menshen.core.plain_text import plain
from menshen.core.sessions.devices import SeenDevice
from menshen.core.sessions.sessions import ListedSession
from menshen.core.text.typed import shown
from menshen.core.time import Instant

EVENTS_MOST: Final = 1000
"""The most events in one export, the newest. So its size has a bound."""

SESSIONS_MOST: Final = 200
"""The most sessions in one export, the newest. No rule of sessions allows as many."""


@dataclass(frozen=True, slots=True)
class ExportedAccount:
    """Hold the account. `phone` and `email` are whole. What is not verified may belong to another person.

    `second_step` says whether its owner asked for two proofs at each login, and `closes_at` when it is deleted, as its
    owner asked (0: never).
    """

    number: int
    id: str
    status: str
    roles: str
    username: str
    phone: str
    phone_verified: bool
    email: str
    email_verified: bool
    has_password: bool
    password_changed_at: int
    second_step: bool
    closes_at: int
    created_at: int
    updated_at: int
    login_at: int
    login_ip: str
    previous_login_at: int
    previous_login_ip: str


@dataclass(frozen=True, slots=True)
class ExportedProfile:
    """Hold the profile. `gender` is 0 (unknown), 1 (male) or 2 (female)."""

    nickname: str
    avatar_url: str
    city: str
    province: str
    country: str
    gender: int
    birthday: str
    description: str
    level: str
    major: str
    real_name_verified: bool
    refund_rate: float
    dispute_rate: float
    serve_num: int
    work_num: int


@dataclass(frozen=True, slots=True)
class ExportedSession:
    """Hold a live session. `id` can end it and cannot authenticate.

    `level` is 1 for one proof and 2 for two, and `methods` are words for what was proved, with spaces between them.
    """

    id: str
    app: str
    dialect: str
    platform: str
    device_id: str
    device_model: str
    device_name: str
    ip: str
    created_at: int
    seen_at: int
    proved_at: int
    level: int
    methods: str
    second_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ExportedPasskey:
    """Hold a passkey. `id` can rename or remove it. A `synced` one is shared by its owner's devices.

    A `step_only` one cannot log in alone.
    """

    id: str
    name: str
    synced: bool
    step_only: bool
    created_at: int
    used_at: int


@dataclass(frozen=True, slots=True)
class ExportedTrust:
    """Hold a device that needs no second step after a password. `id` can end it and cannot authenticate."""

    id: str
    app: str
    name: str
    ip: str
    created_at: int
    used_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ExportedFactors:
    """Hold what the account has beside its first proof. `kinds` are those that an app or a device proves by a code."""

    kinds: list[EnrolledFactor]
    passkeys: list[ExportedPasskey]
    recovery_codes_left: int
    trusted_devices: list[ExportedTrust]


@dataclass(frozen=True, slots=True)
class ExportedAgreement:
    """Hold an agreement. `kind` is "terms", or the id of a further consent of the app."""

    app: str
    kind: str
    version: str
    at: int
    ip: str


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """Hold an event of the audit log. It shows the network, not the address: a stranger may have caused it.

    `source` is a dialect, or `admin` for an operator. `subject` is masked.
    """

    at: int
    event: str
    app: str
    source: str
    network: str
    subject: str
    reason: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Export:
    """Hold the document. `more_events` says that older events are kept and left out."""

    exported_at: int
    account: ExportedAccount
    profile: ExportedProfile
    factors: ExportedFactors
    sessions: list[ExportedSession]
    known_devices: list[SeenDevice]
    agreements: list[ExportedAgreement]
    events: list[ExportedEvent]
    more_events: bool


def export_of(
    account: Account,
    sessions: Sequence[ListedSession],
    devices: Sequence[SeenDevice],
    events: Sequence[Event],
    apps: Mapping[int, str],
    now: Instant,
    *,
    holdings: Holdings,
    agreed: Sequence[AgreedTerms],
) -> Export:
    """Make the document. `events` are the newest, oldest first; `apps` maps numbers of apps to names."""
    kept = events[-EVENTS_MOST:]
    return Export(
        exported_at=now,
        account=_account(account),
        profile=_profile(account.profile),
        factors=_factors(holdings, apps),
        sessions=[_session(listed) for listed in sessions[:SESSIONS_MOST]],
        known_devices=list(devices),
        agreements=[
            ExportedAgreement(apps.get(one.app_id, ""), plain(one.kind), plain(one.version), one.at, one.ip)
            for one in agreed
        ],
        events=[_event(event, apps) for event in kept],
        more_events=len(events) > len(kept),
    )


def _account(account: Account) -> ExportedAccount:
    return ExportedAccount(
        number=account.number,
        id=account.public_id,
        status=account.status.value,
        roles=account.roles,
        username=account.username_shown or account.username or "",
        phone=account.phone or "",
        phone_verified=account.phone_verified,
        email=account.email or "",
        email_verified=account.email_verified,
        has_password=bool(account.password_hash),
        password_changed_at=account.password_changed_at,
        second_step=account.second_step,
        closes_at=account.closes_at,
        created_at=account.created_at,
        updated_at=account.updated_at,
        login_at=account.login_at,
        login_ip=account.login_ip,
        previous_login_at=account.previous_login_at,
        previous_login_ip=account.previous_login_ip,
    )


def _profile(profile: Profile) -> ExportedProfile:
    return ExportedProfile(
        nickname=profile.nickname,
        avatar_url=profile.avatar_url,
        city=profile.city,
        province=profile.province,
        country=profile.country,
        gender=int(profile.gender),
        birthday=profile.birthday,
        description=profile.description,
        level=profile.level,
        major=profile.major,
        real_name_verified=profile.real_name_verified,
        refund_rate=profile.refund_rate,
        dispute_rate=profile.dispute_rate,
        serve_num=profile.serve_num,
        work_num=profile.work_num,
    )


def _session(listed: ListedSession) -> ExportedSession:
    session = listed.session
    return ExportedSession(
        id=session.session_id,
        app=listed.app,
        dialect=session.dialect,
        platform=session.platform,
        device_id=session.device_id,
        device_model=session.device_model,
        device_name=session.device_name,
        ip=session.ip,
        created_at=session.created_at,
        seen_at=session.seen_at,
        proved_at=session.proved_at,
        level=session.level,
        methods=session.methods,
        second_at=session.second_at,
        expires_at=session.over_at,
    )


def _factors(holdings: Holdings, apps: Mapping[int, str]) -> ExportedFactors:
    return ExportedFactors(
        kinds=list(holdings.factors),
        passkeys=[
            ExportedPasskey(
                id=each.passkey_id,
                name=shown(plain(each.name)),
                synced=each.synced,
                step_only=each.step_only,
                created_at=each.created_at,
                used_at=each.used_at,
            )
            for each in holdings.passkeys
        ],
        recovery_codes_left=holdings.codes_left,
        trusted_devices=[
            ExportedTrust(
                id=each.trust_id,
                app=apps.get(each.app_id, ""),
                name=shown(plain(each.name)),
                ip=each.ip,
                created_at=each.created_at,
                used_at=each.used_at,
                expires_at=each.expires_at,
            )
            for each in holdings.trusted
        ],
    )


def _event(event: Event, apps: Mapping[int, str]) -> ExportedEvent:
    return ExportedEvent(
        at=event.at,
        event=event.tag.value,
        app="" if event.app_id is None else apps.get(event.app_id, ""),
        source=event.source,
        network=site_of(event.ip) if event.ip else "",
        subject=plain(event.subject),
        reason=event.reason,
        session_id=event.session_id,
    )
