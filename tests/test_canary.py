"""The canary bites: whatever is planted where no secret may stand is found, and named without being shown."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import structlog

from menshen.app.keys_file import load_keyring
from menshen.core.tokens import base32, digest
from tests.canary import RUN, Canary, demand_clean_folder, demand_clean_log, demand_clean_run
from tests.canary_listening import refusals_of
from tests.databases import emptied_url, postgres_emptied, postgres_template
from tests.harness import KEYRING, Harness, open_harness
from tests.server import Server, running
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

__all__ = ["emptied_url", "postgres_emptied", "postgres_template"]

ODD = "Odd-Canary-77"
Leak = Callable[[str, str, str], tuple[str, str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    return {"MENSHEN_STORAGE__URL": request.getfixturevalue("emptied_url")}


async def bitten(folder: Path, environ: dict[str, str], leak: Leak) -> str:
    """What is said at the end when `leak` gives a nickname and a birthday with secrets in them to a row."""
    secrets: list[str] = []

    async def live() -> None:
        async with open_harness(folder, environ) as harness:
            await harness.add_account("alice1", phone="13544285663", password=ODD)
            client = Client(harness)
            await client.log_in("alice1", ODD)
            held = (await Shop(harness).log_in("alice1", ODD))["token"]
            secrets.extend((ODD, client.token, held["refresh"]))
            nickname, birthday = leak(*secrets)
            values = f"nickname = {_literal(nickname)}, birthday = {_literal(birthday)}"
            await _past_the_program(harness, environ, f"UPDATE accounts SET {values}")

    with pytest.raises(AssertionError) as caught:
        await live()
    assert len(secrets) == 3
    assert not any(secret in str(caught.value) for secret in secrets)
    return str(caught.value)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def _past_the_program(harness: Harness, environ: dict[str, str], statement: str) -> None:
    if url := environ.get("MENSHEN_STORAGE__URL"):
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()
    else:
        with closing(sqlite3.connect(harness.data_dir / "menshen.db")) as database, database:
            database.execute(statement)


async def test_a_password_in_a_row_is_found(tmp_path: Path, environ: dict[str, str]) -> None:
    said = await bitten(tmp_path, environ, lambda password, *_: (password, ""))
    assert said.endswith("holds what must not be there: password")


async def test_tokens_between_other_letters_are_found(tmp_path: Path, environ: dict[str, str]) -> None:
    said = await bitten(tmp_path, environ, lambda _, token, refresh: (f"x{token}9", f"ab{refresh}cd"))
    assert said.endswith("holds what must not be there: refresh, token")


@pytest.mark.parametrize("others", [0, 1000])
def test_a_token_is_found_among_few_and_many(others: int) -> None:
    canary = Canary()
    for number in range(others):
        canary.learn("token", base32(number.to_bytes(16)))
    canary.learn("refresh", "0123456789abcdef" * 2)
    assert canary.found(b"\x00row77" + b"0123456789abcdef" * 2 + b"web") == {"refresh"}
    assert canary.found(b"0123456789abcdef" + b"web" + b"0123456789abcdef") == set()


def test_what_is_spelt_keyed_or_in_another_file_is_found(tmp_path: Path) -> None:
    canary = Canary()
    canary.learn("token", "00ff" * 8)
    canary.learn_keys(KEYRING)
    for planted, kind in (
        (bytes.fromhex("00ff" * 8), "token"), (KEYRING.current.secret.hex().encode(), "key"), (b"i" * 32, "key"),
    ):  # fmt: skip
        (tmp_path / "spare").write_bytes(b"\x00\xff" + planted)
        with pytest.raises(AssertionError, match=f"^spare holds what must not be there: {kind}$"):
            demand_clean_folder(tmp_path, canary)
    (tmp_path / "spare").write_bytes(digest("00ff" * 8))
    demand_clean_folder(tmp_path, canary)


@pytest.mark.parametrize(
    "body", [{"login_id": "nobody1", "password": ODD}, f'{{"login_id":"nobody1","password":"{ODD}",']
)
@pytest.mark.parametrize(("status", "prefix"), [(400, ""), (200, '{"status":401,')])
async def test_a_refusal_that_repeats_what_was_sent_is_found(body: Any, status: int, prefix: str) -> None:
    """Well formed or not, and whichever way a house says no."""

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        asked = (await receive())["body"]
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": prefix.encode() + asked})

    canary, refusals = Canary(), set[str]()
    transport = httpx.ASGITransport(refusals_of(echo, canary, refusals))
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        await client.post("/", content=body if isinstance(body, str) else json.dumps(body))
    assert len(refusals) == 1
    assert canary.told("\n".join(refusals)) == {"password"}
    assert canary.told("nobody1") == set()


async def test_a_token_a_hash_and_a_code_in_a_log_line_are_found(harness: Harness) -> None:
    account = await harness.add_account("alice1", phone="13544285663", password=PASSWORD)
    client = Client(harness)
    code, _ = await client.code("13544285663")
    await client.log_in("alice1")
    demand_clean_log()
    for planted, kind in ((client.token, "token"), (account.password_hash, "password hash"), (code, "code")):
        RUN.learn("code", code)
        structlog.get_logger("menshen").warning("planted", what=planted)
        with pytest.raises(AssertionError, match=f"^the log holds what must not be there: {kind}$"):
            demand_clean_log()
    structlog.get_logger("menshen").warning("planted", what=digest(client.token).hex())
    demand_clean_log()


def test_a_name_that_is_a_password_too_is_no_leak() -> None:
    canary = Canary()
    canary.learn("password", "Alice-in-the-row")
    canary.tell("so it was: Alice-in-the-row")
    assert canary.told("Alice-in-the-row") == set()


def test_a_started_server_is_looked_through(tmp_path: Path) -> None:
    servers: list[Server] = []

    def live() -> None:
        with running(tmp_path / "data") as server:
            servers.append(server)
            server.menshen("account", "add", "--username", "alice1", "--password-stdin", stdin=ODD)
            body = json.dumps({"login_id": "alice1", "password": ODD})
            token = server.call("POST", "/weidu/api/v1/users/login", body).one("Token")
            with server.log.open("a") as log:
                log.write(f"{token} {ODD}\n")

    with pytest.raises(AssertionError, match=r"^the log holds what must not be there: password, token$"):
        live()
    (server,) = servers
    server.log.unlink()
    server.demand_clean()
    key = load_keyring(server.data / "keys.toml").current.secret
    (server.data / "core").write_bytes(key)
    with pytest.raises(AssertionError, match=r"^core holds what must not be there: key$"):
        server.demand_clean()


def test_what_the_run_leaves_is_looked_through(tmp_path: Path) -> None:
    (tmp_path / "some" / "where").mkdir(parents=True)
    (tmp_path / "some" / "where" / "note").write_text(base32(b"x" * 16))
    demand_clean_run(tmp_path)
    (tmp_path / "some" / "where" / "note").write_text(PASSWORD)
    with pytest.raises(AssertionError, match=r"^note holds what must not be there: shared password$"):
        demand_clean_run(tmp_path)
    (tmp_path / "some" / "where" / "note").unlink()
