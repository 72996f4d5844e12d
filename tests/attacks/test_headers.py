"""Check that request headers name nobody and that every response carries the security headers. (HD, CK-8.)"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from menshen.wire.careyshop.methods import METHODS
from menshen.wire.weidu import ROUTES
from tests.attacks.fingerprint import fingerprint
from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD, Client

BASE = "/weidu/api/v1"
FORWARDING = (
    "x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip",
    "x-cluster-client-ip", "fastly-client-ip", "x-original-forwarded-for", "via", "x-forwarded",
)  # fmt: skip


@pytest.mark.attack("HD-1")
async def test_without_a_proxy_no_header_says_where_a_caller_is(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    statuses = []
    for number in range(5):
        headers = {name.replace("-", "_"): f"for=203.0.113.{number}" for name in FORWARDING}
        headers["x_forwarded_for"] = f"203.0.113.{number}"
        answer = await Client(harness).call(
            "POST", "/users/login", {"login_id": "alice1", "password": "wrong"}, **headers
        )
        statuses.append(answer.status_code)
    assert statuses == [401, 401, 401, 428, 428]
    assert {event.ip for event in await harness.events()} == {"127.0.0.1"}


IDENTITY = (
    "x-user", "x_user", "x-account-id", "x-account-number", "x-roles", "x-remote-user", "remote-user",
    "x-auth-level", "x-auth-request-user", "x-forwarded-user", "x-token", "token", "x-appkey", "x-authenticated",
    "x-admin",
)  # fmt: skip


@pytest.mark.attack("HD-4")
async def test_headers_that_name_a_person_name_nobody(harness: Harness) -> None:
    account = await harness.add_account("alice1", password=PASSWORD)
    for name in IDENTITY:
        for value in ("1", account.public_id, "alice1", "admin"):
            headers = {name: value}
            assert (await harness.client.get("/auth/verify", headers=headers)).status_code == 401
            assert (await harness.client.get(f"{BASE}/users/info", headers=headers)).status_code == 401
    client = Client(harness)
    await client.log_in("alice1")
    pair = [("authorization", f"Bearer {client.token}"), ("authorization", f"Bearer {client.token}")]
    assert (await harness.client.get("/auth/verify", headers=pair)).status_code == 401
    assert (await harness.client.get(f"{BASE}/users/info", headers=pair)).status_code == 401
    verified = await harness.client.get(
        "/auth/verify",
        headers={
            "authorization": f"Bearer {client.token}",
            "x-account-number": "99",
            "x-roles": "admin",
            "x-auth-level": "2",
        },
    )
    assert verified.headers.get_list("x-account-number") == ["1"]
    assert verified.headers.get_list("x-roles") == ["general_user"]
    assert verified.headers.get_list("x-auth-level") == ["1"]


@pytest.mark.attack("HD-5")
@pytest.mark.parametrize(
    "agent", [None, "", "kube-probe/1.27", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "curl", "x" * 5000]
)
async def test_nothing_depends_on_the_user_agent(harness: Harness, agent: str | None) -> None:
    await harness.add_account("alice1", password=PASSWORD)

    async def ask(client: httpx.AsyncClient, named: str | None) -> list[Any]:
        headers: dict[str, str] = {} if named is None else {"user-agent": named}
        fingerprints = [
            fingerprint(await client.get("/auth/verify", headers=headers)),
            fingerprint(await client.get(f"{BASE}/users/info", headers=headers)),
            fingerprint(await client.post("/api/v1/user?method=get.user.info", headers=headers)),
        ]
        body = {"login_id": "alice1", "password": "wrong"}
        fingerprints += [
            fingerprint(await client.post(f"{BASE}/users/login", json=body, headers=headers)) for _ in range(5)
        ]
        return fingerprints

    async with harness.client_from("192.0.2.1") as usual, harness.client_from("192.0.3.1") as other:
        assert await ask(usual, "Mozilla/5.0") == await ask(other, agent)


@pytest.mark.attack("CK-8")
async def test_every_answer_forbids_framing_sniffing_and_storing(harness: Harness) -> None:
    answers: list[httpx.Response] = []
    for route in ROUTES:
        path = BASE + route.path.replace("{id}", "x" * 26)
        answers += [await harness.client.request(verb, path) for verb in (route.verb, "PATCH")]
    for answer in [*answers, await harness.client.get(f"{BASE}/nothing")]:
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    for method in METHODS:
        answers.append(await harness.client.post(f"/api/v1/{method.controller}", data={"method": method.name}))
    answers += [
        await harness.client.get(path)
        for path in ("/", "/livez", "/readyz", "/docs", "/openapi.json", "/auth/verify", "/api")
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url
        if answer.status_code not in {204, 401} or answer.content:
            assert answer.headers["x-content-type-options"] == "nosniff", answer.url
    page = await harness.client.get("/docs")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
