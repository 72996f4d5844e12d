"""Run the dialect contract over every dialect, the specimen, and a copy of the specimen under a new name."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.app.discovery import SPECIMEN, dialect_names, find_dialects, openapi_documents
from menshen.testing.dialect_contract import DialectContract, DialectSite
from menshen.testing.dialect_contract.bodies import round_trip
from menshen.wire.dialect import Dialect
from menshen.wire.probes.reference import joined
from tests.adapters.copying import Copied, copied_package
from tests.harness import open_harness

ALL = find_dialects(dialect_names())


@pytest.fixture(params=ALL, ids=lambda dialect: dialect.name)
def site(request: pytest.FixtureRequest) -> DialectSite:
    return DialectSite(request.param)


class TestEveryDialect(DialectContract):
    pass


class TestACopyOfTheSpecimen(DialectContract):
    """One folder, and no other edit: discovery finds it, the server serves it, and the contract holds."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Iterator[Copied]:
        with copied_package("menshen.wire.specimen", "copied_dialect", tmp_path) as copied:
            yield copied

    @pytest.fixture
    def site(self, copy: Copied) -> DialectSite:
        (dialect,) = find_dialects(["copied_dialect"])
        return DialectSite(dialect)

    def test_it_is_found_beside_the_others(self, copy: Copied) -> None:
        assert {"copied_dialect", "careyshop", "weidu"} <= {dialect.name for dialect in find_dialects()}
        assert {"/copied_dialect/login", "/weidu/api/v1/users/login"} <= set(joined(openapi_documents(), "1")["paths"])

    async def test_the_server_serves_it(self, copy: Copied, tmp_path: Path) -> None:
        (data := tmp_path / "data").mkdir()
        async with open_harness(data) as harness:
            await harness.add_account("alice1", password="Secret-12 of hers")
            body = {"username": "alice1", "password": "Secret-12 of hers"}
            login = (await harness.client.post("/copied_dialect/login", json=body)).json()
            bearer = {"authorization": f"Bearer {login['token']}"}
            me = await harness.client.get("/copied_dialect/me", headers=bearer)
            assert me.json() == {"ok": True, "account": login["account"]}
            assert (await harness.client.get("/auth/verify", headers=bearer)).status_code == 204
            assert (await harness.client.post("/copied_dialect/logout", headers=bearer)).json() == {"ok": True}
            assert (await harness.client.get("/copied_dialect/me", headers=bearer)).status_code == 401
            assert (await harness.client.post("/specimen/login", json=body)).status_code == 404

    async def test_its_section_of_the_settings_is_its_own(self, copy: Copied, tmp_path: Path) -> None:
        (data := tmp_path / "data").mkdir()
        async with open_harness(data, {"MENSHEN_COPIED_DIALECT__LANGUAGE": "zh"}) as harness:
            refused = await harness.client.get("/copied_dialect/me")
            assert refused.json()["message"] == "未登录或登录已过期"


def test_no_two_dialects_meet() -> None:
    names = [dialect.name for dialect in ALL]
    assert names == sorted(set(names))
    prefixes = [prefix for dialect in ALL for prefix in (dialect.prefix, *dialect.also)]
    for one in prefixes:
        assert not [other for other in prefixes if other != one and f"{other}/".startswith(f"{one}/")]
    assert len(set(prefixes)) == len(prefixes)


def test_the_specimen_waits_to_be_named() -> None:
    assert SPECIMEN not in {dialect.name for dialect in find_dialects()}
    assert [dialect.name for dialect in find_dialects([SPECIMEN, "weidu"])] == [SPECIMEN, "weidu"]


def test_a_server_imports_no_specimen_and_no_vendor() -> None:
    """What is off costs nothing: neither time at the start nor memory."""
    started = (
        "import sys, menshen.app.asgi, menshen.app.discovery as d; d.find_dialects();"
        "print(*[name for name in sys.modules if name.startswith('menshen.')])"
    )
    run = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "menshen.wire.weidu" in imported
    off = ("specimen", "examples", "openapi", "adapters.federation", "adapters.factors", "captcha.vendors", "testing")
    assert not [name for name in imported for part in off if part in name]


async def test_a_server_serves_the_specimen_when_it_is_asked_for(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__DIALECTS": '["specimen"]'}) as harness:
        refused = await harness.client.post("/specimen/login", json={"username": "nobody", "password": "Secret-12"})
        assert (refused.status_code, refused.json()["error"]) == (401, "wrong_credentials")
        assert (await harness.client.post("/weidu/api/v1/users/login", json={})).status_code == 404


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
@given(username=st.text(max_size=24) | st.from_regex(r"[A-Za-z0-9_-]{4,20}", fullmatch=True), password=st.text())
def test_what_the_wire_takes_reaches_the_flow_unchanged(dialect: Dialect, username: str, password: str) -> None:
    asyncio.run(round_trip(DialectSite(dialect), username, password))
