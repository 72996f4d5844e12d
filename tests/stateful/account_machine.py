"""Let one person, an operator and a thief act at one installation, in random order.

send, wrong, right, replay, expire, block, refresh, revoke, change, reset, delete, rotate keys, restart, raise the
epoch: in any order. Invariants (docs/operate/reliability.md): R1 what was answered is there, after every restart. R3 a
code, a test, a pass and a refresh token succeed once. R4 one session in a slot. R6 what was ended is refused at once.
R7 counted tries outlive restarts. R8 nobody is taken for another. R11 each decision is audited once.
Those of second steps stand in `second_steps`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from menshen.adapters.storage.sql.repositories.upkeep import SPENT_MEMORY
from menshen.app.keys_file import rotate
from menshen.core.account.asks import Deletion
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Action, PassPresented
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.upkeep.sweep import sweep
from tests.flows.site import OTHER_PHONE
from tests.stateful.model import CODE_LIFETIME, MOST_SESSIONS, Held, Test
from tests.stateful.second_steps import SecondSteps

PASSWORDS = ["battery staple", "another horse", "correct horse"]
LUCYS = "quiet otter 17"
AUDIT_DAYS = 1_000_000
ROOM = precondition(lambda self: len(self.model.sessions) < MOST_SESSIONS)
LIVE = precondition(lambda self: self.live())
PAIRS = precondition(lambda self: any(held.pair for held in self.model.sessions))


class AccountMachine(SecondSteps):
    """Actions in any order."""

    @initialize(rotated=st.booleans(), protects=st.booleans())
    def create(self, rotated: bool, protects: bool) -> None:
        self.me = self.run(self.site.kevin()).number
        lucy = self.site.harness.add_account("lucy", phone=OTHER_PHONE, password=LUCYS)
        self.lucy = self.run(lucy).number
        # Somebody who has one of everything: the first action finds something to do.
        for platform in ("web", None):
            self.log_in(platform)
        for purpose in (Purpose.LOGIN, Purpose.RESET):
            self.send_code(purpose)
        self.take_a_test()
        self.hand_in(self.model.tests[0])
        self.take_a_test()
        if rotated:
            self.rotate_keys(at_once=True)
        if protects:
            self.protects = True
            self.turn_on()
            self.trust_a_device()
            self.log_in("web")

    # --- codes --------------------------------------------------------------------------------------------------------

    @rule(purpose=st.sampled_from([Purpose.LOGIN, Purpose.RESET]))
    def send(self, purpose: Purpose) -> None:
        self.send_code(purpose)

    def _text(self, data: st.DataObject, purpose: Purpose) -> str:
        """The right code, one of before, or none."""
        which = data.draw(st.sampled_from(["right", "right", "old", "", "000000x", "１２３４５６"]))
        if which == "right" and purpose not in self.model.codes:
            self.send_code(purpose)
        if which == "right":
            open_code = self.model.codes.get(purpose)
            return open_code.text if open_code else ""
        return data.draw(st.sampled_from(self.texts[-3:])) if which == "old" else which

    @rule(data=st.data())
    @ROOM
    def log_in_by_code(self, data: st.DataObject) -> None:
        self.log_in_by(self._text(data, Purpose.LOGIN))

    @rule(
        before=st.sampled_from(["", "", "reset", "change", "block", "epoch", "rotate", "rotate twice", "restart"]),
        wrong=st.sampled_from([5, 4, 0]),
        wait=st.sampled_from([0, 0, CODE_LIFETIME - 1, CODE_LIFETIME]),
    )
    @ROOM
    def log_in_late(self, before: str, wrong: int, wait: int) -> None:
        """With a right code, after whatever else happened since it was sent."""
        self.send_code(Purpose.RESET)
        self.send_code(Purpose.LOGIN)
        if (code := self.model.codes.get(Purpose.LOGIN)) is None:
            return
        if before == "reset" and (reset := self.model.codes.get(Purpose.RESET)):
            self.reset_by(reset.text, PASSWORDS[0])
        elif before == "change" and (live := self.live()):
            self.change(live[0], PASSWORDS[1], keep=True)
        elif before == "block" and not self.model.disabled:
            self.block(briefly=True)
        elif before == "epoch":
            self.raise_epoch()
        for _ in range(("rotate", "rotate twice").index(before) + 1 if before.startswith("rotate") else 0):
            self.rotate_keys(at_once=True)
        if before == "restart":
            self.restart()
        for _ in range(wrong):
            self.log_in_by("not it")
        self.clock.advance(wait)
        self.log_in_by(code.text)

    @rule(data=st.data(), new=st.sampled_from(PASSWORDS))
    def reset_password(self, data: st.DataObject, new: str) -> None:
        self.reset_by(self._text(data, Purpose.RESET), new)

    # --- captchas -----------------------------------------------------------------------------------------------------

    @rule()
    def take_a_test(self) -> None:
        asked = self.run(self.site.challenge())
        until = (self.now + 5 * MINUTE) // SECOND * SECOND
        self.model.tests.append(Test(self.site.harness.solve(asked.as_json()), until))

    @rule(data=st.data())
    @precondition(lambda self: self.model.tests)
    def hand_it_in(self, data: st.DataObject) -> None:
        self.hand_in(data.draw(st.sampled_from(self.model.tests[-3:])))

    @rule(data=st.data(), action=st.sampled_from([Action.EXIST, Action.SIGNUP]))
    @precondition(lambda self: self.model.passes)
    def spend_a_pass(self, data: st.DataObject, action: Action) -> None:
        token = data.draw(st.sampled_from(list(self.model.passes)[-3:]))
        got = self.run(self.site.flows.captcha.spend(PassPresented(token), action, self.site.origin()))
        good = self.model.spend(token, action, self.now)
        assert got == (Done() if good else Denied(ProblemCode.CAPTCHA_INVALID))

    # --- passwords ----------------------------------------------------------------------------------------------------

    @rule(platform=st.sampled_from(["web", "ios", None]))
    @ROOM
    def right_password(self, platform: str | None) -> None:
        self.log_in(platform)

    @rule(text=st.sampled_from([*PASSWORDS, "not this one", ""]))
    def wrong_password(self, text: str) -> None:
        if text != self.model.password:
            got = self.try_password(text, self.site.elsewhere())
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS)
            self.model.audit[Tag.LOGIN_FAILED] += 1

    @rule(data=st.data(), new=st.sampled_from(PASSWORDS), keep=st.booleans())
    @LIVE
    def change_password(self, data: st.DataObject, new: str, keep: bool) -> None:
        self.change(data.draw(st.sampled_from(self.live())), new, keep=keep)

    @rule(data=st.data(), proof=st.sampled_from(["none", "wrong", "wrong code", "password", "password", "code"]))
    @LIVE
    def delete_account(self, data: st.DataObject, proof: str) -> None:
        """With a proof, all that was issued is dead. The same person registers again at once."""
        held = data.draw(st.sampled_from(self.live()))
        if self.lacks_factor(held):
            for ask in (Deletion(self.model.password), Deletion(None, "not it")):
                assert self.delete(held, ask) == Denied(ProblemCode.PROOF_REQUIRED)
            if not self.prove_again(held):
                return
        if proof == "none":
            assert self.delete(held, Deletion()) == Denied(ProblemCode.PROOF_REQUIRED)
        elif proof == "wrong":
            assert self.delete(held, Deletion("not this one")) == Denied(ProblemCode.WRONG_CREDENTIALS)
            self.model.audit[Tag.LOGIN_FAILED] += 1
        elif proof == "wrong code":
            # No code went to the mailbox, so it is tried as one to the phone alone.
            got = self.delete(held, Deletion(None, "not it"))
            self.expect_refused(got, self.model.try_code(Purpose.PROOF, "not it", self.now))
        elif proof == "password":
            assert self.delete(held, Deletion(self.model.password)) == Done()
            self.begin_anew()
        else:
            self.delete_by_code(held)

    def delete_by_code(self, held: Held) -> None:
        self.send_code(Purpose.PROOF)
        code = self.model.codes.get(Purpose.PROOF)
        if code is None or held not in self.live():
            return
        got = self.delete(held, Deletion(None, code.text))
        right = self.model.try_code(Purpose.PROOF, code.text, self.now)
        if right:
            assert got == Done()
            self.begin_anew()
        else:
            self.expect_refused(got, right)

    def expect_refused(self, got: Any, right: bool | None) -> None:
        """A wrong code, or None: the number has no tries left."""
        assert isinstance(got, Denied)
        assert got.code is (ProblemCode.TOO_MANY_REQUESTS if right is None else ProblemCode.WRONG_CODE)

    def begin_anew(self) -> None:
        self.model.deleted()
        closed, self.me = self.me, self.run(self.site.kevin()).number
        assert self.me > closed
        assert self.run(self.site.store.read.sessions.list_of(closed)) == []

    # --- sessions -----------------------------------------------------------------------------------------------------

    @rule(data=st.data(), lost=st.sampled_from([31 * SECOND, 30 * SECOND, 0, None]))
    @PAIRS
    def refresh(self, data: st.DataObject, lost: int | None) -> None:
        """Once, and once more so many ms later when the answer is lost."""
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.pair]))
        if self.renew(held) and lost is not None:
            self.clock.advance(lost)
            self.replay(held, held.spent[-1], with_new_token=False)

    @rule(every=st.sampled_from([29 * DAY, 30 * DAY, 31 * DAY]))
    @PAIRS
    def refresh_for_months(self, every: int) -> None:
        """A month after the other: it goes on while none is missed."""
        held = next(held for held in self.model.sessions if held.pair)
        for _ in range(7):
            self.clock.advance(every)
            self.renew(held)

    @rule(data=st.data(), with_new_token=st.booleans())
    @precondition(lambda self: any(held.spent for held in self.model.sessions))
    def refresh_again(self, data: st.DataObject, with_new_token: bool) -> None:
        """What a client does whose answer was lost, and a thief: only time tells them apart."""
        held = data.draw(st.sampled_from([held for held in self.model.sessions if held.spent]))
        self.replay(held, data.draw(st.sampled_from(held.spent)), with_new_token)

    @rule(data=st.data())
    @precondition(lambda self: any(gone.refresh for gone in self.gone()))
    def refresh_what_ended(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from([gone for gone in self.gone() if gone.refresh]))
        assert self.try_refresh(gone.token, gone.refresh) == Denied(ProblemCode.UNAUTHENTICATED)

    @rule(data=st.data(), how=st.sampled_from(["log out", "one", "others", "a stranger's"]))
    @LIVE
    def end_sessions(self, data: st.DataObject, how: str) -> None:
        flows, origin = self.site.flows, self.site.origin()
        held = data.draw(st.sampled_from(self.live()))
        caller = self.run(self.site.caller(held.granted))
        # Ending what is not one's own needs a proof of the last ten minutes, by a factor where a login needs one.
        fresh = not self.lacks_factor(held) if self.steps.on else caller.session.fresh(self.site.clock.now())
        stale = None if fresh else Denied(ProblemCode.PROOF_REQUIRED)
        if how == "log out":
            assert self.run(flows.sessions.log_out(caller, origin)) == Done()
            self.model.end(held)
        elif how == "one":
            other = data.draw(st.sampled_from(self.model.sessions))
            refused = stale if other.session_id != caller.session.session_id else None
            assert self.run(flows.sessions.end(other.session_id, caller, origin)) == (refused or Done())
            if not refused:
                self.model.end(other)
        elif how == "others":
            assert self.run(flows.sessions.end_others(caller, origin)) == (stale or Done())
            if not stale:
                self.model.end_all(but=held)
        elif self.model.others:
            strangers = self.model.others[-1].session.session_id
            refused = stale or Denied(ProblemCode.NOT_FOUND)
            assert self.run(flows.sessions.end(strangers, caller, origin)) == refused

    @rule()
    @precondition(lambda self: len(self.model.others) < 2)
    def somebody_else(self) -> None:
        origin = self.site.elsewhere()
        captcha = self.run(self.site.captcha(origin))
        got = self.run(self.site.try_password("lucy", LUCYS, origin, captcha=captcha))
        assert isinstance(got, Granted)
        self.model.audit[Tag.LOGIN_SUCCEEDED] += 1
        self.model.others.append(got)

    # --- what operators and time do -----------------------------------------------------------------------------------

    @rule(briefly=st.sampled_from([True, True, False]))
    @precondition(lambda self: not self.model.disabled)
    def block(self, briefly: bool) -> None:
        self.switch(admin_accounts.disable_account, Tag.ACCOUNT_DISABLED)
        self.model.disabled = True
        self.model.end_all()
        if briefly:
            self.open_sessions_are_good_and_ended_ones_are_not()
            self.log_in("web")
            self.unblock()

    @rule()
    @precondition(lambda self: self.model.disabled)
    def unblock(self) -> None:
        self.switch(admin_accounts.enable_account, Tag.ACCOUNT_ENABLED)
        self.model.disabled = False

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
        # A server looks at its clock each minute. Else the next one would doubt it, and end nothing by it (SG-8).
        self.run(self.site.harness.assembled.clocks.look())
        self.run(self.stack.aclose())
        self.open()
        self.site.networks = networks
        self.model.running = self.model.keys

    @rule()
    def sweep(self) -> None:
        """Messages go out, and what is dead is swept: of what anybody sees, nothing changes."""
        site = self.site
        self.run(site.harness.deliver())
        self.run(sweep(store=site.store, world=self.clock, audit_days=AUDIT_DAYS))
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
    def open_sessions_are_good_and_ended_ones_are_not(self) -> None:
        flows = self.site.flows
        for held in self.model.sessions:
            bearer = self.run(flows.sessions.check(held.granted.token))
            # Being asked is use: a session that slides is pushed on, though perhaps not at once.
            assert (bearer is not None) == (self.now < held.until) or held.granted.session.sliding_ms
            if bearer is None:
                continue
            assert bearer.account_number == self.me
            if held.granted.session.sliding_ms:
                held.until = max(held.until, self.now + MINUTE)
            assert flows.csrf_fits(held.session_id, held.granted.csrf)
        for ended in self.model.ended[-5:]:
            assert flows.sessions.recall(ended.token) is None
            assert self.run(flows.sessions.check(ended.token)) is None
        for other in self.model.others:
            bearer = self.run(flows.sessions.check(other.token))
            assert bearer is None or bearer.account_number == self.lucy
            assert bearer is not None or self.now >= other.session.expires_at

    @invariant()
    def no_more_sessions_than_were_opened(self) -> None:
        rows = self.run(self.site.store.read.sessions.list_of(self.me)) if not self.model.disabled else []
        assert {row.session_id for row in rows} == {held.session_id for held in self.model.sessions}
