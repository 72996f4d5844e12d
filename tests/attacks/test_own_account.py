"""Deleting and exporting one's own account, by everybody who is not its owner. (AD-9.)"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.core.audit.export import Export
from menshen.core.sessions.sessions import Session
from menshen.core.time import MINUTE
from menshen.flows.admin.accounts import export_account
from menshen.wire.weidu.routing import PREFIX
from tests.attacks.rows import tables
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, OTHER_PASSWORD, PASSWORD, Client, said

PHONE, MAIL = "13544285663", "kevin@163.com"
pytestmark = pytest.mark.attack("AD-9")
FORGED: tuple[dict[str, str], ...] = (
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec_fetch_site": "same-origin", "content_type": "text/plain"},
)


async def owner(site: Harness, *, browser: bool = False) -> Client:
    await site.add_account("kevin1", PHONE, MAIL, PASSWORD)
    client = Client(site, browser=browser)
    assert said(await client.log_in("kevin1")) == OK
    return client


async def delete(client: Client, **body: Any) -> tuple[int, str]:
    return said(await client.call("DELETE", "/users/me", body))


async def raw(client: Client, verb: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send what a browser's page sends, with the cookies that the browser adds, and nothing else."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    content = json.dumps(body).encode() if body is not None else None
    async with client.harness.client_from(client.ip) as browser:
        return await browser.request(verb, PREFIX + path, content=content, headers=sent)


async def test_a_stolen_session_alone_deletes_nothing(site: Harness) -> None:
    """Not even one of a login a moment ago: that is the session that is stolen most easily."""
    client = await owner(site)
    thief = Client(site, ip="203.0.113.9", token=client.token)
    assert await delete(thief) == (403, "proof_required")
    assert await delete(thief, password="", proof_code="") == (403, "proof_required")
    assert await delete(thief, password="not this one") == (401, "wrong_credentials")
    assert await delete(thief, proof_code="000000") == (401, "wrong_code")
    assert await delete(thief, user_id="1", confirm=True) == (403, "proof_required")
    for body, word in (([], 400), ("yes", 400), ({"password": 1}, 400), ({"password": [PASSWORD]}, 400)):
        assert (await thief.call("DELETE", "/users/me", body)).status_code == word
    assert await client.alive()
    assert said(await Client(site).log_in("kevin1")) == OK


async def test_guesses_by_a_stolen_session_are_those_of_a_login(site: Harness) -> None:
    client = await owner(site)
    thief = Client(site, ip="203.0.113.9", token=client.token)
    answers = [await delete(thief, password=f"guess {number}") for number in range(12)]
    assert answers == [(401, "wrong_credentials")] * 10 + [(429, "too_many_requests")] * 2
    # The right one is not judged during the pause, and a login from there waits as well.
    assert await delete(thief, password=PASSWORD) == (429, "too_many_requests")
    assert said(await Client(site, ip="203.0.113.9").log_in("kevin1"))[0] in {428, 429}
    # The owner elsewhere goes on, and deletes.
    assert await delete(client, password=PASSWORD) == OK


@pytest.mark.attack("CK-2", "CK-4")
@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: " ".join(headers.values()))
async def test_a_forged_page_deletes_nothing(site: Harness, headers: dict[str, str]) -> None:
    """Also where the page knows the password, and the CSRF value of another session."""
    client = await owner(site, browser=True)
    other = Client(site, browser=True)
    await other.log_in("kevin1", device_id="another")
    csrf = next(value for name, value in other.cookies.items() if name.endswith("CSRF"))
    body = {"password": PASSWORD}
    assert said(await raw(client, "DELETE", "/users/me", body, **headers)) == (403, "csrf")
    assert said(await raw(client, "DELETE", "/users/me", body, **headers, x_csrf_token=csrf)) == (403, "csrf")
    # A form can only POST, and no override of the verb is read.
    for verb, more in (("POST", {}), ("POST", {"x_http_method_override": "DELETE"}), ("GET", {})):
        assert said(await raw(client, verb, "/users/me?_method=DELETE", body, **headers, **more))[0] == 405
    assert await client.alive()
    assert said(await client.call("DELETE", "/users/me", body)) == OK


@pytest.mark.attack("CK-6")
async def test_a_forged_page_cannot_read_an_export(site: Harness, tmp_path: Path) -> None:
    """A page may have the browser ask. Without a CORS header the page is not given the answer, nor may it embed it."""
    client = await owner(site, browser=True)
    for headers in ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, {"origin": "null"}, {}):
        answer = await raw(client, "GET", "/users/export", **headers)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    # No callback makes a script of it.
    assert (await raw(client, "GET", "/users/export?callback=f")).text.startswith('{"code":200')
    listed = {"MENSHEN_SERVER__CORS_ORIGINS": '["https://app.example"]'}
    (tmp_path / "listed").mkdir()
    async with open_harness(tmp_path / "listed", listed) as other:
        mine = await owner(other, browser=True)
        answer = await raw(mine, "GET", "/users/export", origin="https://evil.example")
        assert "access-control-allow-origin" not in answer.headers


async def test_an_old_session_exports_nothing(site: Harness) -> None:
    client = await owner(site)
    site.clock.advance(11 * MINUTE)
    answer = await client.get("/users/export")
    assert said(answer) == (403, "proof_required")
    assert PHONE[-4:] not in answer.text


async def everything(site: Harness, environ: dict[str, str]) -> dict[str, list[Any]]:
    """Every row of every table, on either database."""
    if not environ:
        return tables(site.data_dir)
    connection = await asyncpg.connect(environ["MENSHEN_STORAGE__URL"], timeout=60)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        query = 'SELECT t::text FROM "{}" AS t ORDER BY 1'
        return {name: [row[0] for row in await connection.fetch(query.format(name))] for (name,) in names}
    finally:
        await connection.close()


def proofs_of(session: Session) -> tuple[str, int, int, int, str]:
    return session.session_id, session.proved_at, session.second_at, session.level, session.methods


async def stolen_from_two_proofs(site: Harness) -> tuple[Client, Client, Client]:
    """A session of an account that asks for two proofs, another of its sessions, and a thief who has the first."""
    await site.add_account("kevin1", PHONE, MAIL, PASSWORD)
    own, other = Client(site), Client(site)
    for client, device in ((own, "one"), (other, "two")):
        assert said(await client.log_in("kevin1", device_id=device)) == OK
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(1, now=now, second_step=True))
    return own, other, Client(site, ip="203.0.113.9", token=own.token)


@pytest.mark.attack("MF-4", "PK-5")
async def test_a_stolen_session_without_the_factor_changes_nothing(site: Harness, environ: dict[str, str]) -> None:
    """The session is of a moment ago, and the thief knows the password, and reads the phone's messages."""
    own, other, thief = await stolen_from_two_proofs(site)
    bind, _ = await thief.code("13800138000", "bind")
    mail_bind, _ = await thief.code("thief@b.example", "bind")
    proof, _ = await thief.code(PHONE, "proof")
    (others,) = [one["id"] for one in (await own.get("/users/sessions")).json()["sessions"] if not one["current"]]
    proofs = {proofs_of(one) for one in await site.store.read.sessions.list_of(1)}
    before = await everything(site, environ)
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/users/mobile/bind", {"mobile": "13800138000", "sms_code": bind, "password": PASSWORD}),
        ("POST", "/users/mobile/bind", {"mobile": "13800138000", "sms_code": bind, "proof_code": proof}),
        ("POST", "/users/email/bind", {"email": "thief@b.example", "email_code": mail_bind, "password": PASSWORD}),
        ("POST", "/users/password", {"old_password": PASSWORD, "password": OTHER_PASSWORD}),
        ("DELETE", "/users/me", {"password": PASSWORD}),
        ("DELETE", "/users/me", {"proof_code": proof}),
        ("GET", "/users/export", None),
        ("DELETE", "/users/sessions", None),
        ("DELETE", f"/users/sessions/{others}", None),
    ]
    for verb, path, body in calls:
        assert said(await thief.call(verb, path, body)) == (403, "proof_required"), path
    after = await everything(site, environ)
    # Calls about sessions are counted, as all of them are, and each use of a session may be noted.
    assert {name for name in before if before[name] != after[name]} - {"sessions"} == {"quota_uses"}
    assert {proofs_of(one) for one in await site.store.read.sessions.list_of(1)} == proofs
    assert len(after["quota_uses"]) == len(before["quota_uses"]) + 2
    assert await own.alive()
    assert await other.alive()
    # What it lists does not tell where the owner is.
    shown = (await thief.get("/users/sessions")).json()["sessions"]
    assert {one["ip"] for one in shown} == {"127.0.0.*"}
    # Going away is free.
    assert said(await thief.post("/users/logout")) == OK


@pytest.mark.attack("MF-4", "PK-5")
async def test_a_token_of_the_other_dialect_changes_no_password_either(site: Harness, environ: dict[str, str]) -> None:
    await site.add_account("kevin1", PHONE, MAIL, PASSWORD)
    shop = Shop(site)
    made = await shop.log_in("kevin1", PASSWORD)
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(1, now=now, second_step=True))
    before = await everything(site, environ)
    given = {"password_old": PASSWORD, "password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}
    told = await shop.refused(
        "set.user.password", client_id=made["user"]["user_id"], token=made["token"]["token"], **given
    )
    assert told == "请先验证身份"
    after = await everything(site, environ)
    assert {name for name in before if before[name] != after[name]} <= {"sessions"}


@pytest.mark.attack("AD-5")
async def test_nobody_exports_or_deletes_another(site: Harness) -> None:
    kevin = await owner(site)
    await site.add_account("eve123", "13800138000", "eve@b.example", PASSWORD)
    eve = Client(site, ip="203.0.113.9")
    await eve.log_in("eve123")
    kens = (await kevin.get("/users/info")).json()["user_info"]["id"]
    for query in (f"?user_id={kens}", "?user_id=1", f"?id={kens}&account=1", "?login_id=kevin1"):
        export = (await eve.get(f"/users/export{query}")).json()["export"]
        assert export["account"]["username"] == "eve123"
        text = json.dumps(export)
        for others in (kens, "kevin", PHONE[-8:], "127.0.0.1", "127.0.0.0"):
            assert others not in text
    body = {"password": PASSWORD, "user_id": kens, "id": kens, "username": "kevin1", "mobile": PHONE}
    for path in (f"/users/{kens}", "/users/1", "/users/me/1", f"/users/me?user_id={kens}"):
        answer = await eve.call("DELETE", path, {**body, "password": "not this one"})
        assert answer.status_code in {401, 404, 405}
    # Another's code proves nothing, and one's own deletes oneself alone.
    code, _ = await eve.code(PHONE, "proof")
    assert await delete(eve, proof_code=code) == (401, "wrong_code")
    assert said(await eve.call("DELETE", "/users/me", body)) == OK
    assert await kevin.alive()
    assert not await eve.alive()


async def test_who_deleted_is_logged_out_everywhere_and_a_second_call_says_so(site: Harness) -> None:
    """An answer may be lost: whoever asks again is told to log in, and cannot."""
    client = await owner(site, browser=True)
    bearer, shop = Client(site), Shop(site)
    await bearer.log_in("kevin1", device_id="another")
    token = (await shop.log_in("kevin1", PASSWORD))["token"]
    answer = await client.call("DELETE", "/users/me", {"password": PASSWORD})
    assert answer.content == b'{"code":200,"result":"ok"}'
    assert [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")] == [
        "menshenAUTHTOKEN", "menshenUSERID", "menshenCSRF",
    ]  # fmt: skip
    assert client.cookies == {}
    again = await bearer.call("DELETE", "/users/me", {"password": PASSWORD})
    assert said(again) == (401, "unauthenticated")
    assert not await shop.is_live(token["token"])
    assert (await shop.call("refresh.user.token", token=token["token"], refresh=token["refresh"]))["status"] == 401
    for name in ("kevin1", PHONE, MAIL):
        assert said(await Client(site).log_in(name)) == (401, "wrong_credentials")
    verify = await site.client.get("/auth/verify", headers={"authorization": f"Bearer {bearer.token}"})
    assert verify.status_code == 401


async def test_a_session_of_the_other_dialect_does_both(site: Harness) -> None:
    """CareyShop has no call for it: its token is good here."""
    await site.add_account("kevin1", PHONE, MAIL, PASSWORD)
    token = (await Shop(site).log_in("kevin1", PASSWORD))["token"]["token"]
    client = Client(site, token=token)
    exported = (await client.get("/users/export")).json()["export"]
    assert [session["dialect"] for session in exported["sessions"]] == ["careyshop"]
    assert await delete(client) == (403, "proof_required")
    assert await delete(client, password=PASSWORD) == OK
    assert not await client.alive()


async def test_a_code_deletes_and_the_next_owner_of_the_phone_is_somebody_new(site: Harness) -> None:
    client = Client(site)
    first = (await client.log_in_by_code(PHONE)).json()["user_info"]["id"]
    code, _ = await client.code(PHONE, "proof")
    assert await delete(client, proof_code=code) == OK
    notice = (await site.messages())[-1]
    assert (notice.to, notice.template.value) == ("+8613544285663", "account_deleted")
    again = Client(site)
    assert (await again.log_in_by_code(PHONE)).json()["user_info"]["id"] > first
    exported = (await again.get("/users/export")).json()["export"]
    assert [event["event"] for event in exported["events"]] == [
        "account.registered", "login.succeeded", "account.exported",
    ]  # fmt: skip


async def test_the_owners_and_the_operators_document_are_one(site: Harness) -> None:
    client = await owner(site)
    answer = await client.get("/users/export")
    body = answer.json()
    assert [*body] == ["code", "result", "export"]
    made = await export_account("kevin1", store=site.store, world=site.clock)
    assert isinstance(made, Export)
    theirs = json.loads(json.dumps(asdict(made)))
    theirs["events"].pop()
    assert body["export"] == theirs
