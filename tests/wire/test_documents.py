"""The documents of a server: one for each dialect and one for what belongs to none, listed by /docs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from menshen import __version__
from menshen.app.discovery import PROBES, dialect_names, openapi_documents
from menshen.wire.http import carriers
from menshen.wire.probes import ENDPOINTS, document
from menshen.wire.probes.docs_page import html
from menshen.wire.probes.reference import joined
from menshen.wire.probes.requirements import VERIFY
from tests.harness import Harness, open_harness
from tests.wire.weidu.test_openapi import Page

DOCUMENTS = openapi_documents(dialect_names())
WHOLE = joined(openapi_documents(), __version__)


@pytest.mark.parametrize("shown", [*DOCUMENTS.values(), WHOLE], ids=[*DOCUMENTS, "whole"])
def test_it_is_valid(shown: dict[str, Any]) -> None:
    """By schemathesis' own validator of OpenAPI 3.1, and as JSON."""
    assert json.loads(json.dumps(shown)) == shown
    assert schemathesis.openapi.from_dict(shown).validate() is None


def test_a_broken_document_is_found() -> None:
    broken = json.loads(json.dumps(WHOLE))
    del broken["info"]["title"]
    with pytest.raises(Exception, match="title"):
        schemathesis.openapi.from_dict(broken).validate()


def test_each_enum_has_one_type() -> None:
    """openapi-python-client drops the whole call of a mixed one."""
    text = json.dumps(DOCUMENTS)
    enums: list[dict[str, Any]] = []
    json.loads(text, object_hook=lambda part: enums.append(part) if isinstance(part.get("enum"), list) else part)
    types: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    assert len(enums) > 20
    for found in enums:
        assert {type(value) for value in found["enum"]} == {types[found["type"]]}


def test_the_whole_document_is_all_of_them_without_a_meeting() -> None:
    paths = [path for name in ("careyshop", "weidu", PROBES) for path in DOCUMENTS[name]["paths"]]
    assert [*WHOLE["paths"]] == paths
    names = [operation["operationId"] for verbs in WHOLE["paths"].values() for operation in verbs.values()]
    assert len(set(names)) == len(names)
    assert {"weidu.post_users_login", "careyshop.post_login_user_user", "probes.get_auth_verify"} <= set(names)


async def test_the_index_leads_to_each_page_and_each_document(harness: Harness) -> None:
    answer = await harness.client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall('href="([^"]+)"', answer.text)
    names = ("careyshop", "weidu", PROBES)
    assert links == [*(link for name in names for link in (f"/docs/{name}", f"/openapi/{name}.json")), "/openapi.json"]
    for link in links:
        got = await harness.client.get(link)
        assert got.status_code == 200
        if link.startswith("/docs"):
            assert "default-src 'none'" in got.headers["content-security-policy"]
            assert not re.search("<(script|img|link|iframe|form|object)", got.text)
            paths = DOCUMENTS[link.rpartition("/")[2]]["paths"]
            assert all(f"{verb.upper()} {path}" in got.text for path, verbs in paths.items() for verb in verbs)
        elif link == "/openapi.json":
            assert got.json() == WHOLE
        else:
            assert got.json() == DOCUMENTS[link.removeprefix("/openapi/").removesuffix(".json")]
        assert (await harness.client.head(link)).content == b""
        assert (await harness.client.post(link)).status_code == 405


async def test_a_dialect_that_is_off_is_in_no_document(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__DIALECTS": '["weidu"]'}) as harness:
        assert "careyshop" not in (await harness.client.get("/docs")).text.lower()
        for path in ("/docs/careyshop", "/openapi/careyshop.json"):
            assert (await harness.client.get(path)).json() == {"error": "not_found"}
        whole = (await harness.client.get("/openapi.json")).json()
        assert not [path for path in whole["paths"] if path.startswith("/api/")]


def test_a_dialect_that_is_off_costs_no_import() -> None:
    """In a process of its own: others have imported everything."""
    asked = (
        "import sys; from menshen.app.discovery import openapi_documents; openapi_documents(['weidu']);"
        "print(*[name for name in sys.modules if 'careyshop' in name])"
    )
    run = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_every_probe_is_documented_and_no_other() -> None:
    shown = document("1.2.3")
    assert {(verb.upper(), path) for path, verbs in shown["paths"].items() for verb in verbs} == {
        (endpoint.verb, endpoint.path) for endpoint in ENDPOINTS
    }
    schemes = shown["components"]["securitySchemes"]
    places = {scheme["name"] if scheme["in"] == "header" else "cookie" for scheme in schemes.values() if "in" in scheme}
    assert {place.lower().encode() for place in places} | {b"authorization"} == carriers.CARRIERS


async def test_each_probe_answers_what_its_document_says(harness: Harness) -> None:
    await harness.add_account("alice1", "13800000001", password="Passw0rd!")
    asked = {"method": "login.user.user", "appkey": harness.app.appkey, "username": "alice1", "password": "Passw0rd!"}
    login = await harness.client.post("/api/v1/user", data=asked | {"platform": "pc"})
    token = {"token": login.json()["data"]["token"]["token"]}
    seen: dict[str, set[str]] = {}

    async def answer(path: str, real: str, headers: dict[str, str] | None = None) -> None:
        got = await harness.client.get(real, headers=headers or {})
        announced = DOCUMENTS[PROBES]["paths"][path]["get"]["responses"][str(got.status_code)]
        kind = got.headers.get("content-type", "").partition(";")[0]
        # An answer without a body may name a type all the same.
        assert ({kind} if got.content else set()) == set(announced.get("content", ())), (real, got.status_code)
        assert set(announced.get("headers", ())) <= {name.title() for name in got.headers} | {"WWW-Authenticate"}
        seen.setdefault(path, set()).add(str(got.status_code))

    words = f"{VERIFY}/{{words}}"
    for headers in ({}, token):
        await answer(VERIFY, VERIFY, headers)
        for real in ("proved-phone", "role-nobody", "proved-phone/role-general_user", "level-2", "proved-fax"):
            await answer(words, f"{VERIFY}/{real}", headers)
    for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json"):
        await answer(path, path)
    await answer("/metrics", "/metrics", {"x-forwarded-for": "192.0.2.1"})
    for path in ("/docs/{name}", "/openapi/{name}.json"):
        await answer(path, path.format(name="weidu"))
        await answer(path, path.format(name="nothing"))
    announced = {path: set(verbs["get"]["responses"]) for path, verbs in DOCUMENTS[PROBES]["paths"].items()}
    assert {path: statuses - {"503"} for path, statuses in announced.items()} == seen


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_each_page_is_whole_and_asks_no_other_host(name: str) -> None:
    page = Page()
    page.feed(html(DOCUMENTS[name], f"/openapi/{name}.json").decode().removeprefix("<!doctype html>"))
    assert page.open == []
    assert page.addresses == ["/docs", f"/openapi/{name}.json", *(f"#{anchor}" for anchor in page.ids)]
    operations = [operation for verbs in DOCUMENTS[name]["paths"].values() for operation in verbs.values()]
    assert page.ids == [operation["operationId"] for operation in operations]
