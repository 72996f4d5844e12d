"""The referee: it hears every call and its answer, and then compares them all with the database.

What it holds against them are the invariants of docs/operate/reliability.md:

    R1  acknowledged is durable                     R4  one live token of an account and platform
    R2  unacknowledged is whole or absent           R5  no refresh leaves the client without a pair in the database
    R3  a code opens one session at most            R6  what ended stays ended
    R9  no call is answered by a fault              R11 every decision is audited exactly once
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from tests.faults.caller import CallResult, Fate
from tests.faults.site import PASSWORD, Site, phone, username


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass
class Claims:
    """What one account's client may expect, from the answers it got."""

    passwords: list[str] = field(default_factory=lambda: [PASSWORD])
    """The password, or the two of which it may be either."""
    live: tuple[str, str] | None = None
    """The pair that was acknowledged and must be good."""
    unsure: tuple[str, str] | None = None
    """The pair that was good before a call whose answer was lost."""
    unsure_what: str = ""
    refresh_lost_at: float | None = None
    """When the refresh was sent whose answer was lost, unless another login may have taken its place."""
    ended: set[str] = field(default_factory=set)
    """Tokens whose end was acknowledged."""
    by_code: str = ""
    codes_sent: int = 0


@dataclass
class Verdict:
    """What was found. `rotated_unheard`: refreshes that happened and whose answer was lost."""

    breaches: list[str] = field(default_factory=list)
    sessions: int = 0
    events: int = 0
    rotated_unheard: int = 0


class Referee:
    """One for each test."""

    def __init__(self, site: Site, players: int) -> None:
        self.site = site
        self.claims = [Claims() for _ in range(players)]
        self.fates: Counter[str] = Counter()
        self.breaches: list[str] = []
        self.slowest = 0.0

    def hear(self, what: str, told: CallResult) -> CallResult:
        """Note one call's answer."""
        self.fates[f"{what} {told.fate.value}"] += 1
        self.slowest = max(self.slowest, told.seconds)
        if told.fate is Fate.FAULT:
            self.breach(f"R9 {what}: {told.status} {told.body}")
        return told

    def breach(self, text: str) -> None:
        # The first few say what is wrong; a thousand of the same would bury them.
        if len(self.breaches) < 10:
            self.breaches.append(text[:300])

    def total(self, fate: Fate) -> int:
        return sum(count for name, count in self.fates.items() if name.endswith(f" {fate.value}"))

    def has_done_more(self, than: int) -> bool:
        """Whether more calls were done than so many."""
        return self.total(Fate.DONE) > than

    def judge(self) -> Verdict:
        """Compare everything heard so far with what the database holds now; nothing may be under way."""
        verdict = Verdict(list(self.breaches))
        say = verdict.breaches.append
        if not self.site.url:
            for (state,) in self.site.rows("PRAGMA integrity_check"):
                if state != "ok":
                    say(f"the file is damaged: {state}")
        sessions = self.site.rows("SELECT session_id, token_digest, account_number, slot FROM sessions")
        audit = self.site.rows("SELECT tag, session_id, account_number, reason FROM audit")
        spent = {bytes(row[0]) for row in self.site.rows("SELECT digest FROM spent_refreshes")}
        accounts = {row[0]: row for row in self.site.rows("SELECT username, number, password_hash FROM accounts")}
        verdict.sessions, verdict.events = len(sessions), len(audit)
        self._ledger(sessions, audit, spent, say)
        digests = {bytes(row[1]): row for row in sessions}
        for number, claims in enumerate(self.claims):
            _, account, stored = accounts[username(number)]
            self._pairs(number, claims, digests, spent, verdict)
            if not any(_fits(stored, password) for password in claims.passwords):
                say(f"R1 {username(number)}: none of the passwords it was told of fits")
            by_code = [row for row in audit if row[0] == "login.succeeded" and row[2] == account and row[3] == "code"]
            if len(by_code) > claims.codes_sent:
                say(f"R3 {phone(number)}: {len(by_code)} logins by {claims.codes_sent} codes")
        return verdict

    @staticmethod
    def _ledger(sessions: list[Any], audit: list[Any], spent: set[bytes], say: Any) -> None:
        """Sessions are exactly those that the audit saw opened and did not see ended."""
        opened = Counter(row[1] for row in audit if row[0] == "login.succeeded")
        ended = Counter(row[1] for row in audit if row[0] == "session.ended")
        there = {row[0] for row in sessions}
        for session, times in opened.items():
            if times != 1:
                say(f"R11 session {session} was opened {times} times")
            if (session in there) == bool(ended[session]):
                say(f"R2 session {session}: there={session in there}, ended {ended[session]} times")
        for session, times in ended.items():
            if times != 1:
                say(f"R11 session {session} ended {times} times")
        if unknown := there - set(opened):
            say(f"R11 {len(unknown)} sessions that no event tells of")
        slots = Counter((row[2], row[3]) for row in sessions if row[3] is not None)
        if twice := [slot for slot, times in slots.items() if times > 1]:
            say(f"R4 {len(twice)} slots with more than one session")
        refreshed = sum(row[0] == "session.refreshed" for row in audit)
        if refreshed != len(spent):
            say(f"R11 {refreshed} refreshes audited, {len(spent)} spent")

    @staticmethod
    def _pairs(number: int, claims: Claims, digests: dict[bytes, Any], spent: set[bytes], verdict: Verdict) -> None:
        name, say = username(number), verdict.breaches.append
        if claims.live and digest(claims.live[0]) not in digests:
            say(f"R1 {name}: the session it was given is gone")
        for token in claims.ended:
            if digest(token) in digests:
                say(f"R6 {name}: an ended session is there")
        if claims.by_code and digest(claims.by_code) not in digests and len(claims.passwords) == 1:
            say(f"R1 {name}: the session it was given by code is gone")
        if claims.unsure and claims.unsure_what == "refresh" and digest(claims.unsure[0]) not in digests:
            # The old pair is dead: then the rotation is whole.
            if digest(claims.unsure[1]) not in spent:
                say(f"R5 {name}: neither the old pair nor a rotation is there")
            verdict.rotated_unheard += 1


def _fits(stored: str, password: str) -> bool:
    try:
        return argon2id.verify(stored.encode(), password.encode())
    except CryptoError:
        return False
