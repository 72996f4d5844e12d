"""Calls as clients make them, over one node or over several by turns, and what became of each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import altcha

from tests.canary import RUN
from tests.canary_listening import hear_answer, hear_request
from tests.faults.site import APPKEY, SECRET
from tests.wire.careyshop.signing import sign

WEIDU = "/weidu/api/v1"
SLOWEST = 60.0
"""Seconds after which a call is given up: only what hangs takes so long."""


class Fate(StrEnum):
    """What a client knows of a call."""

    DONE = "done"
    REFUSED = "refused"
    AWAY = "away"
    """CallResult to come back: 503, or CareyShop's busy with Retry-After."""
    LOST = "lost"
    """No answer: whether it happened, nobody knows."""
    FAULT = "fault"
    """500, or an answer that makes no sense: never right."""


@dataclass(frozen=True)
class CallResult:
    """The fate of a call, with its status, body and headers."""

    fate: Fate
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Caller:
    """`ports` are asked by turns; every call has a connection of its own, as behind a balancer."""

    ports: Sequence[int]
    turn: int = 0
    slowest: float = SLOWEST
    forwarded_for: str = ""
    """The client's address, as a proxy would tell it."""
    ahead: float = 0.0
    """How far the client's clock is ahead of this machine's, in seconds."""

    async def call(
        self, verb: str, path: str, body: str = "", headers: Mapping[str, str] | None = None, port: int | None = None
    ) -> CallResult:
        self.turn += 1
        headers = dict(headers or {}) | ({"x-forwarded-for": self.forwarded_for} if self.forwarded_for else {})
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.slowest):
                status, got, raw = await _exchange(
                    port or self.ports[self.turn % len(self.ports)], verb, path, body, headers
                )
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            return CallResult(Fate.LOST, seconds=loop.time() - began)
        seconds = loop.time() - began
        hear_request(RUN, path, body.encode())
        hear_answer(RUN, list(got.items()), raw)
        try:
            parsed = json.loads(raw) if raw[:1] in (b"{", b"[") else raw
        except ValueError:
            return CallResult(Fate.FAULT, status, raw, got, seconds)
        return CallResult(_fate(status, parsed, got), status, parsed, got, seconds)

    # --- CareyShop ---

    async def shop(self, method: str, **parameters: Any) -> CallResult:
        whole = {"method": method, "appkey": APPKEY, "timestamp": str(int(time.time() + self.ahead)), **parameters}
        whole["sign"] = sign(whole, SECRET)
        return await self.call(
            "POST", "/api/v1/user", urlencode(whole), {"content-type": "application/x-www-form-urlencoded"}
        )

    async def login(self, name: str, password: str, platform: str = "web") -> CallResult:
        return await self.shop("login.user.user", username=name, password=password, platform=platform)

    async def refresh(self, token: str, refresh: str) -> CallResult:
        return await self.shop("refresh.user.token", token=token, refresh=refresh)

    async def log_out(self, token: str) -> CallResult:
        return await self.shop("logout.user.user", token=token)

    async def change_password(self, number: int, token: str, old: str, new: str) -> CallResult:
        return await self.shop(
            "set.user.password", token=token, client_id=number, password_old=old, password=new, password_confirm=new
        )

    # --- weidu ---

    async def _json(self, verb: str, path: str, body: Any = None) -> CallResult:
        text = json.dumps(body) if body is not None else ""
        return await self.call(verb, WEIDU + path, text, {"content-type": "application/json"})

    async def weidu(self, path: str, token: str = "", verb: str = "POST", **body: Any) -> CallResult:
        """One call, in the session of `token`."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        return await self.call(verb, WEIDU + path, json.dumps(body), headers)

    async def captcha(self) -> str:
        """A token of the behaviour test, "" when the server had none to give."""
        asked = await self._json("GET", "/users/behavior/challenge")
        if asked.fate is not Fate.DONE:
            return ""
        challenge = altcha.Challenge.from_dict({key: asked.body[key] for key in ("parameters", "signature")})
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        solved = await self._json(
            "POST", "/users/behavior/verification", {"captcha_id": altcha.Payload(challenge, solution).to_base64()}
        )
        return solved.body["captcha_token"] if solved.fate is Fate.DONE else ""

    async def weidu_login(self, name: str, password: str) -> CallResult:
        return await self._json("POST", "/users/login", {"login_id": name, "password": password})

    async def send_code(self, mobile: str, captcha: str) -> CallResult:
        return await self._json(
            "POST", "/users/mobile/sms", {"mobile": mobile, "captcha_token": captcha, "purpose": "login"}
        )

    async def login_by_code(self, mobile: str, code: str, captcha: str) -> CallResult:
        return await self._json(
            "POST", "/users/mobile/login", {"login_id": mobile, "sms_code": code, "captcha_token": captcha}
        )

    # --- anybody ---

    async def check(self, token: str, port: int | None = None) -> CallResult:
        return await self.call("GET", "/auth/verify", headers={"authorization": f"Bearer {token}"}, port=port)


def _fate(status: int, body: Any, headers: Mapping[str, str]) -> Fate:
    if status == 503:
        return Fate.AWAY
    if status >= 500:
        return Fate.FAULT
    if isinstance(body, dict) and list(body) == ["status", "message", "data"]:
        if body["message"].startswith("系统繁忙"):
            return Fate.AWAY if "retry-after" in headers else Fate.FAULT
        return Fate.DONE if body["status"] == 200 else Fate.REFUSED
    return Fate.DONE if status < 300 else Fate.REFUSED


async def _exchange(
    port: int, verb: str, path: str, body: str, headers: Mapping[str, str] | None
) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        raw = body.encode()
        lines = [f"{verb} {path} HTTP/1.1", "host: 127.0.0.1", "connection: close", f"content-length: {len(raw)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + raw)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if "content-length" in got:
            answer = await reader.readexactly(int(got["content-length"]))
        else:
            answer = await reader.read()
        return int(head[0].split()[1]), got, answer
    finally:
        writer.transport.abort()
