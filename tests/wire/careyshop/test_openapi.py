"""The published document: complete, true of what is read and answered, and true under fuzzing."""

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from menshen.core.problems import Denied, ProblemCode
from menshen.flows.catalog import use_cases
from menshen.testing.dialect_contract import DialectSite
from menshen.testing.scripted_flows import APP, ScriptedFlows
from menshen.wire.careyshop import DIALECT
from menshen.wire.careyshop.call import RULES, Call
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import Field, reads_of
from menshen.wire.careyshop.described.openapi import _EVERY_CALL
from menshen.wire.careyshop.methods import METHODS, Method, Who
from menshen.wire.careyshop.problems import _BY_FIELD, Refused
from menshen.wire.careyshop.settings import Settings
from menshen.wire.careyshop.sign import sign_of
from menshen.wire.dialect import DialectContext
from menshen.wire.examples import Answer, Request
from tests.harness import open_harness
from tests.wire.careyshop.shop import APPKEY, DOCUMENT, Shop
from tests.wire.weidu.test_openapi import served

TOKEN = "0123456789abcdef" * 2
VALUES = {
    "username": "alice1", "password": "Secret-12", "password_confirm": "Secret-12", "password_old": "Secret-11",
    "platform": "pc", "mobile": "13800000001", "email": "a@b.cn", "nickname": "小明", "head_pic": "https://a.cn/b.png",
    "sex": "1", "birthday": "1990-01-31", "client_id": "7", "exclude_id": "8", "code": "123456",
    "number": "13800000001", "is_check": "1", "refresh": "f" * 32, "login_code": "abcd", "session_id": "e" * 32,
    "generate": "base64", "ticket": "f" * 32, "factor": "totp", "second_code": "123456",
}  # fmt: skip


def operation(method: Method, verb: str = "post") -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/api/v1/{method.controller}/method/{method.name}"][verb]
    return found


def own(shown: set[str]) -> set[str]:
    """Leave out what every call may have."""
    return shown - {field.name for field in fields.PUBLIC}


def test_every_method_of_the_dispatch_table_is_documented_and_no_other() -> None:
    paths = {f"/api/v1/{method.controller}/method/{method.name}" for method in METHODS}
    assert set(DOCUMENT["paths"]) == paths | {"/api/batch"}
    assert all(set(verbs) == {"get", "post"} for verbs in DOCUMENT["paths"].values())


class Spied(dict[str, Any]):
    """Parameters that remember which of them were read."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


def called(parameters: dict[str, Any]) -> Call:
    script = ScriptedFlows()
    script.grant("careyshop", TOKEN)
    context = DialectContext(script.flows(), 0, bytes)
    origin = context.origin({"type": "http", "client": ("192.0.2.1", 1)}, Any, APP, RULES)  # type: ignore[arg-type]
    return Call(parameters, context.flows, Settings(), origin, APP, TOKEN, script.live[TOKEN], "", lambda _: None)


async def status_of(method: Method, parameters: dict[str, Any]) -> int:
    """The status of a call whose flow refuses with 403 whatever it is asked: the rules come before it."""
    try:
        await method.handler(called(parameters))
    except Refused as refused:
        return refused.status
    return 200


def without(field: Field) -> dict[str, Any]:
    return {name: value for name, value in VALUES.items() if name != field.name}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_what_a_method_reads_is_what_the_document_says(method: Method) -> None:
    asked = Spied(VALUES)
    assert await status_of(method, asked) in {200, 403}
    shown = {parameter["name"] for parameter in operation(method, "get").get("parameters", [])}
    assert own(shown) == own(asked.read) == own({field.name for field in reads_of(method.handler).fields})
    body = operation(method)["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(DOCUMENT["components"]["schemas"][body]["properties"]) == shown | {"token"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_what_the_document_calls_needed_is_refused_when_it_is_missing(method: Method) -> None:
    """The rule says so before any flow is asked. A captcha's picture is judged by its flow."""
    for field in reads_of(method.handler).needed:
        if field is fields.SESSION_ID:
            continue
        assert await status_of(method, without(field)) == 500
    for field in reads_of(method.handler).optional:
        assert await status_of(method, without(field)) in {200, 403}


def bounds(field: Field) -> Iterator[str]:
    """Values just outside of what the document says of a field."""
    if field.least > 1:
        yield "1" * (field.least - 1)
    if field.most:
        yield "1" * (field.most + 1)
    if field.choices:
        yield "9"
    if field.pattern and field is not fields.EXCLUDE_ID:
        yield "!" * max(field.least, 1)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_a_value_outside_of_the_bounds_is_refused(method: Method) -> None:
    for field in reads_of(method.handler).fields:
        for value in bounds(field):
            # A password that is too short is confirmed, so that it is not refused for the difference.
            both = {"password_confirm": value} if field is fields.PASSWORD else {}
            assert await status_of(method, VALUES | both | {field.name: value}) == 500, (field.name, value)


async def asked_for(site: DialectSite, method: Method) -> Answer:
    parameters = {field.name: VALUES[field.name] for field in reads_of(method.handler).needed}
    parameters |= {"method": method.name, "appkey": APP.appkey}
    if method.who is Who.ACCOUNT:
        parameters["token"] = TOKEN
    body = json.dumps(parameters | {"sign": sign_of(parameters, APP.secret)}).encode()
    return await site.send(
        Request("POST", f"/api/v1/{method.controller}", (("content-type", "application/json"),), body)
    )


def told(method: Method, status: int) -> set[str]:
    described: str = operation(method)["responses"][str(status)]["description"]
    return set(re.findall("`([^`]+)`", described))


@pytest.mark.parametrize("method", [method for method in METHODS if method.flow != "-"], ids=lambda method: method.name)
async def test_the_refusals_of_its_flow_have_the_status_and_the_text_that_the_document_says(method: Method) -> None:
    """Both ways: nothing else is answered, and nothing is announced that is never answered."""
    seen: dict[int, set[str]] = {}
    said = [(code, name) for code, name in _BY_FIELD if name] + [(code, None) for code in ProblemCode]
    for (code, name), seconds, least in itertools.product(said, (None, 77), (None, 88)):
        if code not in use_cases()[method.flow].refusals or (least and code is not ProblemCode.WEAK_PASSWORD):
            continue
        site = DialectSite(DIALECT, ScriptedFlows(app=replace(APP, mirror_status=True)))
        site.script.grant("careyshop", TOKEN)
        site.script.answers[method.flow] = Denied(code, seconds, name, least=least)
        answer = await asked_for(site, method)
        body = json.loads(answer.body)
        assert answer.status == body["status"]
        seen.setdefault(answer.status, set()).add(re.sub("77|88", "N", body["message"]))
    for status, texts in seen.items():
        assert texts <= told(method, status) | {*_EVERY_CALL}, status
    own_texts = set(reads_of(method.handler).refuses) | {"权限不足", "未授权或授权已过期", "token已过期"}
    announced = set().union(
        *(told(method, int(status)) for status in operation(method)["responses"] if status != "200")
    )
    assert announced <= set().union(*seen.values()) | own_texts


CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "500"]
"""


# Refusals are a 500 here, other verbs too. Texts and integers are taken alike. The public rules come before the token.
WITHOUT = "not_a_server_error,unsupported_method,negative_data_rejection,missing_required_header"


def deep() -> dict[str, Any]:
    """The document with a good appkey, and without a time and a sign that no generator can guess."""
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    appkey = {"type": "string", "enum": [APPKEY]}
    for verbs in document["paths"].values():
        shown = [p for p in verbs["get"]["parameters"] if p["name"] not in {"timestamp", "sign"}]
        verbs["get"]["parameters"] = [p | {"schema": appkey} if p["name"] == "appkey" else p for p in shown]
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["required"] = [field for field in schema["required"] if field != "sign"]
            kept = {
                key: value for key, value in schema["properties"].items() if key not in {"timestamp", "sign", "token"}
            }
            schema["properties"] = kept | {"appkey": appkey}
    return document


async def test_it_is_true_under_fuzzing(tmp_path: Path) -> None:
    """Over an app that mirrors the status, so that each answer is held to the schema of its own status."""
    (tmp_path / "openapi.json").write_text(json.dumps(deep()))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    async with open_harness(tmp_path, captcha_per_network=10**6, exist_per_network=10**6) as harness:
        await harness.change_app(mirror_status=True)
        await harness.add_account(username="alice1", phone="13800000001", password="Passw0rd!")
        shop = Shop(harness)
        answer = await shop.send("login.user.user", username="alice1", password="Passw0rd!", platform="pc")
        token = answer.json()["data"]["token"]["token"]
        async with served(harness) as url:
            program = str(Path(sys.executable).with_name("schemathesis"))
            command = [program, "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", url]
            command += [
                "-H",
                f"Authorization: Bearer {token}",
                "--checks",
                "all",
                "--phases",
                "examples,coverage,fuzzing",
            ]
            command += ["--exclude-checks", WITHOUT]
            command += ["--max-examples", "5", "--seed", "1", "--request-timeout", "60"]
            command += ["--exclude-path-regex", "logout", "--suppress-health-check", "all"]
            process = await asyncio.create_subprocess_exec(
                *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await asyncio.wait_for(process.communicate(), 500)
        report = said.decode()
        assert process.returncode == 0, report
        assert int(re.search(r"(\d+) generated", report)[1]) > 300  # type: ignore[index]
        assert harness.app.appkey == APPKEY
