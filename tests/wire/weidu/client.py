"""A client of this dialect as an app developer would write it from the documents, over the test harness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from menshen.core.time import MINUTE
from menshen.wire.weidu.routing import PREFIX
from tests.harness import BASE, Harness
from tests.wire.weidu.scripted import hold_to_the_rules

PASSWORD = "Tr0ub4dor&3-horse"
OTHER_PASSWORD = "correct-battery-9-staple"


@dataclass
class Client:
    """Logged in by `token` (bearer), or by `cookies` when `browser`, as a browser keeps them."""

    harness: Harness
    ip: str = "127.0.0.1"
    base_url: str = BASE
    browser: bool = False
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def call(self, verb: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.browser:
            if self.cookies:
                sent.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
            if verb != "GET":
                sent |= {"sec-fetch-site": "same-origin"}
                if csrf := next((v for n, v in self.cookies.items() if n.endswith("CSRF")), None):
                    sent.setdefault("x-csrf-token", csrf)
        elif self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        async with self.harness.client_from(self.ip, self.base_url) as client:
            client.event_hooks["response"].append(hold_to_the_rules)
            response = await client.request(verb, PREFIX + path, json=body, headers=sent)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if "token" in response.headers and not self.browser:
            self.token = response.headers["token"]
        return response

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.call("POST", path, body)

    async def captcha(self) -> str:
        """Do the behaviour test."""
        challenge = (await self.get("/users/behavior/challenge")).json()
        solved = self.harness.solve(challenge)
        response = await self.post("/users/behavior/verification", captcha_id=solved)
        assert response.status_code == 200, response.text
        token: str = response.json()["captcha_token"]
        return token

    async def code(self, to: str, purpose: str = "login", captcha_token: str = "") -> tuple[str, str]:
        """Have a code sent to a phone or address: (the code as it was received, the captcha token it was sent with)."""
        # One a minute is what a number may get.
        self.harness.clock.advance(MINUTE)
        captcha_token = captcha_token or await self.captcha()
        path, name = ("/users/email/code", "email") if "@" in to else ("/users/mobile/sms", "mobile")
        response = await self.post(path, **{name: to, "captcha_token": captcha_token, "purpose": purpose})
        assert response.status_code == 200, response.text
        message = (await self.harness.messages())[-1]
        assert message.to.endswith(to.lower())
        assert message.code
        return message.code, captcha_token

    async def log_in(self, login_id: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        return await self.post("/users/login", login_id=login_id, password=password, **more)

    async def log_in_by_code(self, phone: str, **more: Any) -> httpx.Response:
        code, token = await self.code(phone)
        return await self.post("/users/mobile/login", login_id=phone, sms_code=code, captcha_token=token, **more)

    async def alive(self) -> bool:
        """Whether the login is still good."""
        status = (await self.get("/users/info")).status_code
        assert status in {200, 401}
        return status == 200


def said(response: httpx.Response) -> tuple[int, str]:
    """Status and error word."""
    return response.status_code, response.json().get("error", "ok")


OK = (200, "ok")
