"""Accounts shown and edited: whose records, and what may be written. (docs/contracts/weidu.md sections 5.5, 5.6.)"""

from typing import Any

import httpx
import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.asks import Edited, ProfileEdit
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.sessions import ListedSession
from menshen.wire.weidu.calls.profile import UpdateRequest
from menshen.wire.weidu.records import UserInfo
from tests.wire.weidu.scripted import TOKEN, ScriptedWeidu, account, session

BEARER = {"authorization": f"Bearer {TOKEN}"}
KEN = account(
    phone="+8613544285662",
    email="ken@163.com",
    email_verified=True,
    profile=Profile(nickname="呵呵哒", gender=Gender.MALE, refund_rate=0.5),
)
OTHER = account(number=8971, public_id="b" * 26, phone="+8613800138000", email="o@163.com", email_verified=True)


@pytest.fixture
def script() -> ScriptedWeidu:
    script = ScriptedWeidu(answers={"account.edit_profile": Edited(KEN), "account.find": None})
    script.log_in(who=KEN)
    return script


async def info(script: ScriptedWeidu, query: str = "") -> httpx.Response:
    async with script.client(headers=BEARER) as client:
        return await client.get("/users/info" + query)


async def update(script: ScriptedWeidu, body: Any) -> httpx.Response:
    async with script.client(headers=BEARER) as client:
        return await client.put("/users/update", json=body)


@pytest.mark.parametrize(
    "query", ["", "?", "?user_id=", f"?user_id={KEN.public_id}", "?user_id=8970", "?other=1", "?user_id", "?%"]
)
async def test_ones_own_record_is_masked(script: ScriptedWeidu, query: str) -> None:
    response = await info(script, query)
    assert response.status_code == 200
    assert (
        response.content
        == (
            '{"code":200,"result":"ok","user_info":{"id":"7wnaasfa47bebbtjbazajef3eh","create_at":1601963204584,'
            '"update_at":1601963204584,"username":"1313354987295739904","mobile":"135****5662","email":"k***n@163.com",'
            '"real_name_verified":false,"nickname":"呵呵哒","avatar_url":"","city":"","province":"","country":"","gender":1,'
            '"roles":"general_user","desc":"","major":"","level":"","refund_rate":0.5,"dispute_rate":0,"serve_num":0,'
            '"work_num":0,"last_password_update":0}}'
        ).encode()
    )
    assert script.asks("account.find") == []


async def test_what_is_not_verified_is_left_out(script: ScriptedWeidu) -> None:
    script.log_in(who=account(phone_verified=False, email="x@163.com"))
    record = (await info(script)).json()["user_info"]
    assert "mobile" not in record
    assert "email" not in record


async def test_anothers_record_is_its_public_fields_only(script: ScriptedWeidu) -> None:
    script.answers["account.find"] = OTHER
    response = await info(script, f"?user_id={OTHER.public_id}")
    assert list(response.json()["user_info"]) == [
        *("id", "create_at", "nickname", "avatar_url", "city", "province", "country", "gender", "roles", "desc"),
        *("major", "level", "refund_rate", "dispute_rate", "serve_num", "work_num"),
    ]
    assert "138" not in response.text
    assert "163" not in response.text
    assert OTHER.username is not None
    assert OTHER.username not in response.text
    assert script.asks("account.find") == [(OTHER.public_id,)]


@pytest.mark.parametrize(
    "user_id",
    [
        "c" * 26,
        "08970",
        "8971",
        "ken",
        "%00",
        "B" * 26,
        "b" * 27,
        "b" * 25,
        "b" * 26 + "%0A",
        "%ff",
        "1'%20or%201",
        "*",
    ],
)
async def test_nobody_is_not_found(script: ScriptedWeidu, user_id: str) -> None:
    response = await info(script, f"?user_id={user_id}")
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
    assert script.asks("account.find") == ([("c" * 26,)] if user_id == "c" * 26 else [])


@pytest.mark.attack("TY-2")
@pytest.mark.parametrize("query", ["?user_id=a&user_id=b", "?user_id=&user_id=", "?" + "a=1&" * 100])
async def test_a_query_that_two_readers_would_read_differently_is_refused(script: ScriptedWeidu, query: str) -> None:
    response = await info(script, query)
    assert (response.status_code, response.json()["error"], response.json()["field"]) == (
        400,
        "invalid_request",
        "user_id",
    )


async def test_an_edit_reaches_the_flow_by_the_cores_names(script: ScriptedWeidu) -> None:
    body = {
        "username": "Hello_Ken",
        "nickname": "n",
        "avatar_url": "//cdn.example/a.png?x=1#y",
        "city": "c",
        "province": "p",
        "country": "k",
        "gender": 2,
        "level": "l",
        "major": "m",
        "desc": "第一行\n第二行\t。",
    }
    response = await update(script, body)
    assert response.json()["user_info"]["nickname"] == "呵呵哒"
    ((ask, caller, origin),) = script.asks("account.edit_profile")
    assert ask == ProfileEdit(
        {
            "nickname": "n",
            "avatar_url": "//cdn.example/a.png?x=1#y",
            "city": "c",
            "province": "p",
            "country": "k",
            "gender": Gender.FEMALE,
            "level": "l",
            "major": "m",
            "description": "第一行\n第二行\t。",
        },
        "Hello_Ken",
    )
    assert caller.account is KEN
    assert origin.rules.dialect == "weidu"


@pytest.mark.parametrize(("sent", "meant"), [(0, 0), (1, 1), (2, 2), ("", 0), ("男", 1), ("女", 2)])
async def test_gender_is_taken_as_either_seed_writes_it(script: ScriptedWeidu, sent: object, meant: int) -> None:
    assert (await update(script, {"gender": sent})).status_code == 200
    assert script.asks("account.edit_profile")[0][0].fields == {"gender": Gender(meant)}


@pytest.mark.parametrize(
    "url", ["", "http://a", "HTTPS://a.b:8/c", "//a", "http://[::1]/x?y=~%20", "https://" + "a" * 504]
)
async def test_addresses_of_pictures(script: ScriptedWeidu, url: str) -> None:
    assert (await update(script, {"avatar_url": url})).status_code == 200


async def test_empty_text_clears_and_what_is_absent_stays(script: ScriptedWeidu) -> None:
    await update(script, {"nickname": "", "desc": ""})
    assert script.asks("account.edit_profile")[0][0] == ProfileEdit({"nickname": "", "description": ""}, None)


async def test_an_edit_of_nothing_changes_nothing(script: ScriptedWeidu) -> None:
    response = await update(script, {})
    assert response.json()["user_info"]["id"] == KEN.public_id
    assert script.asked == []


@pytest.mark.attack("TK-13", "OT-6")
@pytest.mark.parametrize("name", sorted(UpdateRequest.server_fields))
async def test_what_is_the_servers_is_refused_by_name(script: ScriptedWeidu, name: str) -> None:
    for value in (1, "x", True, None, 0):
        response = await update(script, {"nickname": "n", name: value})
        body = response.json()
        assert (response.status_code, body["error"], body["field"]) == (400, "forbidden_field", name)
    assert script.asked == []


def test_the_servers_fields_are_all_that_a_record_shows_beside_what_may_be_edited() -> None:
    editable = set(UpdateRequest.__struct_fields__)
    assert set(UserInfo.__struct_fields__) - editable <= UpdateRequest.server_fields
    assert not editable & UpdateRequest.server_fields


@pytest.mark.parametrize(
    ("denied", "status", "word", "field"),
    [
        (Denied(ProblemCode.ALREADY_TAKEN, field="username"), 409, "already_taken", "username"),
        (Denied(ProblemCode.INVALID_REQUEST, field="username"), 400, "invalid_request", "username"),
        (Denied(ProblemCode.INVALID_REQUEST, field="description"), 400, "invalid_request", "desc"),
        (Denied(ProblemCode.UNAUTHENTICATED), 401, "unauthenticated", None),
    ],
)
async def test_what_the_flow_refuses(
    script: ScriptedWeidu, denied: Denied, status: int, word: str, field: str | None
) -> None:
    script.answers["account.edit_profile"] = denied
    response = await update(script, {"username": "taken_name"})
    assert (response.status_code, response.json()["error"], response.json().get("field")) == (status, word, field)


async def test_the_session_list(script: ScriptedWeidu) -> None:
    own = session(device_id="d-1", device_model="P40", device_name="手机")
    other = session(session_id="o" * 26, dialect="careyshop", platform="web")
    script.answers["sessions.list"] = [ListedSession(own, "default"), ListedSession(other, "shop")]
    async with script.client(headers=BEARER) as client:
        response = await client.get("/users/sessions")
    first, second = response.json()["sessions"]
    assert first == {
        "id": "s" * 26,
        "current": True,
        "create_at": own.created_at,
        "last_activity_at": own.seen_at,
        "expires_at": own.expires_at,
        "app": "default",
        "dialect": "weidu",
        "platform": "weidu",
        "device_id": "d-1",
        "device_model": "P40",
        "device_name": "手机",
        "ip": "127.0.0.1",
    }
    assert (second["current"], second["platform"]) == (False, "web")
    assert (second["app"], second["dialect"]) == ("shop", "careyshop")
    assert TOKEN not in response.text


async def test_a_session_is_ended_by_its_id_as_it_was_given(script: ScriptedWeidu) -> None:
    script.answers["sessions.end"] = Done()
    async with script.client(headers=BEARER) as client:
        assert (await client.delete("/users/sessions/" + "Ab9_-")).status_code == 200
        script.answers["sessions.end"] = Denied(ProblemCode.NOT_FOUND)
        assert (await client.delete("/users/sessions/" + "x" * 26)).json()["error"] == "not_found"
    assert [asks[0] for asks in script.asks("sessions.end")] == ["Ab9_-", "x" * 26]
