"""Nothing but a well-formed request reaches a flow: every field of every call, given wrongly in every way.

A wrong field is named; a body that is no strict JSON object is refused whole; nothing of it is ever said back.
"""

import json
from typing import Any

import httpx
import msgspec
import pytest

from menshen.core.codes.asks import CodeSent
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES, decode
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.problems import Refused
from menshen.wire.weidu.routing import Route
from tests.wire.weidu.calls.bodies import GOOD, wrong_values
from tests.wire.weidu.scripted import DOCUMENT, TOKEN, ScriptedWeidu

BEARER = {"authorization": f"Bearer {TOKEN}"}
WITH_BODY = [route for route in ROUTES if route.body is not NoBody]


def good(route: Route) -> dict[str, Any]:
    body = {field.name: GOOD[field.name] for field in msgspec.structs.fields(route.body)}
    if route.path == "/users/email/login":
        body["login_id"] = GOOD["email"]
    return body


def fields_of(route: Route) -> list[tuple[str, bool, dict[str, Any]]]:
    schema = DOCUMENT["components"]["schemas"][route.body.__name__]
    return [(name, name in schema["required"], field) for name, field in schema["properties"].items()]


async def send(client: httpx.AsyncClient, route: Route, content: bytes, **headers: str) -> httpx.Response:
    path = route.path.replace("{id}", "x" * 26)
    return await client.request(route.verb, path, content=content, headers={**BEARER, **headers})


def refused(response: httpx.Response, field: str | None = None) -> None:
    body = response.json()
    assert (response.status_code, body["error"], body.get("field")) == (400, "invalid_request", field), response.text


@pytest.fixture
def script(script: ScriptedWeidu) -> ScriptedWeidu:
    script.log_in()
    return script


@pytest.mark.attack("TY-1", "TK-9")
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
async def test_every_field_given_wrongly(script: ScriptedWeidu, route: Route) -> None:
    async with script.client() as client:
        for name, required, field in fields_of(route):
            for value in wrong_values(name, required, field):
                raw = json.dumps({**good(route), name: value}).encode()
                refused(await send(client, route, raw), name)
            if required:
                lacking = {key: value for key, value in good(route).items() if key != name}
                refused(await send(client, route, json.dumps(lacking).encode()), name)
    assert script.asked == []


@pytest.mark.attack("TY-2", "TY-4", "TY-5")
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
async def test_every_field_with_what_no_text_may_hold(script: ScriptedWeidu, route: Route) -> None:
    async with script.client() as client:
        for name, _, _ in fields_of(route):
            for junk in (r"a\u0000b", r"\ud800", r"\udfff\ud800"):
                rest = {key: value for key, value in good(route).items() if key != name}
                raw = json.dumps(rest)[:-1] + f', "{name}": "{junk}"}}'
                refused(await send(client, route, raw.encode()))
            twice = json.dumps(good(route))[:-1] + f', "{name}": {json.dumps(GOOD[name])}}}'
            refused(await send(client, route, twice.encode()))
    assert script.asked == []


DEEP = 100_000
JUNK = {
    "nothing": b"",
    "blank": b" ",
    "no json": b"login_id=ken&password=x",
    "cut": b'{"login_id":"ken"',
    "more behind": b'{"login_id":"ken","password":"x"} x',
    "null": b"null",
    "number": b"1",
    "text": b'"ken"',
    "list": b'[{"login_id":"ken","password":"x"}]',
    "byte order mark alone": b"\xef\xbb\xbf",
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"login_id":"ken","password":"x"}',
    "byte order mark behind a blank": b' \xef\xbb\xbf{"login_id":"ken","password":"x"}',
    "byte order mark inside": b'{\xef\xbb\xbf"login_id":"ken","password":"x"}',
    "utf-16": '{"login_id":"ken","password":"x"}'.encode("utf-16"),
    "utf-16 without a mark": '{"login_id":"ken","password":"x"}'.encode("utf-16-le"),
    "utf-32": '{"login_id":"ken","password":"x"}'.encode("utf-32"),
    "latin-1": '{"login_id":"ké","password":"x"}'.encode("latin-1"),
    "overlong": b'{"login_id":"\xc0\x80","password":"x"}',
    "surrogate bytes": b'{"login_id":"\xed\xa0\x80","password":"x"}',
    "control in text": b'{"login_id":"a\x00b","password":"x"}',
    "line feed in text": b'{"login_id":"a\nb","password":"x"}',
    "not a number": b'{"login_id":"ken","password":"x","timestamp":NaN}',
    "infinity": b'{"login_id":"ken","password":"x","timestamp":-Infinity}',
    "huge exponent": b'{"login_id":"ken","password":"x","timestamp":1e999}',
    "huge integer": b'{"login_id":"ken","password":"x","timestamp":' + b"9" * 5000 + b"}",
    "comment": b'{"login_id":"ken",/* */"password":"x"}',
    "single quotes": b"{'login_id':'ken','password':'x'}",
    "duplicate key": b'{"login_id":"ken","password":"x","password":"y"}',
    "duplicate in another spelling": b'{"login_id":"ken","password":"x","p\\u0061ssword":"y"}',
    "duplicate unknown": b'{"login_id":"ken","password":"x","a":1,"a":2}',
    "duplicate inside": b'{"login_id":"ken","password":"x","a":{"b":1,"b":2}}',
    "nine deep": b'{"a":' * 9 + b"1" + b"}" * 9,
    "nine deep in lists": b'{"login_id":"ken","password":"x","a":' + b"[" * 8 + b"]" * 8 + b"}",
    "never closed": b"[" * 16_000,
}


@pytest.mark.attack("TY-2", "TY-5", "RS-3", "RS-6")
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
async def test_what_is_no_strict_json_object(script: ScriptedWeidu, junk: bytes) -> None:
    async with script.client() as client:
        for route in WITH_BODY:
            if junk or route.access is not Access.ENROLMENT:
                response = await send(client, route, junk)
                refused(response)
    assert script.asked == []


@pytest.mark.attack("RS-6")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
async def test_nesting_a_hundred_thousand_deep_is_too_large_to_be_looked_at(
    script: ScriptedWeidu, opening: bytes
) -> None:
    async with script.client() as client:
        for route in WITH_BODY:
            response = await send(client, route, opening * DEEP)
            assert (response.status_code, response.json()["error"]) == (413, "payload_too_large")
    assert script.asked == []


@pytest.mark.attack("RS-1")
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
async def test_a_megabyte_is_too_large_wherever_it_stands(script: ScriptedWeidu, route: Route) -> None:
    async with script.client() as client:
        for name in good(route):
            response = await send(client, route, json.dumps({**good(route), name: "x" * 2**20}).encode())
            assert (response.status_code, response.json()["error"]) == (413, "payload_too_large")
    assert script.asked == []


@pytest.mark.parametrize("route", [r for r in WITH_BODY if r.access is Access.PRIVATE], ids=lambda route: route.path)
async def test_whoever_is_not_logged_in_learns_nothing_of_the_body(script: ScriptedWeidu, route: Route) -> None:
    async with script.client() as client:
        response = await client.request(route.verb, route.path.replace("{id}", "x" * 26), content=b"nonsense")
    assert (response.status_code, response.json()["error"]) == (401, "unauthenticated")


@pytest.mark.attack("TY-3")
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
def test_unknown_keys_are_ignored_as_the_documents_promise_or_refused(route: Route) -> None:
    body = {**good(route), "role": "admin", "__proto__": {"x": [1]}, "": 0, "LOGIN_ID": 1}
    if not route.body.__struct_config__.forbid_unknown_fields:
        assert decode.convert(body, route.body) == decode.convert(good(route), route.body)
        return
    with pytest.raises(Refused) as refusal:
        decode.convert(body, route.body)
    assert refusal.value.field == "role"


def test_eight_deep_is_read() -> None:
    raw = b'{"login_id":"ken","password":"x","a":' + b"[" * 7 + b"]" * 7 + b"}"
    route = next(r for r in WITH_BODY if r.path == "/users/login")
    body = decode.read(raw, route.body)
    assert msgspec.structs.asdict(body)["login_id"] == "ken"


def test_the_longest_of_each_field_is_read() -> None:
    for route in WITH_BODY:
        for name, _, field in fields_of(route):
            if "maxLength" in field and name not in {"mobile", "email", "login_id", "avatar_url"}:
                longest = "字" * field["maxLength"]
                assert getattr(decode.convert({**good(route), name: longest}, route.body), name) == longest


@pytest.mark.attack("OT-8")
async def test_codes_go_to_the_flow_as_they_were_typed(script: ScriptedWeidu) -> None:
    """What is no code is a wrong code, told and counted like one: no second answer to learn from."""
    script.answers["login.code"] = Denied(ProblemCode.WRONG_CODE)
    route = next(r for r in WITH_BODY if r.path == "/users/mobile/login")
    odd = ["４８２９１３", "482913\n", " 482913", "482 913", "+482913", "0", "4829130", "x" * 32]
    async with script.client() as client:
        for code in odd:
            response = await send(client, route, json.dumps({**good(route), "sms_code": code}).encode())
            assert response.json()["error"] == "wrong_code"
    assert [ask.code for ask, _ in script.asks("login.code")] == odd


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
def test_null_is_absent_and_a_byte_order_mark_is_skipped(route: Route) -> None:
    whole = good(route)
    for name, required, _ in fields_of(route):
        lacking = {key: value for key, value in whole.items() if key != name}
        if required:
            with pytest.raises(Refused) as refusal:
                decode.convert({**whole, name: None}, route.body)
            assert (refusal.value.rule.word, refusal.value.field) == ("invalid_request", name)
        else:
            assert decode.convert({**whole, name: None}, route.body) == decode.convert(lacking, route.body)
    raw = json.dumps(whole).encode()
    assert decode.read(b"\xef\xbb\xbf" + raw, route.body) == decode.read(raw, route.body)


@pytest.mark.parametrize(
    ("path", "name", "sent", "meant"),
    [
        ("/users/login", "login_id", 13544285663, "13544285663"),
        ("/users/login", "login_id", 13544285663.0, "13544285663"),
        ("/users/login", "login_id", 1313354987295739904, "1313354987295739904"),
        ("/users/login", "timestamp", "1795887141", 1795887141),
        ("/users/login", "timestamp", "0001795887141", 1795887141),
        ("/users/login", "timestamp", 1795887141.0, 1795887141),
        ("/users/mobile/login", "login_id", 8613544285663, "8613544285663"),
        ("/users/mobile/login", "sms_code", 482913, "482913"),
        ("/users/mobile/login", "sms_code", 482913.0, "482913"),
        ("/users/mobile/login", "sms_code", 2913, "002913"),
        ("/users/mobile/login", "sms_code", 4829130, "4829130"),
        ("/users/email/login", "email_code", 0, "000000"),
        ("/users/sendsms", "mobile", 13544285663, "13544285663"),
        ("/users/mobile/bind", "proof_code", 12345, "012345"),
        ("/users/me", "proof_code", 482913.0, "482913"),
        ("/users/update", "gender", 1.0, 1),
    ],
)
def test_a_whole_number_has_one_reading(path: str, name: str, sent: object, meant: object) -> None:
    route = next(r for r in WITH_BODY if r.path == path)
    # As JSON, because that is where a number is written in several ways.
    body = decode.read(json.dumps({**good(route), name: sent}).encode(), route.body)
    assert (getattr(body, name), type(getattr(body, name))) == (meant, type(meant))


@pytest.mark.attack("TY-1", "TY-12")
@pytest.mark.parametrize(
    "number",
    ["1e400", "NaN", "-5", "-0.0", "9007199254740992.0", "1.5", "9" * 19, "9" * 5000, "true", "0482913", "1e19"],
)
@pytest.mark.parametrize(
    ("path", "name"), [("/users/login", "login_id"), ("/users/mobile/login", "sms_code"), ("/users/sendsms", "mobile")]
)
def test_a_number_with_several_readings_is_refused(path: str, name: str, number: str) -> None:
    route = next(r for r in WITH_BODY if r.path == path)
    rest = {key: value for key, value in good(route).items() if key != name}
    raw = json.dumps(rest)[:-1] + f', "{name}": {number}}}'
    with pytest.raises(Refused):
        decode.read(raw.encode(), route.body)


@pytest.mark.attack("TY-9")
@pytest.mark.parametrize(
    "typed", ["+86 135-4428-5663", "0086 13544285663", "８６１３５４４２８５６６３", "13544285663\n"]
)
async def test_phones_meet_one_form_before_a_flow_sees_them(script: ScriptedWeidu, typed: str) -> None:
    script.answers["codes.send"] = CodeSent()
    route = next(r for r in WITH_BODY if r.path == "/users/sendsms")
    async with script.client() as client:
        response = await send(client, route, json.dumps({**good(route), "mobile": typed}).encode())
    assert response.status_code == 200
    assert script.asks("codes.send")[0][0].subject == "+8613544285663"


async def test_passwords_and_login_ids_go_to_the_flow_as_they_were_typed(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = Denied(ProblemCode.WRONG_CREDENTIALS)
    route = next(r for r in WITH_BODY if r.path == "/users/login")
    typed = [
        ("\u202dken\u202c", "\u200bpa ss\u200b"),
        (" ken ", " pass "),
        ("KEN@EXAMPLE.com", "p" * 4096),
        ("ｋｅｎ", "密码\u0301🔑"),
        ("x" * 320, "\n"),
    ]
    async with script.client() as client:
        for login_id, password in typed:
            body = {**good(route), "login_id": login_id, "password": password}
            response = await send(client, route, json.dumps(body).encode())
            assert response.json()["error"] == "wrong_credentials"
    assert [(ask.login_id, ask.password) for ask, _ in script.asks("login.password")] == typed


@pytest.mark.attack("TY-3")
@pytest.mark.parametrize("key", ["nonsense", "a" * 64, "a" * 65, "<script>", "字", "a b", ""])
async def test_a_profile_write_refuses_what_it_does_not_know(script: ScriptedWeidu, key: str) -> None:
    async with script.client() as client:
        response = await client.put("/users/update", json={"nickname": "x", key: 1}, headers=BEARER)
    named = key in {"nonsense", "a" * 64}
    refused(response, key if named else None)
    assert script.asked == []


async def test_no_answer_repeats_what_was_sent(script: ScriptedWeidu) -> None:
    canary = "canary7f3a"
    async with script.client() as client:
        for route in WITH_BODY:
            for name in good(route):
                response = await send(client, route, json.dumps({**good(route), name: {canary: canary}}).encode())
                assert canary not in response.text
            assert canary not in (await send(client, route, canary.encode())).text
