"""What pages of listed origins may read and send. (docs/contracts/weidu.md section 1.)"""

from __future__ import annotations

import pytest

from tests.wire.weidu.scripted import ScriptedWeidu, granted
from tests.wire.weidu.test_wire import LOGIN, refused

OWN_HEADERS = ["authorization", "content-type", "token", "x-csrf-token"]
HARMLESS = [
    "x-requested-with", "traceparent", "tracestate", "baggage", "sentry-trace", "b3", "X-B3-TraceId", "x-request-id",
    "accept-language", "cache-control", "pragma", "x-xsrf-token", "if-none-match", "sw8",
]  # fmt: skip


class TestSharingWithListedOrigins:
    SHOP = "https://shop.example"

    @pytest.fixture
    def script(self) -> ScriptedWeidu:
        return ScriptedWeidu(origins=frozenset({self.SHOP}), answers={"login.password": granted()})

    async def test_a_listed_origin_may_read(self, script: ScriptedWeidu) -> None:
        async with script.client() as client:
            headers = {"origin": self.SHOP, "sec-fetch-site": "cross-site"}
            response = await client.post("/users/login", content=LOGIN, headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == self.SHOP
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Token" in response.headers["access-control-expose-headers"]
        assert response.headers["vary"] == "Origin"

    @pytest.mark.attack("CK-6")
    @pytest.mark.parametrize(
        "origin", ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "null", "*", ""]
    )
    async def test_no_other_may(self, script: ScriptedWeidu, origin: str) -> None:
        async with script.client() as client:
            response = await client.get("/users/info", headers={"origin": origin})
            asked = await client.options(
                "/users/login", headers={"origin": origin, "access-control-request-method": "POST"}
            )
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"
        assert refused(asked) == (405, "method_not_allowed")

    async def test_a_listed_page_may_ask_first(self, script: ScriptedWeidu) -> None:
        async with script.client() as client:
            asked = {"origin": self.SHOP, "access-control-request-method": "DELETE"}
            response = await client.options("/users/sessions", headers=asked)
            plain = await client.options("/users/sessions", headers={"origin": self.SHOP})
        assert response.status_code == 204
        assert response.content == b""
        assert response.headers["access-control-allow-origin"] == self.SHOP
        assert response.headers["access-control-allow-methods"] == "GET, DELETE"
        assert "*" not in str(response.headers)
        assert refused(plain) == (405, "method_not_allowed")
        assert script.asked == []

    @pytest.mark.parametrize("asked", [*OWN_HEADERS, *HARMLESS, "X-Client-Build"])
    async def test_it_may_send_the_headers_that_clients_add_by_themselves(
        self, script: ScriptedWeidu, asked: str
    ) -> None:
        script.cors_headers = ("X-Client-Build",)
        assert await self.allowed(script, self.SHOP, asked)

    @pytest.mark.attack("CK-6")
    async def test_it_may_send_no_others_and_no_other_page_may_send_any(self, script: ScriptedWeidu) -> None:
        script.cors_headers = ("X-Client-Build",)
        for asked in (
            "x-forwarded-for",
            "x-real-ip",
            "x-account-id",
            "x-roles",
            "x-auth-level",
            "xweb_xhr",
            "x-client",
            "*",
        ):
            assert not await self.allowed(script, self.SHOP, asked)
        for origin in ("https://evil.example", "null", "http://shop.example"):
            assert not await self.allowed(script, origin, "x-requested-with")

    @pytest.mark.attack("CK-6")
    async def test_an_origin_of_a_web_view_is_compared_whole(self) -> None:
        listed = ("capacitor://localhost", "http://localhost", "app://-")
        script = ScriptedWeidu(origins=frozenset(listed), answers={"login.password": granted()})
        for origin in listed:
            assert await self.allowed(script, origin, "token")
        others = (
            "capacitor://evil",
            "ionic://localhost",
            "https://localhost",
            "http://localhost:8080",
            "app://",
            "null",
        )
        for origin in others:
            assert not await self.allowed(script, origin, "token")

    async def allowed(self, script: ScriptedWeidu, origin: str, asked: str) -> bool:
        """Whether a browser would send a login of that page with that header."""
        headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": asked}
        async with script.client() as client:
            answer = await client.options("/users/login", headers=headers)
        names = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
        return (
            answer.status_code == 204
            and answer.headers.get("access-control-allow-origin") == origin
            and asked.lower() in names
            and asked != "*"
        )


@pytest.mark.attack("CK-6")
async def test_nothing_is_shared_when_no_origin_is_listed(script: ScriptedWeidu) -> None:
    async with script.client() as client:
        headers = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        response = await client.options("/users/login", headers=headers)
    assert refused(response) == (405, "method_not_allowed")
    assert not any(name.startswith("access-control") or name == "vary" for name in response.headers)
