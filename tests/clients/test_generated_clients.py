"""Each generator takes the whole weidu document, and its client logs in, edits the account and reads it again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.clients import generators
from tests.clients.conftest import PASSWORD, USERNAME
from tests.clients.generators import Tools
from tests.server import Server

pytestmark = pytest.mark.clients


def operations(document: Path) -> list[dict[str, Any]]:
    """Every operation of the document."""
    paths = json.loads(document.read_text("utf-8"))["paths"]
    return [operation for verbs in paths.values() for operation in verbs.values()]


def schemas(document: Path) -> set[str]:
    return set(json.loads(document.read_text("utf-8"))["components"]["schemas"])


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def held(told: dict[str, Any], server: Server, nickname: str) -> None:
    """Hold what a program printed to what the server knows."""
    assert told == {"username": USERNAME, "gender": 1, "nickname": nickname, "error": "wrong_credentials"} | {
        "token": told["token"]
    }
    info = server.call("GET", "/weidu/api/v1/users/info", headers={"Token": told["token"]}).json()
    assert info["user_info"]["nickname"] == nickname


def asked(server: Server, nickname: str) -> tuple[str, ...]:
    return (f"http://127.0.0.1:{server.port}", USERNAME, PASSWORD, nickname)


def test_openapi_python_client(tools: Tools, document: Path, server: Server, tmp_path: Path) -> None:
    said = generators.openapi_python_client(tools, document, tmp_path)
    assert "Warning" not in said, said
    made = {path.stem for path in (tmp_path / "generated" / "api").rglob("*.py")} - {"__init__"}
    assert made == {operation["operationId"] for operation in operations(document)}
    held(generators.run_python(tools, tmp_path, "openapi_python_client", *asked(server, "小一")), server, "小一")


def test_datamodel_codegen(tools: Tools, document: Path, server: Server, tmp_path: Path) -> None:
    generators.datamodel_codegen(tools, document, tmp_path)
    made = set(re.findall(r"^class (\w+)\(", (tmp_path / "generated.py").read_text("utf-8"), re.MULTILINE))
    assert schemas(document) <= made
    held(generators.run_python(tools, tmp_path, "datamodel_codegen", *asked(server, "小二")), server, "小二")


def test_typescript_fetch(tools: Tools, document: Path, server: Server, tmp_path: Path) -> None:
    said = generators.typescript_fetch(tools, document, tmp_path)
    assert "ERROR" not in said
    sources = "".join(path.read_text("utf-8") for path in (tmp_path / "generated" / "apis").glob("*.ts"))
    made = set(re.findall(r"^    async (\w+)Raw\(", sources, re.MULTILINE))
    assert made == {camel(operation["operationId"]) for operation in operations(document)}
    held(generators.run_typescript(tools, tmp_path, "typescript_fetch", *asked(server, "小三")), server, "小三")


def test_openapi_typescript(tools: Tools, document: Path, server: Server, tmp_path: Path) -> None:
    generators.openapi_typescript(tools, document, tmp_path)
    text = (tmp_path / "generated.ts").read_text("utf-8")
    made = set(re.findall(r'operations\["(\w+)"\]', text))
    assert made == {operation["operationId"] for operation in operations(document)}
    held(generators.run_typescript(tools, tmp_path, "openapi_typescript", *asked(server, "小四")), server, "小四")


def test_a_mixed_enum_is_dropped_by_one_of_them(tools: Tools, document: Path, tmp_path: Path) -> None:
    """The fault that these tests are for: they see it."""
    mixed = json.loads(document.read_text("utf-8"))
    mixed["components"]["schemas"]["UpdateRequest"]["properties"]["gender"] = {"enum": [0, 1, 2, "", "男", "女"]}
    path = tmp_path / "mixed.json"
    path.write_text(json.dumps(mixed), "utf-8")
    assert "Warning" in generators.openapi_python_client(tools, path, tmp_path)
    assert not list((tmp_path / "generated").rglob("put_users_update.py"))
