"""Under which names the server answers. (docs/security/attacks.md HD-3, decision 0014.)"""

from pathlib import Path

import pytest

from menshen.wire.http.host import is_literal
from tests.harness import Harness, open_harness

PATHS = ("/weidu/api/v1/users/behavior/challenge", "/api/v1/index?method=get.system.version", "/openapi.json")
NETWORK = {"MENSHEN_SERVER__HOST": "0.0.0.0", "MENSHEN_SERVER__OUTBOX_ON_NETWORK": "true"}


async def statuses(harness: Harness, host: str) -> set[int]:
    return {(await harness.client.get(path, headers={"host": host})).status_code for path in PATHS}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8400",
        "localhost",
        "LOCALHOST:1",
        "login.localhost",
        "[::1]:8400",
        "203.0.113.9",
        "[2001:db8::1]",
    ],
)
async def test_addresses_and_names_of_this_machine_are_always_answered(tmp_path: Path, host: str) -> None:
    assert is_literal(host.lower())
    async with open_harness(tmp_path, NETWORK) as h:
        await h.add_app("shop", host="shop.example")
        assert await statuses(h, host) == {200}


@pytest.mark.parametrize(
    "host", ["shop.example", "SHOP.example", "login.example", "login.example:8443", "many.example:9000"]
)
async def test_names_of_apps_and_settings_are_answered(tmp_path: Path, host: str) -> None:
    hosts = '["login.example", "many.example:9000"]'
    async with open_harness(tmp_path, {**NETWORK, "MENSHEN_SERVER__HOSTS": hosts}) as h:
        await h.add_app("shop", host="shop.example")
        assert await statuses(h, host) == {200}


@pytest.mark.attack("HD-3")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "shop.example:81",
        "shop.example.",
        "evil.shop.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "many.example",
    ],
)
async def test_other_names_are_not_ours(tmp_path: Path, host: str) -> None:
    async with open_harness(tmp_path, {**NETWORK, "MENSHEN_SERVER__HOSTS": '["many.example:9000"]'}) as h:
        await h.add_app("shop", host="shop.example")
        assert await statuses(h, host) == {421}
        for path in ("/livez", "/readyz"):
            assert (await h.client.get(path, headers={"host": host})).status_code == 200
        assert (await h.client.get("/auth/verify", headers={"host": host})).status_code == 401


async def test_no_name_will_do_until_one_is_named(tmp_path: Path, harness: Harness) -> None:
    """On loopback too: a page whose name was pointed at this machine, and a proxy that passes any, reach nothing."""
    assert await statuses(harness, "behind.a.proxy.example") == {421}
    await harness.add_app("shop", host="shop.example")
    assert await statuses(harness, "behind.a.proxy.example") == {421}
    assert await statuses(harness, "shop.example") == {200}
    async with open_harness(tmp_path, {**NETWORK, "MENSHEN_SERVER__HOSTS": '["*"]'}) as h:
        assert await statuses(h, "login.example") == {200}


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "[::1", "a,b", "x" * 300, "a:", "a:port"])
async def test_what_is_no_host_is_refused(harness: Harness, host: str) -> None:
    assert await statuses(harness, host) == {400}


@pytest.mark.attack("HD-3")
async def test_two_hosts_are_none(harness: Harness) -> None:
    request = harness.client.build_request("GET", PATHS[0], headers=[("host", "127.0.0.1"), ("host", "127.0.0.1")])
    assert (await harness.client.send(request)).status_code == 400


@pytest.mark.attack("HD-3")
async def test_forwarded_names_count_for_nothing(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {**NETWORK, "MENSHEN_SERVER__TRUSTED_PROXIES": "1"}) as h:
        for name in ("x-forwarded-host", "forwarded", "x-host", "x-original-host"):
            response = await h.client.get(PATHS[0], headers={"host": "evil.example", name: "host=127.0.0.1"})
            assert response.status_code == 421
            response = await h.client.get(PATHS[0], headers={"host": "127.0.0.1", name: "evil.example"})
            assert response.status_code == 200
