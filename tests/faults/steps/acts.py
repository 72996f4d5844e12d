"""Calls about second steps that a server may die in, and what its clients then find at another one.

Each is for an account of its own. `prepare` makes it ready at a server that lives, `call` makes it at the one that
dies, and `judge` finds out at the first one what has happened, and that it has happened whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from tests.canary import RUN
from tests.faults.caller import CallResult, Fate
from tests.faults.site import Site
from tests.faults.steps.people import Person, account_number, error_of, trust_in

OVER, WRONG, PAUSED = "ticket_invalid", "wrong_second_factor", "too_many_requests"


class Happened(StrEnum):
    """How far a call came."""

    NOTHING = "nothing"
    BURNT = "burnt"
    """The proof is used up, or the try counted, and nothing was granted."""
    ALL = "all"


NOTHING, BURNT, ALL = Happened
TWO_COMMITS = [NOTHING, BURNT, BURNT, ALL]
ONE_COMMIT = [NOTHING, ALL]


@dataclass
class Act(ABC):
    """One call of one person."""

    site: Site
    person: Person
    """Asks the server that lives."""

    has_factors = True
    must_enrol = False
    edges: ClassVar[list[Happened]] = TWO_COMMITS
    """How far it comes at each of its edges."""

    @abstractmethod
    async def prepare(self) -> None: ...

    @abstractmethod
    async def call(self, person: Person) -> CallResult:
        """Make the call at the server that `person` asks."""

    @abstractmethod
    async def judge(self, told: CallResult | None) -> Happened:
        """`told` is its answer, None when it was lost. Raises AssertionError."""

    def is_answered(self, told: CallResult) -> bool:
        return told.fate is Fate.DONE

    def one(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of the account: `query` ends with a WHERE."""
        return self.site.rows(f"{query} account_number = {account_number(self.site, self.person)}")

    def sessions(self) -> int:
        return len(self.one("SELECT session_id FROM sessions WHERE"))

    def events(self, tag: str) -> int:
        return len(self.one(f"SELECT id FROM audit WHERE tag = '{tag}' AND"))

    async def demand_good(self, told: CallResult | None) -> None:
        """What was acknowledged is there."""
        if told is not None:
            assert told.fate is Fate.DONE, told
            assert await self.person.is_good(told.headers["token"])


class Step(Act):
    """A second step. Another proof of the same person completes what the first one did not."""

    method = "totp"
    spent = WRONG
    """What a proof is called that was used for its ticket."""

    async def prepare(self) -> None:
        self.ticket = await self.person.ticket()
        self.proof = await self.right()

    async def right(self) -> dict[str, Any]:
        return {"code": self.person.totp()}

    async def other(self) -> tuple[str, dict[str, Any]]:
        return "recovery", {"code": self.person.codes[0]}

    async def call(self, person: Person) -> CallResult:
        return await person.second(self.ticket, self.method, **self.proof)

    async def judge(self, told: CallResult | None) -> Happened:
        pending = self.one("SELECT tries FROM pending_logins WHERE")
        opened, again = self.sessions(), await self.call(self.person)
        if not pending:
            assert (opened, error_of(again)) == (1, OVER)
            await self.demand_good(told)
            # The proof stays used up, behind a ticket of its own, too.
            self.ticket = await self.person.ticket()
            assert error_of(await self.call(self.person)) == WRONG
            await self.demand_completed(2)
            return ALL
        assert told is None
        assert opened == 0
        if pending == [(0,)]:
            assert again.fate is Fate.DONE, again
            assert self.sessions() == self.events("login.succeeded") == 1
            return NOTHING
        assert pending == [(1,)]
        assert error_of(again) == self.spent
        # Both are tries of the ticket.
        assert self.one("SELECT tries FROM pending_logins WHERE") == [(2,)]
        await self.demand_completed(1)
        return BURNT

    async def demand_completed(self, sessions: int) -> None:
        method, proof = await self.other()
        told = await self.person.second(self.ticket, method, **proof)
        assert told.fate is Fate.DONE, told
        assert self.sessions() == self.events("login.succeeded") == sessions


class RecoveryStep(Step):
    """A step by a recovery code: the owner is told of it with its use."""

    method = "recovery"

    async def right(self) -> dict[str, Any]:
        return {"code": self.person.codes[0]}

    async def other(self) -> tuple[str, dict[str, Any]]:
        return "totp", {"code": self.person.totp()}

    async def judge(self, told: CallResult | None) -> Happened:
        happened = await super().judge(told)
        assert self.one("SELECT count(*) FROM recovery_codes WHERE used_at = 0 AND") == [(9,)]
        assert self.events("recovery.used") == 1
        return happened


class PasskeyStep(Step):
    """A step by a passkey, whose signature is verified between the two transactions."""

    method = "passkey"
    spent = "challenge_expired"

    async def right(self) -> dict[str, Any]:
        return {"credential": await self.person.credential(self.ticket)}

    async def other(self) -> tuple[str, dict[str, Any]]:
        return "passkey", {"credential": await self.person.credential(self.ticket)}


class PasskeyLogin(Act):
    """A login by a passkey alone."""

    async def prepare(self) -> None:
        self.credential = await self.person.credential()

    async def call(self, person: Person) -> CallResult:
        return await person.caller.weidu("/users/passkey/login", credential=self.credential)

    async def judge(self, told: CallResult | None) -> Happened:
        opened, again = self.sessions(), await self.call(self.person)
        await self.demand_good(told)
        if again.fate is Fate.DONE:
            assert (told, opened) == (None, 0)
            happened = NOTHING
        else:
            assert error_of(again) == "challenge_expired"
            happened = ALL if opened else BURNT
        # Its answer was one of an hour: nothing of it is good now, and the key is.
        assert (await self.call(self.person)).fate is Fate.REFUSED
        self.credential = await self.person.credential()
        assert (await self.call(self.person)).fate is Fate.DONE
        assert self.sessions() == self.events("login.succeeded") == (1 if happened is BURNT else 2)
        return happened


class WrongStep(Act):
    """The third wrong step: it is counted, or it was not judged."""

    edges = ONE_COMMIT

    async def prepare(self) -> None:
        self.ticket = await self.person.ticket()
        for left in (4, 3):
            assert await self.guess() == (WRONG, left)

    async def guess(self) -> tuple[str, int | None]:
        told = await self.call(self.person)
        return error_of(told), told.body.get("tries_left")

    async def call(self, person: Person) -> CallResult:
        return await person.second(self.ticket, code=person.wrong_totp())

    def is_answered(self, told: CallResult) -> bool:
        return told.fate is Fate.REFUSED and error_of(told) == WRONG

    async def judge(self, told: CallResult | None) -> Happened:
        ((tries,),) = self.one("SELECT tries FROM pending_logins WHERE")
        assert tries == self.events("login.step_failed")
        assert tries == 3 if told else tries in {2, 3}
        for wrong in range(tries + 1, 6):
            assert await self.guess() == (WRONG, 5 - wrong)
        assert await self.guess() == (OVER, None)
        # The account counts them, too, and neither another ticket nor a right code gets around that.
        self.ticket = await self.person.ticket()
        assert error_of(await self.call(self.person)) == PAUSED
        assert error_of(await self.person.second(self.ticket, code=self.person.totp())) == PAUSED
        by_key = await self.person.second(self.ticket, "passkey", credential=await self.person.credential(self.ticket))
        assert by_key.fate is Fate.DONE, by_key
        return NOTHING if tries == 2 else ALL


class Enrolment(Act):
    """An app of codes is confirmed in a session."""

    has_factors = False
    edges = ONE_COMMIT

    async def prepare(self) -> None:
        first, second = await self.person.login(), await self.person.login()
        self.other, self.token = first.headers["token"], second.headers["token"]
        self.secret = await self.begin(self.token)
        self.code = self.person.totp(secret=self.secret)

    async def begin(self, token: str = "", **body: Any) -> str:
        told = await self.person.caller.weidu("/users/totp/begin", token, **body)
        assert told.fate is Fate.DONE, told
        RUN.learn("secret of a factor", told.body["secret"])
        return str(told.body["secret"])

    async def call(self, person: Person) -> CallResult:
        return await person.caller.weidu("/users/totp", self.token, code=self.code)

    async def judge(self, told: CallResult | None) -> Happened:
        is_other_good, again = await self.person.is_good(self.other), await self.call(self.person)
        happened = NOTHING if again.fate is Fate.DONE else ALL
        assert is_other_good is (happened is NOTHING)
        assert told is None or happened is ALL
        assert happened is NOTHING or error_of(again) == "not_found"
        self.demand_enrolled()
        assert await self.person.is_good(self.token)
        # The app is good at once, for its next code. Codes that nobody was shown are replaced.
        proved = await self.person.caller.weidu("/users/prove", self.token, method="totp", code=self.next_code())
        assert proved.fate is Fate.DONE, proved
        heard = again if happened is NOTHING else told
        if heard is None:
            heard = await self.person.caller.weidu("/users/recovery_codes", self.token)
        codes = heard.body["recovery_codes"]
        assert len(set(codes)) == 10
        on = await self.person.caller.weidu("/users/second_step", self.token, "PUT", on=True, recovery_code=codes[0])
        assert on.fate is Fate.DONE, on
        return happened

    def next_code(self) -> str:
        return self.person.totp(1, self.secret)

    def demand_enrolled(self) -> None:
        """One factor, one event, one set of codes."""
        assert self.one("SELECT begun_until FROM factors WHERE secret_sealed IS NOT NULL AND") == [(0,)]
        assert self.one("SELECT count(*) FROM recovery_codes WHERE") == [(10,)]
        assert self.events("factor.added") == 1


class EnrolmentByTicket(Enrolment):
    """An app of codes is confirmed at a login that must have one, and completes it."""

    must_enrol = True
    edges = TWO_COMMITS

    async def prepare(self) -> None:
        told = await self.person.login()
        assert told.status == 428, told
        assert told.body["enroll"]
        self.ticket = told.body["login_ticket"]
        self.secret = await self.begin(login_ticket=self.ticket)
        self.code = self.person.totp(secret=self.secret)

    async def call(self, person: Person) -> CallResult:
        return await person.caller.weidu("/users/totp", login_ticket=self.ticket, code=self.code)

    async def judge(self, told: CallResult | None) -> Happened:
        pending = self.one("SELECT tries FROM pending_logins WHERE")
        opened, again = self.sessions(), await self.call(self.person)
        await self.demand_good(told)
        assert opened == int(not pending)
        assert error_of(again) == ("" if pending else OVER)
        assert told is None or not pending
        assert pending in ([], [(0,)], [(1,)])
        self.demand_enrolled()
        assert self.sessions() == self.events("login.succeeded") == 1
        # From now on the step is asked for, and the code that confirmed the app is used up.
        self.ticket = await self.person.ticket()
        assert error_of(await self.person.second(self.ticket, code=self.code)) == WRONG
        assert (await self.person.second(self.ticket, code=self.next_code())).fate is Fate.DONE
        if not pending:
            return ALL
        return BURNT if pending == [(1,)] else NOTHING


class TrustedLogin(Act):
    """A login by the password and the token of a trusted device, which changes with it.

    The password is counted in a transaction before.
    """

    edges: ClassVar[list[Happened]] = [NOTHING, NOTHING, *ONE_COMMIT]

    async def prepare(self) -> None:
        self.trust = await self.person.trust()

    async def call(self, person: Person) -> CallResult:
        return await person.login(trust_token=self.trust)

    async def judge(self, told: CallResult | None) -> Happened:
        opened, again = self.sessions(), await self.call(self.person)
        if again.fate is Fate.DONE:
            assert (told, opened) == (None, 1)
            assert self.levels()[0] == (1, "pwd trusted")
            return NOTHING
        assert (opened, again.status) == (2, 428)
        await self.demand_good(told)
        # The old token came back, so the device is trusted no more: whoever has the new one proves both again.
        assert self.one("SELECT trust_id FROM trusted_devices WHERE") == []
        if told is not None:
            self.trust = trust_in(told)
            assert (await self.call(self.person)).status == 428
        assert self.sessions() == 2
        assert self.levels()[0] == (1, "pwd trusted")
        return ALL

    def levels(self) -> list[tuple[Any, ...]]:
        return sorted(self.one("SELECT level, methods FROM sessions WHERE"))
