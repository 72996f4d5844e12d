"""What ought to be: one person's password, codes, sessions and captchas, in a few lines without any I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import PASS_LIFETIME, Action
from menshen.core.login.outcomes import Granted
from menshen.core.time import DAY, HOUR, SECOND
from tests.flows.site import PASSWORD
from tests.stateful.steps_model import Steps

TOKEN_LIFETIME, REFRESH_LIFETIME = 30 * DAY, 31 * DAY
CODE_LIFETIME, CODE_TRIES, TRIES_AN_HOUR = 300 * SECOND, 3, 20
"""Of a network that did not ask for the code: here each try comes from another one."""
GRACE = 30 * SECOND
MOST_SESSIONS = 18


@dataclass
class Code:
    """A code: `made_under` counts the keys that were current before its own."""

    text: str
    until: int
    made_under: int
    tries: int = CODE_TRIES


@dataclass
class Spent:
    """A pair that was refreshed away."""

    token: str
    refresh: str
    at: int
    retried: bool = False


@dataclass
class Held:
    """A session: `pair` when it can be refreshed, `until` the end of its token."""

    granted: Granted
    until: int
    platform: str | None
    refresh_until: int = 0
    spent: list[Spent] = field(default_factory=list)

    @property
    def pair(self) -> bool:
        return self.platform is not None

    @property
    def session_id(self) -> str:
        return self.granted.session.session_id


@dataclass
class Pass:
    """A captcha pass, and what it was spent on."""

    until: int
    spent_on: set[Action] = field(default_factory=set)


@dataclass
class Test:
    """A solved behaviour test that may be handed in."""

    __test__ = False
    payload: str
    until: int
    used: bool = False


@dataclass
class Model:
    """`keys` counts rotations, `running` how many of them the program that runs knows."""

    password: str = PASSWORD
    disabled: bool = False
    keys: int = 0
    running: int = 0
    codes: dict[Purpose, Code] = field(default_factory=dict)
    tries_left: int = TRIES_AN_HOUR
    tries_until: int = 0
    sessions: list[Held] = field(default_factory=list)
    ended: list[Granted] = field(default_factory=list)
    passes: dict[str, Pass] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    others: list[Granted] = field(default_factory=list)
    """Somebody else's sessions: nothing that happens here ends one."""
    audit: Counter[Tag] = field(default_factory=Counter)
    """How often each decision was made."""
    steps: Steps = field(default_factory=Steps)

    # --- sessions -----------------------------------------------------------------------------------------------------

    def opened(self, granted: Granted, now: int, platform: str | None) -> None:
        self.audit[Tag.LOGIN_SUCCEEDED] += 1
        for rival in [held for held in self.sessions if platform and held.platform == platform]:
            self.end(rival)
        until = now + REFRESH_LIFETIME if platform else 0
        self.sessions.append(Held(granted, now + TOKEN_LIFETIME, platform, until))

    def refreshed(self, held: Held, granted: Granted, now: int) -> None:
        self.audit[Tag.SESSION_REFRESHED] += 1
        held.spent.append(Spent(held.granted.token, held.granted.refresh, now))
        self.ended.append(held.granted)
        held.granted, held.until = granted, now + TOKEN_LIFETIME
        held.refresh_until = now + REFRESH_LIFETIME

    def answered_again(self, held: Held, spent: Spent, now: int) -> bool:
        """Whether this is the pair that the present one replaced, a moment ago. The first retry is audited."""
        if spent is not held.spent[-1] or now - spent.at > GRACE:
            return False
        self.audit[Tag.REFRESH_RETRIED] += not spent.retried
        spent.retried = True
        return True

    def replayed(self, held: Held, spent: Spent, now: int) -> None:
        if now - spent.at > GRACE:
            self.audit[Tag.REFRESH_REUSED] += 1
            self.end(held)

    def end(self, held: Held, *, told: bool = True) -> None:
        self.sessions.remove(held)
        self.ended.append(held.granted)
        self.audit[Tag.SESSION_ENDED] += told

    def end_all(self, but: Held | None = None, *, told: bool = True) -> None:
        self.steps.end_all()
        for held in [held for held in self.sessions if held is not but]:
            self.end(held, told=told)

    # --- passwords ----------------------------------------------------------------------------------------------------

    def set_password(self, password: str, but: Held | None = None) -> None:
        self.password = password
        self.codes.clear()
        self.end_all(but)

    def deleted(self) -> None:
        """The account is gone. Somebody registers the phone anew; the tries of its number stay counted."""
        self.audit[Tag.ACCOUNT_CLOSED] += 1
        self.set_password(PASSWORD)
        self.steps.deleted()

    # --- codes and captchas -------------------------------------------------------------------------------------------

    def sent(self, purpose: Purpose, text: str, now: int) -> None:
        self.audit[Tag.CODE_SENT] += 1
        self.codes[purpose] = Code(text, now + CODE_LIFETIME, self.running)

    def try_code(self, purpose: Purpose, text: str, now: int) -> bool | None:
        """Whether it is right; None when the number has no tries left this hour."""
        code = self.codes.get(purpose)
        if code is None or now >= code.until or code.tries <= 0:
            # Nothing can be guessed: it counts for its network alone.
            self.audit[Tag.CODE_REFUSED] += 1
            return False
        if now >= self.tries_until:
            self.tries_left, self.tries_until = TRIES_AN_HOUR, now + HOUR
        if self.tries_left <= 0:
            self.audit[Tag.CODE_REFUSED] += 1
            return None
        # No code outlives two rotations (ports/store/codes.py).
        if code.text == text and self.running - code.made_under <= 1:
            del self.codes[purpose]
            if self.tries_left == TRIES_AN_HOUR:
                # The hour begins with the first wrong try.
                self.tries_until = 0
            return True
        self.audit[Tag.CODE_REFUSED] += 1
        self.tries_left -= 1
        code.tries -= 1
        return False

    def hand_in(self, test: Test, now: int) -> bool:
        """Whether a solved test earns a pass: once."""
        good = not test.used and now < test.until
        test.used |= good
        return good

    def earned(self, token: str, now: int) -> None:
        self.passes[token] = Pass(now + PASS_LIFETIME)

    def spend(self, token: str, action: Action, now: int) -> bool:
        """Whether a pass is good for an action: once each."""
        held = self.passes.get(token)
        if held is None or now >= held.until or action in held.spent_on:
            return False
        held.spent_on.add(action)
        return True

    def forget_all(self) -> None:
        """A new epoch: nothing that was issued before is good, and nobody is told of each."""
        self.end_all(told=False)
        self.others.clear()
        self.codes.clear()
        for held in self.passes.values():
            held.until = 0
