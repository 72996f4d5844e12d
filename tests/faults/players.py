"""Clients that live an account's life, one call after the other, and tell the referee what they heard."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from functools import partial

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.referee import Claims, Referee
from tests.faults.site import phone, username
from tests.faults.waiting import until

SOON = 25.0
"""So many seconds after it was sent, a lost refresh is asked for again: 30 are allowed."""
CALLS = ("login", "refresh", "refresh", "check", "password", "code", "logout")


class Player:
    """Owns account `number`."""

    def __init__(self, number: int, caller: Caller, referee: Referee, luck: random.Random) -> None:
        self.number = number
        self.caller = caller
        self.referee = referee
        self.luck = luck
        self.code = ""
        self.captcha = ""

    @property
    def claims(self) -> Claims:
        return self.referee.claims[self.number]

    async def play(self, until: asyncio.Event, calls: Sequence[str] = CALLS) -> None:
        while not until.is_set():
            if await self.step(self.luck.choice(calls)) in {Fate.LOST, Fate.AWAY}:
                await asyncio.sleep(0.05)

    async def step(self, what: str) -> Fate:
        claims = self.claims
        if claims.live is None and what in {"refresh", "check", "password", "logout"}:
            what = "login"
        if what == "code" and not self.code:
            what = "check" if claims.live else "login"
        told = self.referee.hear(what, await getattr(self, f"_{what}")())
        return told.fate

    # --- each call, and what its fate means ---

    async def _login(self) -> CallResult:
        claims = self.claims
        claims.refresh_lost_at = None
        told = await self.caller.login(username(self.number), claims.passwords[0])
        if told.fate is Fate.REFUSED and len(claims.passwords) == 2:
            claims.passwords.reverse()
            self.referee.hear("login", told)
            told = await self.caller.login(username(self.number), claims.passwords[0])
        if told.fate is Fate.DONE:
            token = told.body["data"]["token"]
            # The answer settles which password it is, and ends what stood on the platform before.
            del claims.passwords[1:]
            self._gone(claims.live, claims.unsure)
            claims.live, claims.unsure = (token["token"], token["refresh"]), None
        elif told.fate is Fate.REFUSED:
            self.referee.breach(f"R1 {username(self.number)}: no password logs in: {told.body}")
        else:
            self._lose("login")
        return told

    async def _refresh(self) -> CallResult:
        claims = self.claims
        assert claims.live
        asked_at = time.monotonic()
        told = await self.caller.refresh(*claims.live)
        if told.fate is Fate.DONE:
            token = told.body["data"]["token"]
            self._gone(claims.live)
            claims.live = (token["token"], token["refresh"])
        elif told.fate is Fate.REFUSED:
            self.referee.breach(f"R5 {username(self.number)}: a good pair was refused: {told.body}")
            claims.live = None
        else:
            self._lose("refresh")
            claims.refresh_lost_at = asked_at
        return told

    async def _check(self) -> CallResult:
        claims = self.claims
        assert claims.live
        told = await self.caller.check(claims.live[0])
        if told.fate is Fate.REFUSED:
            self.referee.breach(f"R1 {username(self.number)}: a good token was refused")
        if claims.ended and told.fate is Fate.DONE:
            old = self.luck.choice(sorted(claims.ended))
            if (await self.caller.check(old)).fate is Fate.DONE:
                self.referee.breach(f"R6 {username(self.number)}: an ended token was let in")
        return told

    async def _password(self) -> CallResult:
        claims = self.claims
        assert claims.live
        chosen = f"Quiet-Otter-{self.luck.randrange(10**9)}"
        told = await self.caller.change_password(self.number + 1, claims.live[0], claims.passwords[0], chosen)
        if told.fate is Fate.DONE:
            claims.passwords = [chosen]
            self._gone(claims.live)
            claims.live = None
            claims.by_code = ""
        elif told.fate is Fate.REFUSED:
            self.referee.breach(f"R1 {username(self.number)}: the password was not changed: {told.body}")
        else:
            claims.passwords = [claims.passwords[0], chosen]
            claims.by_code = ""
            self._lose("password")
        return told

    async def _logout(self) -> CallResult:
        claims = self.claims
        assert claims.live
        told = await self.caller.log_out(claims.live[0])
        if told.fate is Fate.DONE:
            self._gone(claims.live)
            claims.live = None
        elif told.fate is Fate.REFUSED:
            self.referee.breach(f"R1 {username(self.number)}: a good token could not log out: {told.body}")
        else:
            self._lose("logout")
        return told

    async def _code(self) -> CallResult:
        code, captcha, self.code = self.code, self.captcha, ""
        told = await self.caller.login_by_code(phone(self.number), code, captcha)
        if told.fate is Fate.DONE:
            again = await self.caller.login_by_code(phone(self.number), code, captcha)
            if again.fate is Fate.DONE:
                self.referee.breach(f"R3 {phone(self.number)}: a code let in twice")
            self.claims.by_code = told.headers["token"]
        return told

    # --- around them ---

    async def fetch_code(self) -> None:
        """Have a code sent; `deal_codes` reads it."""
        captcha = await self.caller.captcha()
        if captcha:
            told = self.referee.hear("send", await self.caller.send_code(phone(self.number), captcha))
            # Whether or not the answer came, a code may be under way.
            self.claims.codes_sent += 1
            self.captcha = captcha if told.fate is Fate.DONE else ""

    async def settle(self) -> None:
        """Find out what became of a call whose answer was lost, as a client does: it tries what it has."""
        claims = self.claims
        if claims.unsure is None:
            return
        told = await self.caller.check(claims.unsure[0])
        if told.fate is Fate.DONE and claims.unsure_what in {"refresh", "logout", "password"}:
            claims.live, claims.unsure = claims.unsure, None
            if claims.unsure_what == "password":
                del claims.passwords[1:]
        elif claims.refresh_lost_at is not None and time.monotonic() - claims.refresh_lost_at < SOON:
            again = self.referee.hear("refresh again", await self.caller.refresh(*claims.unsure))
            if again.fate is Fate.DONE:
                token = again.body["data"]["token"]
                self._gone(claims.unsure)
                claims.live, claims.unsure = (token["token"], token["refresh"]), None

    def _lose(self, what: str) -> None:
        claims = self.claims
        claims.refresh_lost_at = None
        if claims.live is not None:
            claims.unsure, claims.unsure_what = claims.live, what
        claims.live = None

    def _gone(self, *pairs: tuple[str, str] | None) -> None:
        self.claims.ended.update(pair[0] for pair in pairs if pair)


async def until_done(referee: Referee, more: int) -> None:
    """Until so many calls more were done: a busy machine takes longer, and the test is the same."""
    wanted = referee.total(Fate.DONE) + more
    while (before := referee.total(Fate.DONE)) < wanted:
        await until(partial(referee.has_done_more, before))


def deal_codes(players: Sequence[Player]) -> None:
    """Give each player the code that the outbox holds for them."""
    messages = players[0].referee.site.messages()
    for player in players:
        codes = [m.code for m in messages if m.to.endswith(phone(player.number))]
        if codes and player.captcha:
            player.code = codes[-1]
