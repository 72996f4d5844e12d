"""Random lives of one person, held against a model of a few lines: nothing that the model does not allow happens.

Invariants: one code one session; a disabled account holds none; what was ended stays ended, also after a restart.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from menshen.core.login import CodeSent, Done, Granted, PasswordChange
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows import admin_accounts
from tests.flows.site import CAREYSHOP, PASSWORD, PHONE, WEIDU, Site, open_site
from tests.harness import Clock

T = TypeVar("T")


@dataclass
class Code:
    """A code as the model sees it."""

    text: str
    until: int
    tries: int = 5


@dataclass
class Held:
    """A session as the model sees it: `pair` when it can be refreshed, `until` the end of its token."""

    granted: Granted
    until: int
    platform: str | None
    pair: bool


@dataclass
class Model:
    """What ought to be."""

    password: str = PASSWORD
    disabled: bool = False
    code: Code | None = None
    tries_left: int = 20
    tries_until: int = 0
    sessions: list[Held] = field(default_factory=list)
    ended: list[Granted] = field(default_factory=list)

    def opened(self, granted: Granted, now: int, platform: str | None) -> None:
        for rival in [held for held in self.sessions if platform and held.platform == platform]:
            self.end(rival)
        self.sessions.append(Held(granted, now + 30 * DAY, platform, pair=platform is not None))

    def end(self, held: Held) -> None:
        self.sessions.remove(held)
        self.ended.append(held.granted)

    def end_all(self, but: Held | None = None) -> None:
        for held in [held for held in self.sessions if held is not but]:
            self.end(held)

    def try_code(self, text: str, now: int) -> bool | None:
        """Whether it logs in; None when the number has no tries left this hour."""
        if now >= self.tries_until:
            self.tries_left, self.tries_until = 20, now + HOUR
        if self.tries_left <= 0:
            return None
        code, open_code = self.code, self.code is not None and now < self.code.until and self.code.tries > 0
        if open_code and code and code.text == text:
            self.code = None
            return True
        self.tries_left -= 1
        if open_code and code:
            code.tries -= 1
        return False


class Life(RuleBasedStateMachine):
    """Deeds at one site on a real SQLite file."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="menshen-life-"))
        shutil.copy(self.template, self.folder / "menshen.db")
        self.clock, self.model = Clock(), Model()
        self.replays: list[str] = []
        self.open()

    def open(self) -> None:
        self.stack = AsyncExitStack()
        self.site: Site = self.run(self.stack.enter_async_context(open_site(self.folder, clock=self.clock)))

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> int:
        return self.clock.now()

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()
        shutil.rmtree(self.folder)

    @initialize()
    def born(self) -> None:
        self.run(self.site.kevin())

    # --- deeds --------------------------------------------------------------------------------------------------------

    @rule()
    def send(self) -> None:
        self.clock.advance(12 * MINUTE)
        sent = self.run(self.site.ask_code(PHONE, origin=self.site.elsewhere()))
        if sent == CodeSent():
            text = self.run(self.site.harness.messages())[-1].code
            self.model.code = Code(text, self.now + 300 * SECOND)
            self.replays.append(text)
        else:
            assert isinstance(sent, Denied)
            assert sent.code is ProblemCode.TOO_MANY_REQUESTS

    def _try_code(self, text: str) -> None:
        got = self.run(self.site.try_code(text, origin=self.site.elsewhere()))
        expected = self.model.try_code(text, self.now)
        if expected is None:
            assert isinstance(got, Denied)
            assert got.code is ProblemCode.TOO_MANY_REQUESTS
        elif expected and not self.model.disabled:
            assert isinstance(got, Granted)
            self.model.opened(got, self.now, None)
        else:
            assert got == Denied(ProblemCode.ACCOUNT_DISABLED if expected else ProblemCode.WRONG_CODE)

    @rule(data=st.data())
    @precondition(lambda self: self.replays)
    def replay(self, data: st.DataObject) -> None:
        self._try_code(data.draw(st.sampled_from(self.replays)))

    @rule()
    @precondition(lambda self: self.model.code)
    def right_code(self) -> None:
        assert self.model.code
        self._try_code(self.model.code.text)

    @rule(text=st.sampled_from(["", "000000x", "１２３４５６"]))
    def wrong_code(self, text: str) -> None:
        self._try_code(text)

    @rule(platform=st.sampled_from(["web", "ios", None]))
    def right_password(self, platform: str | None) -> None:
        origin = self.site.elsewhere(CAREYSHOP if platform else WEIDU)
        got = self.run(self.site.try_password(password=self.model.password, origin=origin, platform=platform or ""))
        if self.model.disabled:
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS)
        else:
            assert isinstance(got, Granted)
            self.model.opened(got, self.now, platform)

    @rule()
    def wrong_password(self) -> None:
        got = self.run(self.site.try_password(password="not this one", origin=self.site.elsewhere()))
        assert got == Denied(ProblemCode.WRONG_CREDENTIALS)

    @rule(data=st.data())
    @precondition(lambda self: any(held.pair for held in self.model.sessions))
    def refresh(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.pair]))
        got = self.run(self._refresh(held.granted))
        if self.now < held.granted.session.refresh_expires_at:
            assert isinstance(got, Granted)
            self.model.ended.append(held.granted)
            held.granted, held.until = got, self.now + 30 * DAY
        else:
            assert got == Denied(ProblemCode.REFRESH_EXPIRED)

    def _refresh(self, pair: Granted) -> Awaitable[Any]:
        return self.site.flows.refresh(pair.token, pair.refresh, self.site.origin(house=CAREYSHOP))

    @rule(data=st.data())
    @precondition(lambda self: any(held.until > self.now for held in self.model.sessions))
    def log_out(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.until > self.now]))
        caller = self.run(self.site.caller(held.granted))
        assert self.run(self.site.flows.log_out(caller, self.site.origin())) == Done()
        self.model.end(held)

    @rule(data=st.data(), new=st.sampled_from(["battery staple", "another horse", PASSWORD]))
    @precondition(lambda self: any(held.until > self.now for held in self.model.sessions))
    def change_password(self, data: st.DataObject, new: str) -> None:
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.until > self.now]))
        caller = self.run(self.site.caller(held.granted))
        ask = PasswordChange(self.model.password, new)
        assert self.run(self.site.flows.change_password(ask, caller, self.site.elsewhere())) == Done()
        self.model.password, self.model.code = new, None
        self.model.end_all(but=held)

    @rule()
    def switch(self) -> None:
        switch = admin_accounts.enable_account if self.model.disabled else admin_accounts.disable_account
        self.run(switch("kevin", store=self.site.store, world=self.clock))
        self.model.disabled = not self.model.disabled
        if self.model.disabled:
            self.model.end_all()

    @rule(span=st.sampled_from([SECOND, MINUTE, 5 * MINUTE, HOUR, DAY, 29 * DAY]))
    def wait(self, span: int) -> None:
        self.clock.advance(span)

    @rule()
    def restart(self) -> None:
        networks = self.site.networks
        self.run(self.stack.aclose())
        self.open()
        self.site.networks = networks

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_living_live_and_the_ended_do_not(self) -> None:
        for held in self.model.sessions:
            alive = self.run(self.site.flows.check_token(held.granted.token)) is not None
            # Being asked is use: a session that slides is pushed on, though perhaps not at once.
            assert alive == (self.now < held.until) or held.granted.session.sliding_ms
            if alive and held.granted.session.sliding_ms:
                held.until = max(held.until, self.now + MINUTE)
        for ended in self.model.ended[-5:]:
            assert self.run(self.site.flows.check_token(ended.token)) is None

    @invariant()
    def no_more_sessions_than_were_opened(self) -> None:
        rows = self.run(self.site.store.read.sessions.list_of(1)) if not self.model.disabled else []
        known = {held.granted.session.session_id for held in self.model.sessions}
        assert {row.session_id for row in rows} == known or len(known) > 20


@pytest.fixture
def template(sqlite_template: Path) -> Path:
    return sqlite_template


def test_no_life_leaves_the_model(template: Path) -> None:
    life = type("Life", (Life,), {"template": template})
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
