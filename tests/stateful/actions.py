"""Do one action at one installation and compare it with the model; `account_machine` puts them in random order.

The installation is real: flows, statements, keys.toml; it is opened and closed on the same files.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from pyotp import TOTP

from menshen.app.keys_file import load_keyring, load_or_create_keyring
from menshen.core.account.asks import Deletion, PasswordChange, PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.asks import FactorProof, IdentityProof
from menshen.core.gates.captcha import CaptchaPass, SolvedChallenge
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import MINUTE, SECOND
from tests.flows.site import CAREYSHOP, PHONE, WEIDU, Site, open_site
from tests.harness import Clock
from tests.stateful.model import Held, Model, Spent, Test
from tests.stateful.steps_model import Steps

T = TypeVar("T")
WIDE = dict.fromkeys(
    ("tickets_per_account", "step_tries", "step_tries_per_day", "step_suspend_after", "factor_changes_per_account"),
    100_000,
)
"""Limits of second steps that no example reaches: what they do is tried elsewhere."""
APP_SECRET = "0123456789abcdef0123456789abcdef"
COUNTED = (
    Tag.LOGIN_SUCCEEDED, Tag.LOGIN_FAILED, Tag.SESSION_ENDED, Tag.SESSION_REFRESHED, Tag.REFRESH_RETRIED,
    Tag.REFRESH_REUSED, Tag.CODE_SENT, Tag.CODE_REFUSED, Tag.PASSWORD_CHANGED, Tag.PASSWORD_RESET,
    Tag.ACCOUNT_DISABLED, Tag.ACCOUNT_ENABLED, Tag.ACCOUNT_CLOSED,
)  # fmt: skip


class Actions(RuleBasedStateMachine):
    """Act at one site. A subclass says where its data are."""

    template: Path
    environ: dict[str, str] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="menshen-machine-"))
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
        entering = open_site(self.folder, self.environ, clock=self.clock, keyring=load_keyring(self.keys), **WIDE)
        self.site: Site = self.run(self.stack.enter_async_context(entering))
        # What other keys sealed is read all the same.
        assert self.site.harness.app.secret == APP_SECRET

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def steps(self) -> Steps:
        return self.model.steps

    def live(self) -> list[Held]:
        return [held for held in self.model.sessions if held.until > self.now]

    def teardown(self) -> None:
        try:
            tags = self.run(self.site.tags())
            counts = [(tag.value, tags.count(tag), self.model.audit[tag]) for tag in COUNTED]
            miscounted = [count for count in counts if count[1] != count[2]]
            assert not miscounted, f"decision, audited, made: {miscounted}"
        finally:
            self.run(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder)

    def send_code(self, purpose: Purpose) -> None:
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

    def log_in_by(self, text: str) -> None:
        origin = self.site.elsewhere()
        got = self.run(self.site.try_code(text, origin=origin))
        match self.model.try_code(Purpose.LOGIN, text, self.now):
            case None:
                assert isinstance(got, Denied)
                assert got.code is ProblemCode.TOO_MANY_REQUESTS
            case True if not self.model.disabled:
                self.logged_in(got, origin, None)
            case right:
                assert got == Denied(ProblemCode.ACCOUNT_DISABLED if right else ProblemCode.WRONG_CODE)

    def reset_by(self, text: str, new: str) -> None:
        origin = self.site.elsewhere()
        captcha = self.run(self.site.captcha(origin))
        ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, text, new, captcha=captcha)
        got = self.run(self.site.flows.account.reset_password(ask, origin))
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

    def hand_in(self, test: Test) -> None:
        got = self.run(self.site.flows.captcha.solve_challenge(SolvedChallenge(test.payload), self.site.origin()))
        if self.model.hand_in(test, self.now):
            assert isinstance(got, CaptchaPass)
            self.model.earned(got.token, self.now)
        else:
            assert got == Denied(ProblemCode.CAPTCHA_INVALID)

    def log_in(self, platform: str | None) -> None:
        origin = self.site.elsewhere(CAREYSHOP if platform else WEIDU)
        got = self.try_password(self.model.password, origin, platform or "")
        if self.model.disabled:
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS)
            self.model.audit[Tag.LOGIN_FAILED] += 1
        else:
            self.logged_in(got, origin, platform)

    def logged_in(self, got: Any, origin: Origin, platform: str | None) -> None:
        """The first proof was right."""
        if self.steps.on:
            assert isinstance(got, StepNeeded)
            self.steps.began(got.ticket, origin, platform, self.now)
        else:
            assert isinstance(got, Granted)
            self.model.opened(got, self.now, platform)

    def try_password(self, text: str, origin: Origin, platform: str = "") -> Any:
        """With a captcha: nobody was here for half a year, perhaps."""
        captcha = self.run(self.site.captcha(origin))
        return self.run(self.site.try_password(password=text, origin=origin, captcha=captcha, platform=platform))

    def change(self, held: Held, new: str, *, keep: bool) -> None:
        ask = PasswordChange(self.model.password, new, keep_session=keep)
        if self.lacks_factor(held):
            assert self._try_change(held, ask) == Denied(ProblemCode.PROOF_REQUIRED)
            if not self.prove_again(held):
                return
        assert self._try_change(held, ask) == Done()
        self.model.audit[Tag.PASSWORD_CHANGED] += 1
        self.model.set_password(new, held if keep else None)

    def _try_change(self, held: Held, ask: PasswordChange) -> Any:
        caller = self.run(self.site.caller(held.granted))
        return self.run(self.site.flows.account.change_password(ask, caller, self.site.elsewhere()))

    def delete(self, held: Held, ask: Deletion) -> Any:
        caller = self.run(self.site.caller(held.granted))
        return self.run(self.site.flows.account.delete(ask, caller, self.site.elsewhere()))

    def try_refresh(self, token: str, refresh: str) -> Any:
        return self.run(self.site.flows.login.refresh(token, refresh, self.site.origin(rules=CAREYSHOP)))

    def renew(self, held: Held) -> bool:
        """Whether the pair is good for another."""
        got = self.try_refresh(held.granted.token, held.granted.refresh)
        if self.now >= held.refresh_until:
            assert got == Denied(ProblemCode.REFRESH_EXPIRED)
            return False
        assert isinstance(got, Granted)
        assert got.session.session_id == held.session_id
        self.model.refreshed(held, got, self.now)
        return True

    def replay(self, held: Held, spent: Spent, with_new_token: bool) -> None:
        got = self.try_refresh(held.granted.token if with_new_token else spent.token, spent.refresh)
        if not with_new_token and self.model.answered_again(held, spent, self.now):
            assert isinstance(got, Granted)
            assert (got.token, got.refresh) == (held.granted.token, held.granted.refresh)
            return
        assert got == Denied(ProblemCode.REFRESH_INVALID if with_new_token else ProblemCode.UNAUTHENTICATED)
        self.model.replayed(held, spent, self.now)

    def gone(self) -> list[Granted]:
        """What ended, and was not only refreshed."""
        known = {held.session_id for held in self.model.sessions}
        return [gone for gone in self.model.ended if gone.session.session_id not in known]

    def switch(self, action: Callable[..., Awaitable[Any]], tag: Tag) -> None:
        self.run(action("kevin", store=self.site.store, world=self.clock))
        self.model.audit[tag] += 1

    # --- second steps -------------------------------------------------------------------------------------------------

    def lacks_factor(self, held: Held) -> bool:
        """Whether a change needs a factor that this session has not proved in the last ten minutes."""
        return self.steps.on and not self.run(self.site.caller(held.granted)).session.fresh_second(
            self.site.clock.now()
        )

    def prove_again(self, held: Held) -> bool:
        """Prove a code of the app in a session. False: the session ended before the next code came."""
        proof = self.fresh_code()
        if held not in self.live():
            return False
        caller = self.run(self.site.caller(held.granted))
        ask = IdentityProof(proof.factor, proof=proof)
        assert self.run(self.site.flows.factors.prove(ask, caller, self.site.origin())) == Done()
        self.use_up(proof)
        return True

    def fresh_code(self) -> FactorProof:
        """The next code of the app, which was never used."""
        self.clock.advance(30 * SECOND)
        return FactorProof("totp", step_of(self.steps.secret, self.now))

    def is_good(self, proof: FactorProof) -> bool:
        if proof.factor == "recovery":
            return proof.code in self.steps.codes
        return proof.code == step_of(self.steps.secret, self.now) and ("totp", proof.code) not in self.steps.used

    def use_up(self, proof: FactorProof) -> None:
        self.steps.used.append((proof.factor, proof.code))
        if proof.factor == "recovery":
            self.steps.codes.remove(proof.code)


def step_of(secret: str, now: int) -> str:
    """The code that an app shows."""
    return TOTP(secret).at(now // SECOND)
