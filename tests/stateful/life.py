"""Deeds of one person, an operator and a thief at one installation, each held against the model right away.

send, wrong, right, replay, expire, block, refresh, revoke, change, reset, rotate keys, restart, raise the epoch: in any
order. Invariants (design/security.md 3.2): R1 what was answered is there, after every restart too. R3 a code, a test,
a pass and a refresh token succeed once. R4 one session in a slot. R6 what was ended is refused at once. R7 counted
tries outlive restarts. R8 nobody is taken for another. R11 each decision is audited once.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from menshen.app.keys_file import load_keyring, load_or_create_keyring, rotate
from menshen.core.captcha import Action, PassPresented
from menshen.core.events import Tag
from menshen.core.identifiers import Kind
from menshen.core.login import CaptchaPass, CodeSent, Done, Granted, PasswordChange, PasswordReset, SolvedChallenge
from menshen.core.one_time_codes import Purpose
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows import admin_accounts, background
from menshen.storage.sql.upkeep import SPENT_MEMORY
from tests.flows.site import CAREYSHOP, OTHER_PHONE, PHONE, WEIDU, Site, open_site
from tests.harness import Clock
from tests.stateful.model import Held, Model, Spent, Test

T = TypeVar("T")
APP_SECRET = "0123456789abcdef0123456789abcdef"
PASSWORDS = ["battery staple", "another horse", "correct horse"]
MOST_SESSIONS = 18
AUDIT_DAYS = 1_000_000
COUNTED = (
    Tag.LOGIN_SUCCEEDED, Tag.LOGIN_FAILED, Tag.SESSION_ENDED, Tag.SESSION_REFRESHED, Tag.REFRESH_REUSED, Tag.CODE_SENT,
    Tag.CODE_REFUSED, Tag.PASSWORD_CHANGED, Tag.PASSWORD_RESET, Tag.ACCOUNT_DISABLED, Tag.ACCOUNT_ENABLED,
)  # fmt: skip
ROOM = precondition(lambda self: len(self.model.sessions) < MOST_SESSIONS)
LIVE = precondition(lambda self: self.live())
PAIRS = precondition(lambda self: any(held.pair for held in self.model.sessions))


class Life(RuleBasedStateMachine):
    """One life at one site; what a subclass must say is where its data are."""

    template: Path
    environ: dict[str, str] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="menshen-life-"))
        self.fresh_data()
        self.clock, self.model = Clock(), Model()
        self.keys = self.folder / "keys.toml"
        load_or_create_keyring(self.keys, self.clock)
        self.texts: list[str] = []
        self.open()

    def fresh_data(self) -> None:
        """A migrated database that nobody used."""
        shutil.copy(self.template, self.folder / "menshen.db")

    def open(self) -> None:
        self.stack = AsyncExitStack()
        entering = open_site(self.folder, self.environ, clock=self.clock, keyring=load_keyring(self.keys))
        self.site: Site = self.run(self.stack.enter_async_context(entering))
        # What other keys sealed is read all the same.
        assert self.site.harness.app.secret == APP_SECRET

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> int:
        return self.clock.now()

    def live(self) -> list[Held]:
        return [held for held in self.model.sessions if held.until > self.now]

    def teardown(self) -> None:
        try:
            tags = self.run(self.site.tags())
            miscounted = {tag: (tags.count(tag), self.model.audit[tag]) for tag in COUNTED}
            miscounted = {tag.value: pair for tag, pair in miscounted.items() if pair[0] != pair[1]}
            assert not miscounted, f"audited, decided: {miscounted}"
        finally:
            self.run(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder)

    @initialize()
    def born(self) -> None:
        self.me = self.run(self.site.kevin()).number
        lucy = self.site.harness.add_account("lucy", phone=OTHER_PHONE, password="quiet otter 17")
        self.lucy = self.run(lucy).number
        # Somebody who has one of everything: whichever deed comes first finds something to do.
        for platform in ("web", None):
            self._log_in(platform)
        for purpose in (Purpose.LOGIN, Purpose.RESET):
            self._send(purpose)
        self.take_a_test()
        self._hand_in(self.model.tests[0])

    # --- codes --------------------------------------------------------------------------------------------------------

    @rule(purpose=st.sampled_from([Purpose.LOGIN, Purpose.RESET]))
    def send(self, purpose: Purpose) -> None:
        self._send(purpose)

    def _send(self, purpose: Purpose) -> None:
        self.clock.advance(2 * MINUTE)
        sent = self.run(self.site.ask_code(PHONE, purpose, origin=self.site.elsewhere()))
        if sent == CodeSent():
            text = self.run(self.site.harness.messages())[-1].code
            self.model.sent(purpose, text, self.now)
            self.texts.append(text)
        else:
            self.model.audit[Tag.CODE_REFUSED] += 1
            assert isinstance(sent, Denied)
            assert sent.code is ProblemCode.TOO_MANY_REQUESTS

    def _text(self, data: st.DataObject, purpose: Purpose) -> str:
        """The right code, one of before, or none."""
        which = data.draw(st.sampled_from(["right", "right", "old", "", "000000x", "１２３４５６"]))
        if which == "right" and purpose not in self.model.codes:
            self._send(purpose)
        if which == "right":
            open_code = self.model.codes.get(purpose)
            return open_code.text if open_code else ""
        return data.draw(st.sampled_from(self.texts[-3:])) if which == "old" else which

    @rule(data=st.data())
    @ROOM
    def log_in_by_code(self, data: st.DataObject) -> None:
        text = self._text(data, Purpose.LOGIN)
        got = self.run(self.site.try_code(text, origin=self.site.elsewhere()))
        match self.model.try_code(Purpose.LOGIN, text, self.now):
            case None:
                assert isinstance(got, Denied)
                assert got.code is ProblemCode.TOO_MANY_REQUESTS
            case True if not self.model.disabled:
                assert isinstance(got, Granted)
                self.model.opened(got, self.now, None)
            case right:
                assert got == Denied(ProblemCode.ACCOUNT_DISABLED if right else ProblemCode.WRONG_CODE)

    @rule(data=st.data(), new=st.sampled_from(PASSWORDS))
    def reset_password(self, data: st.DataObject, new: str) -> None:
        text, origin = self._text(data, Purpose.RESET), self.site.elsewhere()
        captcha = self.run(self.site.captcha(origin))
        ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, text, new, captcha=captcha)
        got = self.run(self.site.flows.reset_password(ask, origin))
        match self.model.try_code(Purpose.RESET, text, self.now):
            case None:
                assert isinstance(got, Denied)
                assert got.code is ProblemCode.TOO_MANY_REQUESTS
            case True if not self.model.disabled:
                assert got == Done()
                self.model.audit[Tag.PASSWORD_RESET] += 1
                self.model.set_password(new)
            case right:
                assert got == Denied(ProblemCode.ACCOUNT_DISABLED if right else ProblemCode.WRONG_CODE)

    # --- captchas -----------------------------------------------------------------------------------------------------

    @rule()
    def take_a_test(self) -> None:
        asked = self.run(self.site.flows.new_challenge(self.site.origin()))
        until = (self.now + 5 * MINUTE) // SECOND * SECOND
        self.model.tests.append(Test(self.site.harness.solve(asked.as_json()), until))

    @rule(data=st.data())
    @precondition(lambda self: self.model.tests)
    def hand_it_in(self, data: st.DataObject) -> None:
        self._hand_in(data.draw(st.sampled_from(self.model.tests[-3:])))

    def _hand_in(self, test: Test) -> None:
        got = self.run(self.site.flows.solve_challenge(SolvedChallenge(test.payload), self.site.origin()))
        if self.model.hand_in(test, self.now):
            assert isinstance(got, CaptchaPass)
            self.model.earned(got.token, self.now)
        else:
            assert got == Denied(ProblemCode.CAPTCHA_INVALID)

    @rule(data=st.data(), action=st.sampled_from([Action.EXIST, Action.SIGNUP]))
    @precondition(lambda self: self.model.passes)
    def spend_a_pass(self, data: st.DataObject, action: Action) -> None:
        token = data.draw(st.sampled_from(list(self.model.passes)[-3:]))
        got = self.run(self.site.flows.spend_captcha(PassPresented(token), action, self.site.origin()))
        good = self.model.spend(token, action, self.now)
        assert got == (Done() if good else Denied(ProblemCode.CAPTCHA_INVALID))

    # --- passwords ----------------------------------------------------------------------------------------------------

    @rule(platform=st.sampled_from(["web", "ios", None]))
    @ROOM
    def right_password(self, platform: str | None) -> None:
        self._log_in(platform)

    def _log_in(self, platform: str | None) -> None:
        origin = self.site.elsewhere(CAREYSHOP if platform else WEIDU)
        got = self.run(self.site.try_password(password=self.model.password, origin=origin, platform=platform or ""))
        if self.model.disabled:
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS)
            self.model.audit[Tag.LOGIN_FAILED] += 1
        else:
            assert isinstance(got, Granted)
            self.model.opened(got, self.now, platform)

    @rule(text=st.sampled_from([*PASSWORDS, "not this one", ""]))
    def wrong_password(self, text: str) -> None:
        if text != self.model.password:
            got = self.run(self.site.try_password(password=text, origin=self.site.elsewhere()))
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS)
            self.model.audit[Tag.LOGIN_FAILED] += 1

    @rule(data=st.data(), new=st.sampled_from(PASSWORDS), keep=st.booleans())
    @LIVE
    def change_password(self, data: st.DataObject, new: str, keep: bool) -> None:
        held = data.draw(st.sampled_from(self.live()))
        caller = self.run(self.site.caller(held.granted))
        ask = PasswordChange(self.model.password, new, keep_session=keep)
        assert self.run(self.site.flows.change_password(ask, caller, self.site.elsewhere())) == Done()
        self.model.audit[Tag.PASSWORD_CHANGED] += 1
        self.model.set_password(new, held if keep else None)

    # --- sessions -----------------------------------------------------------------------------------------------------

    def _refresh(self, token: str, refresh: str) -> Any:
        return self.run(self.site.flows.refresh(token, refresh, self.site.origin(house=CAREYSHOP)))

    @rule(data=st.data(), lost=st.sampled_from([31 * SECOND, 30 * SECOND, 0, None]))
    @PAIRS
    def refresh(self, data: st.DataObject, lost: int | None) -> None:
        """Once, and once more so many ms later when the answer is lost."""
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.pair]))
        got = self._refresh(held.granted.token, held.granted.refresh)
        if self.now < held.refresh_until:
            assert isinstance(got, Granted)
            assert got.session.session_id == held.session_id
            self.model.refreshed(held, got, self.now)
            if lost is not None:
                self.clock.advance(lost)
                self._replay(held, held.spent[-1], with_new_token=False)
        else:
            assert got == Denied(ProblemCode.REFRESH_EXPIRED)

    @rule(data=st.data(), with_new_token=st.booleans())
    @precondition(lambda self: any(held.spent for held in self.model.sessions))
    def refresh_again(self, data: st.DataObject, with_new_token: bool) -> None:
        """What a client does whose answer was lost, and a thief: only time tells them apart."""
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.spent]))
        self._replay(held, data.draw(st.sampled_from(held.spent)), with_new_token)

    def _replay(self, held: Held, spent: Spent, with_new_token: bool) -> None:
        got = self._refresh(held.granted.token if with_new_token else spent.token, spent.refresh)
        assert got == Denied(ProblemCode.REFRESH_INVALID if with_new_token else ProblemCode.UNAUTHENTICATED)
        self.model.replayed(held, spent, self.now)

    @rule(data=st.data())
    @precondition(lambda self: any(gone.refresh for gone in self._gone()))
    def refresh_what_ended(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from([gone for gone in self._gone() if gone.refresh]))
        assert self._refresh(gone.token, gone.refresh) == Denied(ProblemCode.UNAUTHENTICATED)

    def _gone(self) -> list[Granted]:
        """What ended, and was not only refreshed."""
        known = {held.session_id for held in self.model.sessions}
        return [gone for gone in self.model.ended if gone.session.session_id not in known]

    @rule(data=st.data(), how=st.sampled_from(["log out", "one", "others", "a stranger's"]))
    @LIVE
    def end_sessions(self, data: st.DataObject, how: str) -> None:
        flows, origin = self.site.flows, self.site.origin()
        held = data.draw(st.sampled_from(self.live()))
        caller = self.run(self.site.caller(held.granted))
        if how == "log out":
            assert self.run(flows.log_out(caller, origin)) == Done()
            self.model.end(held)
        elif how == "one":
            other = data.draw(st.sampled_from(self.model.sessions))
            assert self.run(flows.end_session(other.session_id, caller, origin)) == Done()
            self.model.end(other)
        elif how == "others":
            assert self.run(flows.end_other_sessions(caller, origin)) == Done()
            self.model.end_all(but=held)
        elif self.model.others:
            strangers = self.model.others[-1].session.session_id
            assert self.run(flows.end_session(strangers, caller, origin)) == Denied(ProblemCode.NOT_FOUND)

    @rule()
    @precondition(lambda self: len(self.model.others) < 2)
    def somebody_else(self) -> None:
        got = self.run(self.site.try_password("lucy", "quiet otter 17", self.site.elsewhere()))
        assert isinstance(got, Granted)
        self.model.audit[Tag.LOGIN_SUCCEEDED] += 1
        self.model.others.append(got)

    # --- what operators and time do -----------------------------------------------------------------------------------

    @rule(briefly=st.sampled_from([True, True, False]))
    @precondition(lambda self: not self.model.disabled)
    def block(self, briefly: bool) -> None:
        self._switch(admin_accounts.disable_account, Tag.ACCOUNT_DISABLED)
        self.model.disabled = True
        self.model.end_all()
        if briefly:
            self.the_living_live_and_the_ended_do_not()
            self._log_in("web")
            self.unblock()

    @rule()
    @precondition(lambda self: self.model.disabled)
    def unblock(self) -> None:
        self._switch(admin_accounts.enable_account, Tag.ACCOUNT_ENABLED)
        self.model.disabled = False

    def _switch(self, deed: Callable[..., Awaitable[Any]], tag: Tag) -> None:
        self.run(deed("kevin", store=self.site.store, world=self.clock))
        self.model.audit[tag] += 1

    @rule()
    def raise_epoch(self) -> None:
        self.run(self.site.store.write(lambda tx: tx.upkeep.raise_epoch()))
        self.model.forget_all()

    @rule(at_once=st.booleans())
    def rotate_keys(self, at_once: bool) -> None:
        """As the command does: a running program learns of it at its next start."""
        rotate(self.keys, self.clock)
        self.model.keys += 1
        if at_once:
            self.restart()

    @rule()
    def restart(self) -> None:
        networks = self.site.networks
        self.run(self.stack.aclose())
        self.open()
        self.site.networks = networks
        self.model.running = self.model.keys

    @rule()
    def sweep(self) -> None:
        """Messages go out, and what is dead is swept: of what anybody sees, nothing changes."""
        site = self.site
        senders = site.harness.assembled.senders
        self.run(background.deliver_due(store=site.store, senders=senders, world=self.clock))
        self.run(background.sweep(store=site.store, world=self.clock, audit_days=AUDIT_DAYS))
        left = {row.session_id for row in self.run(site.store.read.sessions.list_of(self.me))}
        for held in [held for held in self.model.sessions if held.session_id not in left]:
            assert max(held.until, held.refresh_until) <= self.now
            self.model.end(held, told=False)
        for held in self.model.sessions:
            held.spent = [spent for spent in held.spent if spent.at >= self.now - SPENT_MEMORY]

    @rule(span=st.sampled_from([29 * SECOND, 31 * SECOND, 5 * MINUTE, HOUR, DAY, 29 * DAY]))
    def wait(self, span: int) -> None:
        self.clock.advance(span)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_living_live_and_the_ended_do_not(self) -> None:
        flows = self.site.flows
        for held in self.model.sessions:
            bearer = self.run(flows.check_token(held.granted.token))
            # Being asked is use: a session that slides is pushed on, though perhaps not at once.
            assert (bearer is not None) == (self.now < held.until) or held.granted.session.sliding_ms
            if bearer is None:
                continue
            assert bearer.account_number == self.me
            if held.granted.session.sliding_ms:
                held.until = max(held.until, self.now + MINUTE)
            assert flows.csrf_fits(held.session_id, held.granted.csrf)
        for ended in self.model.ended[-5:]:
            assert flows.recall_token(ended.token) is None
            assert self.run(flows.check_token(ended.token)) is None
        for other in self.model.others:
            bearer = self.run(flows.check_token(other.token))
            assert bearer is None or bearer.account_number == self.lucy
            assert bearer is not None or self.now >= other.session.expires_at

    @invariant()
    def no_more_sessions_than_were_opened(self) -> None:
        rows = self.run(self.site.store.read.sessions.list_of(1)) if not self.model.disabled else []
        assert {row.session_id for row in rows} == {held.session_id for held in self.model.sessions}
