"""Second steps among all other actions: turn them on and off, complete logins, trust devices, steal what is over.

A ticket opens one session at most. A proof is good once. What was begun before a change of password or factors
completes nothing, and no device is trusted behind one. With the second step on, each session of one proof was opened
by a trusted device. (docs/contracts/factors.md sections 2, 3 and 8.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from menshen.core.factors.asks import Enrolment, FactorProof, SecondStep, StepSwitch
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.factors.pending import TRIES
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import StepCarriers
from menshen.core.time import DAY
from tests.stateful.actions import Actions, step_of
from tests.stateful.model import MOST_SESSIONS
from tests.stateful.steps_model import Device, Ticket

ROOM = precondition(lambda self: len(self.model.sessions) < MOST_SESSIONS)
ON = precondition(lambda self: self.steps.on)
OFF = precondition(lambda self: self.protects and not self.steps.on and not self.model.disabled)
OVER = precondition(lambda self: self.steps.over and self.steps.secret)
ACTIVE = precondition(lambda self: self.steps.on and not self.model.disabled)
STRANGE = precondition(lambda self: self.steps.on and self.steps.untrusted and not self.model.disabled)


class SecondSteps(Actions):
    """Rules of the machine. `protects`: whether its person ever turns the second step on."""

    protects = False
    me: int

    @rule()
    @OFF
    @ROOM
    def turn_on(self) -> None:
        """Enrol an app in a new session, then turn the second step on. It ends all that is not this session."""
        self.log_in(None)
        held = self.model.sessions[-1]
        flows, origin = self.site.flows.factors, self.site.elsewhere()
        begun = self.run(flows.begin("totp", self.run(self.site.caller(held.granted)), origin))
        assert isinstance(begun, Begun)
        self.steps.secret = begun.shown["secret"]
        proof = self.fresh_code()
        enrolment = Enrolment("totp", proof.code)
        enrolled = self.run(flows.confirm(enrolment, self.run(self.site.caller(held.granted)), origin))
        assert isinstance(enrolled, Enrolled)
        assert len(enrolled.recovery_codes) == (0 if self.steps.codes else 10)
        self.steps.codes += enrolled.recovery_codes
        self.steps.used.append((proof.factor, proof.code))
        self.model.end_all(but=held)
        self.switch_step(held.granted, on=True)
        self.model.end_all(but=held)

    @rule(data=st.data())
    @ON
    @precondition(lambda self: self.live())
    def turn_off(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.live()))
        if self.lacks_factor(held):
            caller = self.run(self.site.caller(held.granted))
            switch = self.site.flows.factors.switch_second_step(StepSwitch(on=False), caller, self.site.origin())
            assert self.run(switch) == Denied(ProblemCode.PROOF_REQUIRED)
            if not self.prove_again(held):
                return
        self.switch_step(held.granted, on=False)
        self.model.end_all(but=held)

    def switch_step(self, granted: Granted, *, on: bool) -> None:
        caller = self.run(self.site.caller(granted))
        ask = StepSwitch(on=on, confirmed=on)
        assert self.run(self.site.flows.factors.switch_second_step(ask, caller, self.site.origin())) == Done()
        self.steps.on = on

    # --- tickets ------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), which=st.sampled_from(["right", "right", "recovery", "used", "wrong"]), trusts=st.booleans())
    @ACTIVE
    @ROOM
    def step(self, data: st.DataObject, which: str, *, trusts: bool) -> None:
        if not self.steps.tickets:
            self.log_in(data.draw(st.sampled_from(["web", None])))
        ticket = data.draw(st.sampled_from(self.steps.tickets[-3:]))
        self.complete(ticket, self._proof(data, which), trusts=trusts)

    @rule(data=st.data(), wrong=st.sampled_from([4, 5]))
    @ACTIVE
    @ROOM
    def guess(self, data: st.DataObject, wrong: int) -> None:
        """So often, and then with a right proof."""
        self.log_in(None)
        ticket = self.steps.tickets[-1]
        for _ in range(wrong):
            self.complete(ticket, self._proof(data, "wrong"))
        self.complete(ticket, self.fresh_code())

    def complete(self, ticket: Ticket, proof: FactorProof, *, trusts: bool = False) -> None:
        """Try to."""
        got = self.try_step(ticket, proof, trusts=trusts)
        if not ticket.live(self.now):
            assert got == Denied(ProblemCode.TICKET_INVALID)
            self.steps.end(ticket)
            return
        ticket.tries += 1
        if not self.is_good(proof):
            assert got == Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=TRIES - ticket.tries)
            return
        self.use_up(proof)
        self.steps.end(ticket)
        assert isinstance(got, Granted)
        assert got.session.level == 2
        self.model.opened(got, self.now, ticket.platform)
        assert (got.trust != "") == (trusts and proof.factor == "totp")
        if got.trust:
            self.steps.devices.append(Device(got.trust, self.now + 30 * DAY))

    def _proof(self, data: st.DataObject, which: str) -> FactorProof:
        if which == "recovery" and self.steps.codes:
            return FactorProof("recovery", data.draw(st.sampled_from(self.steps.codes)))
        if which == "used" and self.steps.used:
            return FactorProof(*data.draw(st.sampled_from(self.steps.used[-3:])))
        if which == "wrong":
            return FactorProof("totp", self.site.wrong(step_of(self.steps.secret, self.now)))
        return self.fresh_code()

    @rule(data=st.data())
    @OVER
    def step_of_what_is_over(self, data: st.DataObject) -> None:
        """With a proof that is right, and stays unused."""
        ticket = data.draw(st.sampled_from(self.steps.over[-5:]))
        assert self.try_step(ticket, self.fresh_code()) == Denied(ProblemCode.TICKET_INVALID)

    def try_step(self, ticket: Ticket, proof: FactorProof, *, trusts: bool = False) -> Any:
        ask = SecondStep(ticket.text, proof, trust_device=trusts)
        return self.run(self.site.flows.login.second(ask, ticket.origin))

    # --- trusted devices ----------------------------------------------------------------------------------------------

    @rule(data=st.data(), copied=st.sampled_from([False, False, False, True]))
    @ACTIVE
    @precondition(lambda self: len(self.model.sessions) < MOST_SESSIONS - 1)
    def log_in_trusted(self, data: st.DataObject, *, copied: bool) -> None:
        """With its token, or with one that was replaced: then the device is trusted no more."""
        if not self.steps.devices:
            self.trust_a_device()
        device = data.draw(st.sampled_from(self.steps.devices))
        token = data.draw(st.sampled_from(device.spent)) if copied and device.spent else device.token
        got = self._with_trust(token)
        if token == device.token and self.now < device.until:
            assert isinstance(got, Granted)
            assert (got.session.level, got.session.methods) == (1, "pwd trusted")
            self.model.opened(got, self.now, None)
            device.spent.append(token)
            device.token = got.trust
        elif self.now < device.until:
            self.expect_step(got)
            self.steps.distrust(device)
        else:
            self.expect_step(got)

    def trust_a_device(self) -> None:
        self.log_in(None)
        self.complete(self.steps.tickets[-1], self.fresh_code(), trusts=True)

    @rule(data=st.data())
    @STRANGE
    def log_in_trusted_no_more(self, data: st.DataObject) -> None:
        self.expect_step(self._with_trust(data.draw(st.sampled_from(self.steps.untrusted[-5:]))))

    def _with_trust(self, token: str) -> Any:
        self.trusting = replace(self.site.elsewhere(), step=StepCarriers(trust=token))
        return self.try_password(self.model.password, self.trusting)

    def expect_step(self, got: Any) -> None:
        assert isinstance(got, StepNeeded)
        self.steps.began(got.ticket, self.trusting, None, self.now)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def one_proof_is_not_enough(self) -> None:
        rows = self.run(self.site.store.read.sessions.list_of(self.me)) if self.steps.on else []
        assert {row.methods for row in rows if row.level < 2} <= {"pwd trusted"}

    @invariant()
    def only_what_is_trusted_is_kept(self) -> None:
        kept = self.run(self.site.store.read.trusted_devices.list_of(self.me, self.now))
        assert len(kept) == sum(self.now < device.until for device in self.steps.devices)
