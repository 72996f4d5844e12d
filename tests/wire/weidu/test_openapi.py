"""The published document: complete, true under fuzzing, and readable as a page that asks no other host."""

import asyncio
import base64
import hashlib
import json
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import uvicorn

from menshen.wire.probes.docs_page import CONTENT_SECURITY_POLICY, html
from menshen.wire.weidu import DIALECT, ROUTES
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import PASSWORD, Client
from tests.wire.weidu.scripted import DOCUMENT


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_every_endpoint_is_documented_once() -> None:
    documented = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert documented == {(line.verb, line.path) for line in DIALECT.endpoints}
    names = [operation["operationId"] for verbs in DOCUMENT["paths"].values() for operation in verbs.values()]
    assert len(set(names)) == len(names) == len(ROUTES)


def test_it_is_plain_json_and_points_nowhere_wrong() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    pointed = {node["$ref"].removeprefix("#/components/schemas/") for node in nodes(DOCUMENT) if "$ref" in node}
    assert pointed == set(schemas)


def test_requests_ask_for_what_the_contract_says_and_for_no_more() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    required = {name: set(schema["required"]) for name, schema in schemas.items() if name.endswith("Request")}
    assert required["PasswordLoginRequest"] == {"login_id", "password"}
    assert required["CodeLoginRequest"] == {"login_id", "sms_code", "captcha_token"}
    assert required["SendSmsRequest"] == {"mobile", "captcha_token"}
    assert required["SignupRequest"] == {"mobile", "sms_code", "passwd", "captcha_token"}
    assert required["MobileResetRequest"] == {"mobile", "sms_code", "captcha_token", "password"}
    assert required["EmailResetRequest"] == {"email", "email_code", "captcha_token", "password"}
    assert required["MobileBindRequest"] == {"mobile", "sms_code"}
    assert required["EmailBindRequest"] == {"email", "email_code"}
    assert required["MobileExistRequest"] == {"mobile"}
    assert required["VerificationRequest"] == {"captcha_id"}
    assert required["PasswordChangeRequest"] == {"old_password", "password"}
    assert required["UpdateRequest"] == set()
    assert schemas["UpdateRequest"]["additionalProperties"] is False
    devices = {"device_model", "device_name", "timestamp", "device_id", "device_sign"}
    for name in ("PasswordLoginRequest", "CodeLoginRequest", "SendSmsRequest", "SignupRequest", "MobileResetRequest"):
        assert devices <= set(schemas[name]["properties"])


def test_generators_of_clients_can_take_it() -> None:
    """What made them drop or forget something; `make clients-test` runs the generators themselves."""
    schemas = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        for key, field in schema["properties"].items():
            # A field with a default is one that openapi-typescript always wants.
            assert not (name.endswith("Request") and "default" in field), (name, key)
            # typescript-fetch keeps one record of a choice.
            assert not [form for form in field.get("anyOf", ()) if "$ref" in form], (name, key)
    for verbs in DOCUMENT["paths"].values():
        for operation in verbs.values():
            assert set(operation["responses"]["200"]["content"]["application/json"]["schema"]) == {"$ref"}
    number, text = schemas["UpdateRequest"]["properties"]["gender"]["anyOf"]
    names = ("UNKNOWN", "MALE", "FEMALE")
    assert dict(zip(number["x-enum-varnames"], number["enum"], strict=True)) == dict(zip(names, (0, 1, 2), strict=True))
    for enum in (text, schemas["CodeUserInfo"]["properties"]["gender"]):
        assert dict(zip(enum["x-enum-varnames"], enum["enum"], strict=True)) == {
            "UNKNOWN": "",
            "MALE": "男",
            "FEMALE": "女",
        }


def test_an_account_is_one_record_whoever_asks_for_it() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    either, own = schemas["UserInfoOrPublicInfo"], schemas["UserInfo"]
    assert set(either["properties"]) == set(own["properties"])
    assert set(either["required"]) < set(own["required"])
    assert {"username", "last_password_update"} & set(either["required"]) == set()
    pointer = "#/components/schemas/UserInfoOrPublicInfo"
    assert schemas["OwnInfoAnswerOrPublicInfoAnswer"]["properties"]["user_info"] == {"$ref": pointer}


def test_private_calls_say_how_to_prove_who_one_is() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][DIALECT.prefix + route.path][route.verb.lower()]
        public = "security" not in operation
        assert public == (route.access.name not in {"PRIVATE", "ENROLMENT"})
        if not public:
            by_cookie: dict[str, Any] = {"cookie": []} if route.verb == "GET" else {"cookie": [], "csrf": []}
            # An enrolment needs no session where its body has a ticket.
            none: list[dict[str, Any]] = [{}] if route.access.name == "ENROLMENT" else []
            assert operation["security"] == [{"bearer": []}, {"token": []}, by_cookie, *none]


def test_each_call_that_can_open_a_session_tells_of_its_token() -> None:
    opens = {"/users/totp", "/users/passkeys"} | {route.path for route in ROUTES if route.access.name == "LOGIN"}
    for route in ROUTES:
        headers = DOCUMENT["paths"][DIALECT.prefix + route.path][route.verb.lower()]["responses"]["200"]["headers"]
        told = {"Token", "Set-Cookie"} & set(headers)
        assert bool(told) == (route.path in opens and route.verb == "POST")
        if told:
            # An enrolment in a session opens none.
            assert headers["Token"]["required"] == (route.access.name == "LOGIN")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.style = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            assert name in {"lang", "charset", "name", "content", "href", "id", "class"}
            if name == "href":
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data


def read(document: dict[str, Any]) -> tuple[Page, str]:
    text = html(document, "/openapi/weidu.json").decode()
    page = Page()
    page.feed(text.removeprefix("<!doctype html>"))
    assert page.open == []
    return page, text


def test_the_page_shows_every_call_and_asks_no_other_host() -> None:
    page, text = read(DOCUMENT)
    for line in DIALECT.endpoints:
        assert f"{line.verb} {line.path}" in text
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert page.addresses == ["/docs", "/openapi/weidu.json", *(f"#{anchor}" for anchor in page.ids)]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    for field in ("login_id", "captcha_token", "user_info.last_password_update", "sessions.expires_at"):
        assert f">{field}</code>" in text


def test_the_page_escapes_what_a_document_says() -> None:
    evil = "</p><script>alert(1)</script>`<b>`"
    document = json.loads(json.dumps(DOCUMENT))
    document["info"] |= {"title": evil, "version": evil, "description": evil}
    for verbs in document["paths"].values():
        for operation in verbs.values():
            operation |= {"summary": evil, "description": evil}
    page, text = read(document)
    assert not page.tags & {"script", "b"}
    assert text.count("&lt;script&gt;") > len(ROUTES)


@asynccontextmanager
async def served(harness: Harness) -> AsyncIterator[str]:
    """The harness's application behind a real server, on an address of its own."""
    server = uvicorn.Server(uvicorn.Config(harness.asgi, log_level="critical", lifespan="off"))
    # Told that it is TCP: asyncio turns Nagle off for such sockets only, and waits 40 ms an answer otherwise.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        # Bound before the server runs: who connects early waits in the queue.
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


# What no schema can tell: whether a time is near, a number exists, a captcha was solved; and that long texts together
# may be more than a body can hold.
CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "428", "429"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "409", "413", "428", "429"]
"""
ENDS_ITSELF = r"/users/(logout|sessions/\{id\})$"


@pytest.mark.parametrize(
    "chosen", [["--exclude-path-regex", ENDS_ITSELF], ["--include-path-regex", ENDS_ITSELF]], ids=["lives", "ends"]
)
async def test_it_is_true_under_fuzzing(tmp_path: Path, chosen: list[str]) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    async with open_harness(tmp_path, captcha_per_network=10**6, exist_per_network=10**6) as harness:
        await harness.add_account("ken_account", "13544285662", "ken@example.com", PASSWORD)
        me = Client(harness)
        await me.log_in("ken_account")
        assert me.token
        async with served(harness) as url:
            program = str(Path(sys.executable).with_name("schemathesis"))
            command = [program, "--config-file", "schemathesis.toml", "run"]
            command += ["openapi.json", "--url", url, "-H", f"Authorization: Bearer {me.token}", *chosen]
            command += [
                "--checks",
                "all",
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "10",
                "--seed",
                "1",
                "--request-timeout",
                "60",
                "--suppress-health-check",
                "too_slow",
            ]
            process = await asyncio.create_subprocess_exec(
                *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await asyncio.wait_for(process.communicate(), 500)
        report = said.decode()
        assert process.returncode == 0, report
        assert int(re.search(r"(\d+) generated", report)[1]) > (500 if "--exclude" in chosen[0] else 20)  # type: ignore[index]
        assert await me.alive() == ("--exclude" in chosen[0])
